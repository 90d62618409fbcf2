// One projector per database: who holds it is said, and the lock goes with the process that held it.
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../events/temp-dir.ts';
import { A, created, metric, notes, NOTES, status, writerFile } from '../helpers/lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';
import { runCliProcess, startCli, startScript, writeScript, type Started } from './cli-process.ts';
import { until } from './until.ts';

interface Held {
  ledger: TempLedger;
  db: string;
  args: readonly string[];
  holder: Started;
}

/** A `runfold watch` that has read what there is. */
async function held(): Promise<Held> {
  const ledger = new TempLedger(writerFile(A, created(0), status(1, 'running')), notes(metric(2)));
  const db = path.join(tempDir(), 'runs.db');
  const args = ['--ledger', ledger.root, '--db', db];
  const holder = startCli(['watch', ...args]);
  await holder.says('3 new events');
  return { ledger, db, args, holder };
}

function namesHolder({ pid }: Started): RegExp {
  const host = os.hostname().replaceAll('.', String.raw`\.`);
  return new RegExp(`watch of pid ${pid} on ${host}, since \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z, holds `);
}

test('a second projector is told who holds the database, and ends with 1', async () => {
  const { args, holder } = await held();
  for (const command of [['sync'], ['sync', '--rebuild'], ['watch']]) {
    const second = await runCliProcess([...command, ...args]);
    expect(second, command.join(' ')).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(namesHolder(holder));
    expect(second.stderr).toContain('--no-sync');
  }
  expect(holder.hasEnded).toBe(false);
});

test('commands that read say who keeps the database, and answer', async () => {
  const { args, holder } = await held();
  const { code, stdout, stderr } = await runCliProcess(['status', '--json', ...args]);
  expect(code).toBe(0);
  expect(stderr).toContain(`kept by watch, pid ${holder.pid} on `);
  expect(JSON.parse(stdout)).toMatchObject({ events: 3, holder: { pid: holder.pid, purpose: 'watch' } });
});

test('the lock of a process that was killed is free at once', async () => {
  const { args, holder } = await held();
  await holder.destroy();
  expect(await runCliProcess(['sync', ...args])).toMatchObject({ code: 0, stderr: '' });
});

test('a process that is stopped keeps its lock, and goes on when it is continued', async () => {
  const { ledger, args, holder } = await held();
  holder.kill('SIGSTOP');
  const second = await runCliProcess(['sync', ...args]);
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(namesHolder(holder));

  ledger.append(NOTES, notes(metric(3)).bytes);
  holder.kill('SIGCONT');
  await holder.says('1 new event\n');
});

/** Each takes the lock again and again; a file that two of them want to make at once would show two holders. */
const RACER = `
const [ledger, db, marker] = process.argv.slice(2);
const place = await locate({ ledger, db });
const count = { events: 0, passes: 0, refused: 0, overlaps: 0 };
process.on('SIGTERM', () => { count.isEnding = true; });
while (!count.isEnding) {
  let open;
  try {
    open = OpenProjector.open(place, 'race');
  } catch (error) {
    if (error.code !== 'projector_running') throw error;
    count.refused += 1;
    continue;
  }
  try {
    fs.closeSync(fs.openSync(marker, 'wx'));
    count.events += (await open.projector.pass({ thorough: true })).events;
    count.passes += 1;
    fs.unlinkSync(marker);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    count.overlaps += 1;
  }
  open.close();
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
}
console.log(JSON.stringify(count));
`;

test('of many that want the lock one at a time has it, and every line is applied once', async () => {
  const ledger = new TempLedger(writerFile(A, created(0)));
  const dir = tempDir();
  const db = path.join(dir, 'runs.db');
  const library = { 'projector/index.js': 'OpenProjector, locate' };
  const script = writeScript(dir, library, `import * as fs from 'node:fs';\n${RACER}`);
  const args = [ledger.root, db, path.join(dir, 'marker')];
  const racers = Array.from({ length: 6 }, () => startScript(script, args));

  const LINES = 300;
  const appliedLines = async (): Promise<number> => {
    const { code, stdout } = await runCliProcess([
      'status',
      '--no-sync',
      '--json',
      '--ledger',
      ledger.root,
      '--db',
      db,
    ]);
    return code === 0 ? (JSON.parse(stdout) as { events: number }).events : 0;
  };
  for (let line = 1; line <= LINES; line += 1) {
    ledger.append(NOTES, notes(metric(line)).bytes);
    if (line % 50 === 0) await until(`${line} lines are applied`, async () => (await appliedLines()) > line);
  }
  for (const racer of racers) racer.kill('SIGTERM');
  const counts = await Promise.all(
    racers.map(async ({ ended }) => {
      const { code, stdout, stderr } = await ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return JSON.parse(stdout) as Record<'events' | 'passes' | 'overlaps', number>;
    }),
  );

  expect(counts.map(({ overlaps }) => overlaps)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(counts.reduce((sum, { events }) => sum + events, 0)).toBe(LINES + 1);
  expect(counts.filter(({ passes }) => passes > 0).length).toBeGreaterThan(1);
  const verified = await runCliProcess(['verify', '--json', '--ledger', ledger.root, '--db', db]);
  expect(JSON.parse(verified.stdout)).toMatchObject({ differenceCount: 0, compared: { run_metrics: LINES } });
});
