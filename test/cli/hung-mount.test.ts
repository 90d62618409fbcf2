// A storage that does not answer stops no answer: it is told since when, and the database is asked.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AskStorage } from '../../src/projector/ask-storage.ts';
import { PACE } from '../../src/projector/pace.ts';
import { Desk, type Ran, type RunOptions } from './command.ts';

/** A storage that is silent until `answer`. */
class Mount {
  isSilent = true;
  givenUp = 0;
  asked: (readonly string[])[] = [];
  answer: () => void = () => undefined;

  readonly ask: AskStorage = (directories) => {
    this.asked.push(directories);
    const answered = this.isSilent
      ? new Promise<void>((resolve) => {
          this.answer = resolve;
        })
      : Promise.resolve();
    return { answered, giveUp: () => (this.givenUp += 1) };
  };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** With one run in it, which has been read; then the log is taken away, so that to touch it would be an error. */
async function hungDesk(): Promise<Desk> {
  const desk = await Desk.withLog();
  await desk.run(['emit', 'run-created', '--dataset', 'iris', '--method', 'mlp', '--seed', '1']);
  await desk.run(['sync']);
  fs.renameSync(desk.ledger, `${desk.ledger}-hung`);
  return desk;
}

async function hanging(desk: Desk, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const running = desk.run(args, { askStorage: new Mount().ask, ...options });
  let isOver = false;
  void running.finally(() => {
    isOver = true;
  });
  await vi.waitUntil(
    async () => {
      await vi.advanceTimersByTimeAsync(PACE.answerWithin);
      return isOver;
    },
    { timeout: 20_000, interval: 5 },
  );
  return await running;
}

const SILENT = /^the storage has not answered since 2\S+Z \(ledger\.json\): as of 2\S+Z \(.* ago\)\n/;

test.each([
  [['runs', '--json']],
  [['runs', '--no-sync', '--json']],
  [['metrics', '@last', '--json']],
  [['show', '@last']],
])('%j answers from the database while the storage hangs, with exit code 0', async (args) => {
  const desk = await hungDesk();
  const { code, stdout, stderr } = await hanging(desk, args);
  expect(stderr).toMatch(SILENT);
  expect(stdout).not.toBe('');
  expect(code).toBe(0);
});

test('status says since when the storage hangs, and doctor finds it', async () => {
  const desk = await hungDesk();
  const before = Date.now();
  const { code, stdout } = await hanging(desk, ['status', '--json']);
  const { storage } = JSON.parse(stdout) as { storage: { since: string } };
  expect(storage).toEqual({ state: 'hangs', since: storage.since, path: 'ledger.json', pid: null });
  expect(Date.parse(storage.since)).toBeGreaterThanOrEqual(before);
  expect(code).toBe(0);
  expect((await hanging(desk, ['status'])).stdout).toMatch(
    /^storage {4}hangs since 2\S+Z \(.*\) at ledger.json$/m,
  );
  const doctor = await hanging(desk, ['doctor', '--json']);
  expect(JSON.parse(doctor.stdout.split('\n')[0] ?? '')).toMatchObject({
    kind: 'hang',
    where: 'ledger.json',
  });
  expect(doctor.code).toBe(3);
});

test('since when is what the first to see it has seen, until the storage answers', async () => {
  const desk = await hungDesk();
  const sinceOf = async (): Promise<string> => {
    const { stdout } = await hanging(desk, ['status', '--json']);
    return (JSON.parse(stdout) as { storage: { since: string } }).storage.since;
  };
  const first = await sinceOf();
  expect(await sinceOf()).toBe(first);
  fs.renameSync(`${desk.ledger}-hung`, desk.ledger);
  expect((await desk.run(['status'])).stdout).toContain('storage    answers');
  fs.renameSync(desk.ledger, `${desk.ledger}-hung`);
  expect(await sinceOf()).not.toBe(first);
});

test('the log is found by the nearest path from here upwards that this machine knows', async () => {
  const desk = await hungDesk();
  const mount = new Mount();
  await hanging(desk, ['status'], { askStorage: mount.ask });
  expect(mount.asked[0]?.slice(0, 2)).toEqual([desk.ledger, path.join(path.dirname(desk.cwd), '.runfold')]);
  expect(mount.givenUp).toBe(1);
});

test('where this machine knows nothing of the log it is an error that says so', async () => {
  const desk = new Desk();
  const { code, stderr } = await hanging(desk, ['runs']);
  expect(stderr).toMatch(/^runfold: the storage of \S+ has not answered since 2\S+Z \(ledger.json\)\n/);
  expect(code).toBe(1);
});

test.each([
  [['slurm', 'refresh']],
  [['tag', '@last', 'baseline']],
  [['note', '@last', 'x']],
  [['hide', '@last']],
])('%j, which writes into the log, is refused while its storage hangs', async (args) => {
  const desk = await hungDesk();
  const { code, stderr } = await hanging(desk, args);
  expect(stderr).toContain('has not answered since');
  expect(code).toBe(1);
});

test('sync waits for the storage and goes on when it answers', async () => {
  const desk = await hungDesk();
  const mount = new Mount();
  const syncing = desk.run(['sync'], { askStorage: mount.ask });
  await vi.waitUntil(() => mount.asked.length > 0);
  await vi.advanceTimersByTimeAsync(PACE.answerWithin * 10);
  fs.renameSync(`${desk.ledger}-hung`, desk.ledger);
  mount.answer();
  const { code, stderr } = await syncing;
  expect(stderr).toMatch(
    /^the storage has not answered since .*; waiting for it\nthe storage answers again\n/,
  );
  expect(code).toBe(0);
});

test.each([[['sync']], [['watch']], [['runs']]])('Ctrl-C ends %j while it asks', async (args) => {
  const desk = await hungDesk();
  const ending = new AbortController();
  const mount = new Mount();
  const running = desk.run(args, { askStorage: mount.ask, signal: ending.signal });
  await vi.waitUntil(() => mount.asked.length > 0);
  ending.abort();
  const { code, stderr } = await running;
  expect(stderr).toBe('interrupted\n');
  expect(mount.givenUp).toBe(1);
  expect(code).toBe(1);
});

test('a log that is away is a state for status, and an error for the others', async () => {
  const desk = await hungDesk();
  const { code, stdout } = await desk.run(['status', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ storage: { state: 'away' }, events: 1 });
  expect(code).toBe(0);
  expect((await desk.run(['runs'])).stderr).toContain('there is no .runfold directory');
});

test('a FIFO that poses as ledger.json or as an event file holds nobody up', async () => {
  const desk = await hungDesk();
  fs.renameSync(`${desk.ledger}-hung`, desk.ledger);
  const folder = path.join(desk.ledger, 'events', '2026-11-23');
  fs.mkdirSync(folder, { recursive: true });
  execFileSync('mkfifo', [path.join(folder, 'made.ndjson')]);
  const found = await desk.run(['doctor', '--json']);
  expect(found.stdout).toContain('"what":"not read: FIFO"');
  fs.rmSync(path.join(desk.ledger, 'ledger.json'));
  execFileSync('mkfifo', [path.join(desk.ledger, 'ledger.json')]);
  expect((await desk.run(['runs'])).stderr).toContain('it is not a regular file');
  expect((await desk.run(['status', '--json'])).stdout).toContain('"state": "away"');
});

test('a note that somebody has tampered with is as if it were not there', async () => {
  const desk = await hungDesk();
  for (const content of [
    '',
    '[]',
    '{"path":1}',
    JSON.stringify({ path: desk.ledger, ledger_id: '../../x', created_at: '' }),
  ]) {
    fs.writeFileSync(`${desk.db}.note`, content);
    expect((await hanging(desk, ['runs'])).stderr).toContain('has not answered since');
  }
  fs.rmSync(`${desk.db}.note`);
  fs.symlinkSync('/dev/zero', `${desk.db}.note`);
  expect((await hanging(desk, ['runs'])).code).toBe(1);
});
