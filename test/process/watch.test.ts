// `runfold watch` as a user runs it, beside real writers, readers and people who move files about.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import { openReadOnly } from '../../src/db/open.ts';
import { tempDir } from '../events/temp-dir.ts';
import {
  A, B, C, closed, created, DAY, file, metric, notes, NOTES, status, writerFile,
} from '../helpers/lines.ts'; // prettier-ignore
import { startScript, writeScript } from './cli-process.ts';
import { Followed } from './followed.ts';
import { until } from './until.ts';

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it with 0 and an empty -wal', async (signal) => {
  const followed = new Followed(writerFile(A, created(0), metric(1)));
  const watch = await followed.watch();
  await followed.untilPoints(1);
  // the reader's connection keeps the -wal file alive
  watch.kill(signal);
  expect(await watch.ended).toMatchObject({ code: 0, signal: null, stdout: '' });
  expect(watch.stderr).toContain('ended; 2 events applied');
  expect(followed.walBytes).toBe(0);
  expect(followed.points).toBe(1);
});

test('without a reader no -wal and no -shm are left', async () => {
  const followed = new Followed(writerFile(A, created(0)));
  const watch = await followed.watch();
  await watch.says('1 new event');
  watch.kill('SIGTERM');
  expect(await watch.ended).toMatchObject({ code: 0 });
  expect([fs.existsSync(`${followed.db}-wal`), fs.existsSync(`${followed.db}-shm`)]).toEqual([false, false]);
});

test('a signal in the middle of the first pass ends it too', async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => metric(index, { step: index }));
  const followed = new Followed(...[A, B, C].map((id) => writerFile(id, ...lines)));
  const watch = await followed.watch();
  watch.kill('SIGTERM');
  expect(await watch.ended).toMatchObject({ code: 0 });
  expect(await followed.run('sync')).toMatchObject({ code: 0 });
  expect(followed.points).toBe(60_000);
});

/** Every point says its step, so that a lost or doubled one shows. */
const WRITER = `
const [ledger, seed] = process.argv.slice(2);
const run = RunLogger.create({ ledger, dataset: 'd', method: 'm', seed: Number(seed) });
for (let step = 0; step < 60; step += 1) {
  run.log({ loss: 1 / (step + 1) }, { step });
  await new Promise((resolve) => setTimeout(resolve, 5));
}
await run.close({ results: { acc: 1 } });
`;

test('what real writers append while it runs appears, and a reader never sees half of it', async () => {
  const followed = new Followed();
  const watch = await followed.watch();
  const script = writeScript(tempDir(), { 'logger.js': 'RunLogger' }, WRITER);
  const writers = [1, 2, 3, 4].map((seed) => startScript(script, [followed.ledger.root, String(seed)]));

  let points = 0;
  await until('the runs are completed', () => {
    const seen = look(followed);
    expect(seen.points).toBeGreaterThanOrEqual(points);
    expect(seen.inResults).toBe(seen.ofRuns);
    points = seen.points;
    return seen.completed === 4;
  });
  for (const writer of writers) expect(await writer.ended).toMatchObject({ code: 0, stderr: '' });
  await followed.untilPoints(240);
  expect(followed.number('SELECT count(DISTINCT run_id || step) FROM run_metrics')).toBe(240);
  watch.kill('SIGINT');
  expect(await watch.ended).toMatchObject({ code: 0 });
  expect(await followed.runJson('verify')).toMatchObject({ differenceCount: 0, leftOut: [] });
});

/** In one transaction: rows and what is summed up of them belong together. */
function look(followed: Followed): Record<'points' | 'ofRuns' | 'inResults' | 'completed', number> {
  const db = followed.reader;
  return db.transaction(() => ({
    points: followed.points,
    ofRuns: followed.number(
      'SELECT count(*) FROM run_metrics WHERE run_id IN (SELECT run_id FROM experiment_runs)',
    ),
    inResults: followed.number('SELECT ifnull(sum(points), 0) FROM run_results'),
    completed: followed.number("SELECT count(*) FROM experiment_runs WHERE status = 'completed'"),
  }))();
}

test('new folders, of whatever day, and files renamed into place are found', async () => {
  const followed = new Followed(writerFile(A, created(0)));
  const { ledger } = followed;
  const watch = await followed.watch();
  await watch.says('1 new event');

  const today = new Date().toISOString().slice(0, 10);
  ledger.write(`events/${today}/new.ndjson`, notes(metric(1)).bytes);
  await followed.untilPoints(1);
  ledger.write('events/2019-05-05/old.ndjson', notes(metric(2)).bytes);
  await followed.untilPoints(2);
  ledger.write('events/somebody/own.ndjson', notes(metric(3)).bytes);
  await followed.untilPoints(3);

  const draft = `${tempDir()}/draft`;
  fs.writeFileSync(draft, writerFile(B, metric(4), closed(5, 2)).bytes);
  fs.renameSync(draft, ledger.path(writerFile(B).path));
  await followed.untilPoints(4);

  // misplaced, until somebody does what doctor says
  const wrong = `events/${DAY}/${C}-copied.ndjson`;
  ledger.write(wrong, writerFile(C, metric(6)).bytes);
  await until('the wrong name is said', async () =>
    (await followed.findings()).some(({ kind }) => kind === 'misplaced'),
  );
  fs.renameSync(ledger.path(wrong), ledger.path(writerFile(C).path));
  await followed.untilPoints(5);
  await until('nothing is misplaced', async () =>
    (await followed.findings()).every(({ kind }) => kind !== 'misplaced'),
  );
});

test('a file that is renamed while it is noticed leaves nothing behind', async () => {
  const followed = new Followed(notes(metric(0)));
  const { ledger } = followed;
  const watch = await followed.watch();
  await followed.untilPoints(1);
  const FILES = 40;
  for (let nth = 1; nth <= FILES; nth += 1) {
    const draft = ledger.path(`events/${DAY}/draft-${nth}.ndjson`);
    fs.writeFileSync(draft, notes(metric(nth)).bytes);
    // some are noticed under their first name and some are not
    await new Promise((resolve) => void setTimeout(resolve, nth % 8));
    fs.renameSync(draft, ledger.path(`events/${DAY}/final-${nth}.ndjson`));
  }
  await until(
    'all are there',
    () => followed.number("SELECT count(*) FROM run_metrics WHERE writer LIKE '%final%'") === FILES,
  );
  await until('the drafts are forgotten or reported as gone', async () => {
    const findings = await followed.findings();
    return findings.every(
      ({ kind, what }) => kind === 'orphan' || (kind === 'missing' && /^gone .* its 1 events/.test(what)),
    );
  });
  watch.kill('SIGTERM');
  expect(await watch.ended).toMatchObject({ code: 0 });
});

test('a ledger that is away is said once; when it is back it works again', async () => {
  const followed = new Followed(notes(metric(1)));
  const { ledger } = followed;
  const sentinel = ledger.path('ledger.json');
  const watch = await followed.watch();
  await followed.untilPoints(1);

  fs.renameSync(sentinel, `${sentinel}.away`);
  ledger.append(NOTES, notes(metric(2)).bytes);
  await watch.says(/trouble: no log at .*; trying again/);
  // long enough for several more tries, all of them in vain and none of them said
  const quietFrom = performance.now();
  await until('it has tried again', () => {
    ledger.append(NOTES, '\n');
    expect(followed.points).toBe(1);
    return performance.now() > quietFrom + 3000;
  });
  expect(watch.stderr.match(/trouble/g)).toHaveLength(1);

  fs.renameSync(`${sentinel}.away`, sentinel);
  await watch.says('it works again');
  await followed.untilPoints(2);
  fs.renameSync(sentinel, `${sentinel}.away`);
  await until('it is said again', () => watch.stderr.match(/trouble/g)?.length === 2);
  watch.kill('SIGTERM');
  expect(await watch.ended).toMatchObject({ code: 0 });
});

test('killed and started again it goes on where it was', async () => {
  const followed = new Followed(writerFile(A, created(0), status(0, 'running')));
  const { path } = writerFile(A);
  let written = 0;
  for (let round = 1; round <= 4; round += 1) {
    const watch = await followed.watch();
    for (let nth = 0; nth < 50; nth += 1) {
      written += 1;
      followed.ledger.append(
        path,
        file(path, { ...metric(written, { step: written }), seq: written + 3 }).bytes,
      );
    }
    await followed.untilPoints(written - 25);
    await watch.destroy();
  }
  expect(await followed.run('sync')).toMatchObject({ code: 0, stderr: '' });
  expect(followed.points).toBe(written);
  expect(await followed.runJson('verify')).toMatchObject({ differenceCount: 0, leftOut: [] });
  const reader = openReadOnly(followed.db);
  expect(reader.pragma('integrity_check', { simple: true })).toBe('ok');
  reader.close();
});

test('a FIFO and a link that pose as event files hold nothing up and are named by doctor', async () => {
  const followed = new Followed(notes(metric(0)));
  const { ledger } = followed;
  execFileSync('mkfifo', [ledger.path(`events/${DAY}/first.ndjson`)]);
  const watch = await followed.watch();
  await followed.untilPoints(1);
  execFileSync('mkfifo', [
    ledger.path(`events/${DAY}/${A}-h-1.ndjson`),
    ledger.path(`events/${DAY}/second.ndjson`),
  ]);
  fs.symlinkSync('/etc/passwd', ledger.path(`events/${DAY}/link.ndjson`));
  for (let nth = 1; nth <= 5; nth += 1) {
    ledger.append(NOTES, notes(metric(nth)).bytes);
    await followed.untilPoints(nth + 1);
  }
  const strange = (await followed.findings()).filter(({ kind }) => kind !== 'orphan');
  expect(strange.map(({ kind, where, what }) => [kind, where.slice(`events/${DAY}/`.length), what])).toEqual([
    ['stranger', `${A}-h-1.ndjson`, 'not read: FIFO'],
    ['stranger', 'first.ndjson', 'not read: FIFO'],
    ['stranger', 'link.ndjson', 'not read: symbolic link'],
    ['stranger', 'second.ndjson', 'not read: FIFO'],
  ]);
  watch.kill('SIGTERM');
  expect(await watch.ended).toMatchObject({ code: 0 });
});
