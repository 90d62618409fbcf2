// Snapshots by real processes: killed at any moment, beside a watch, read on another machine and by another language.
import Database from 'better-sqlite3';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openReadOnly } from '../../src/db/open.ts';
import { tempDir } from '../events/temp-dir.ts';
import { builtDir } from '../helpers/built.ts';
import { A, closed, created, metric, notes, status, text, writerFile } from '../helpers/lines.ts';
import { pythonWith, PYTHON_CLIENT } from '../helpers/python.ts';
import { cleanEnv, runCliProcess, startCli, startScript, type Started } from './cli-process.ts';
import { Followed } from './followed.ts';
import { Random, seedOfThisRun } from './random.ts';
import { compareWith, EQUAL } from './tables-hash.ts';
import { until } from './until.ts';

const SEED = seedOfThisRun();
const KILLS = 6;
const RUN = [created(0), status(0, 'running'), metric(1, { loss: 1 }), status(2, 'completed'), closed(3, 5)];
const OPEN = notes(metric(1), metric(2));

function snapshotOf({ ledger }: Followed): string {
  return ledger.path('snapshot.db');
}

/** Files of snapshots in the making. */
function halves(followed: Followed): string[] {
  const names = [followed.ledger.root, path.dirname(followed.db)].flatMap((folder) => fs.readdirSync(folder));
  return names.filter((name) => /\.tmp-|\.snapshot-/.test(name));
}

function marked(file: string): string {
  const db = openReadOnly(file);
  try {
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    return String(db.prepare('SELECT notes FROM experiment_runs').pluck().get());
  } finally {
    db.close();
  }
}

test(`killed ${KILLS} times in the middle, there is the old snapshot or the new (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  const followed = new Followed(writerFile(A, ...RUN), OPEN);
  await followed.run('sync');
  const live = new Database(followed.db);
  // so large that the copying takes its time
  const fill = live.prepare(
    "INSERT INTO _events VALUES ('x', 'x', ?, 'x', 'x', 'x', hex(randomblob(500000)))",
  );
  for (let seq = 0; seq < 10; seq += 1) fill.run(seq);
  const mark = live.prepare('UPDATE experiment_runs SET notes = ?');
  mark.run('first');
  const request = {
    file: followed.db,
    target: snapshotOf(followed),
    like: followed.ledger.path('ledger.json'),
    host: hostname(),
  };
  /** The process that copies for the command; when it has begun. */
  const begun = async (): Promise<Started> => {
    const before = new Set(halves(followed));
    const copying = startScript(path.join(builtDir(), 'cli/snapshot/child.js'));
    copying.child.stdin?.write(`${JSON.stringify(request)}\n`);
    await until('it copies', () => copying.hasEnded || halves(followed).some((name) => !before.has(name)));
    return copying;
  };
  const whole = await begun();
  const since = performance.now();
  await until('it is done', () => whole.stdout.includes('\n'));
  const durationMs = performance.now() - since;
  expect(JSON.parse(whole.stdout)).toMatchObject({ made: { path: snapshotOf(followed) } });
  whole.kill('SIGKILL');
  let last = 'first';
  let leftOld = 0;
  /** Each is cleared up by the next process. */
  let leftHalf = 0;
  for (let nth = 0; nth < KILLS; nth += 1) {
    mark.run(`mark ${nth}`);
    const copying = await begun();
    await sleep(((nth + random.next()) / KILLS) * durationMs);
    // a kill, or the end of the command that wanted it
    if (nth % 2 === 0) copying.kill('SIGKILL');
    else copying.child.stdin?.end();
    await copying.ended;
    const seen = marked(snapshotOf(followed));
    expect([last, `mark ${nth}`]).toContain(seen);
    if (seen === last) leftOld += 1;
    leftHalf += halves(followed).length;
    last = seen;
  }
  live.close();
  // else it has been killed before or after the work alone
  expect(leftOld).toBeGreaterThan(1);
  expect(leftHalf).toBeGreaterThan(0);
  expect(await followed.run('snapshot', '--no-sync')).toMatchObject({ code: 0 });
  expect(halves(followed)).toEqual([]);
  expect(marked(snapshotOf(followed))).toBe(`mark ${KILLS - 1}`);
}, 120_000);

test('another machine goes on from it: sync, watch, and the first read of a command', async () => {
  const followed = new Followed(writerFile(A, ...RUN), OPEN);
  const made = await followed.run('snapshot', '--json');
  expect(JSON.parse(made.stdout)).toMatchObject({ path: snapshotOf(followed) });
  followed.ledger.append(OPEN.path, `${text(metric(3))}\n`);
  const said = `no database here yet: going on from ${snapshotOf(followed)}, as of `;
  const at = (name: string): string[] => [
    '--ledger',
    followed.ledger.root,
    '--db',
    path.join(tempDir(), name),
  ];

  const synced = at('synced.db');
  const sync = await runCliProcess(['sync', '--json', ...synced]);
  expect(sync.stderr).toContain(said);
  expect(JSON.parse(sync.stdout)).toMatchObject({ events: 1 });
  const again = await runCliProcess(['sync', ...synced]);
  expect(again).toMatchObject({ stdout: '0 new events from 1 file\n', stderr: '' });

  const read = at('read.db');
  expect((await runCliProcess(['status', ...read])).stderr).toContain(said);
  const watched = at('watched.db');
  const watch = startCli(['watch', ...watched]);
  await watch.says(said);
  await watch.says('1 new event');
  watch.kill('SIGTERM');
  expect(await watch.ended).toMatchObject({ code: 0 });

  await followed.run('sync', '--rebuild');
  for (const [, , , file] of [synced, read, watched]) {
    expect(compareWith(followed.db, file ?? '')).toEqual(EQUAL);
    const verified = await runCliProcess(['verify', '--ledger', followed.ledger.root, '--db', file ?? '']);
    expect(verified).toMatchObject({ code: 0 });
  }
});

test('one that cannot be used is named once, and the log is read', async () => {
  const followed = new Followed(writerFile(A, ...RUN));
  fs.symlinkSync('/etc/passwd', snapshotOf(followed));
  const first = await followed.run('runs');
  expect(first).toMatchObject({ code: 0 });
  expect(first.stderr).toContain(
    `${snapshotOf(followed)} is not used: it is a symbolic link; the log is read`,
  );
  expect((await followed.run('runs')).stderr).not.toContain('not used');
  const refused = await followed.run('snapshot');
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toContain(`${snapshotOf(followed)} is a symbolic link, and is not replaced`);
});

test('watch publishes one at once, again when there is something new, and at the end', async () => {
  const followed = new Followed(writerFile(A, ...RUN), OPEN);
  const watch = await followed.watch(['--snapshot', '--every', '1s']);
  const snapshot = snapshotOf(followed);
  const points = (): number => {
    const db = openReadOnly(snapshot);
    try {
      return Number(db.prepare('SELECT count(*) FROM run_metrics').pluck().get());
    } finally {
      db.close();
    }
  };
  await until('the first is there', () => fs.existsSync(snapshot));
  expect(points()).toBe(3);
  const { ino } = fs.statSync(snapshot);
  followed.ledger.append(OPEN.path, `${text(metric(3))}\n`);
  await until('the next is there', () => fs.statSync(snapshot).ino !== ino);
  expect(points()).toBe(4);
  followed.ledger.append(OPEN.path, `${text(metric(4))}\n`);
  await followed.untilPoints(5);
  watch.kill('SIGTERM');
  expect(await watch.ended).toMatchObject({ code: 0 });
  expect(points()).toBe(5);
  expect(halves(followed)).toEqual([]);
});

test('a place where none can be put is said once, and the log is followed all the same', async () => {
  const followed = new Followed(OPEN);
  const target = path.join(followed.ledger.root, 'folder');
  fs.mkdirSync(target);
  const watch = await followed.watch(['--snapshot', target, '--every', '1s']);
  await watch.says(`snapshots: ${target} is no regular file, and is not replaced; trying again`);
  followed.ledger.append(OPEN.path, `${text(metric(3))}\n`);
  await followed.untilPoints(3);
  fs.rmdirSync(target);
  await watch.says('snapshots: are made again');
  expect(watch.stderr.match(/trying again/g)).toHaveLength(1);
  watch.kill('SIGTERM');
  expect(await watch.ended).toMatchObject({ code: 0 });
});

test('--every without --snapshot is a mistake', async () => {
  const { code, stderr } = await new Followed().run('watch', '--every', '5s');
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('--every goes with') });
  // said before the log is looked for, which may hang or not be there
  const away = await runCliProcess(['watch', '--every', '5s', '--ledger', '/nonexistent']);
  expect(away).toMatchObject({ code: 2, stderr: expect.stringContaining('--every goes with') });
});

const python = pythonWith();

test.skipIf(python === undefined)('Python reads it where there is no database of its own', async () => {
  const followed = new Followed(writerFile(A, ...RUN), OPEN);
  await followed.run('snapshot');
  const read = (): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(
      python ?? '',
      ['-c', 'import runfold, sys; db = runfold.read(); print(len(db.metrics(view="all")), db.path)'],
      { env: cleanEnv({ PYTHONPATH: PYTHON_CLIENT, RUNFOLD_DIR: followed.ledger.root }), encoding: 'utf8' },
    );
  expect(read()).toMatchObject({ stderr: '', stdout: `3 ${snapshotOf(followed)}\n` });
  // not one that a link leads to
  fs.renameSync(snapshotOf(followed), followed.ledger.path('other.db'));
  fs.symlinkSync(followed.ledger.path('other.db'), snapshotOf(followed));
  expect(read().stderr).toContain('RunfoldError: there is no database of');
});
