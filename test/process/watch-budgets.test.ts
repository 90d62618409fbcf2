// `runfold watch` on a leash: so much processor time, so many calls to the storage.
import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import { DEFAULT_CALLS_PER_FILE, LEAST_FILES } from '../../src/projector/call-budget.ts';
import { A, B, closed, created, file, metric, writerFile } from '../helpers/lines.ts';
import { Followed } from './followed.ts';
import { until } from './until.ts';

test('--cpu-budget: it ends clean when the time is used up, and the next one goes on from there', async () => {
  const followed = new Followed(writerFile(A, created(0)));
  const { path } = writerFile(A);
  const watch = await followed.watch(['--cpu-budget', '1s']);
  let written = 0;
  await until('it has ended by itself', async () => {
    const lines = Array.from({ length: 500 }, () => {
      written += 1;
      return { ...metric(written, { step: written }), seq: written + 2 };
    });
    followed.ledger.append(path, file(path, ...lines).bytes);
    return watch.stderr.includes('used up');
  });
  expect(await watch.ended).toMatchObject({ code: 0, signal: null, stdout: '' });
  expect(watch.stderr).toMatch(
    /^1 s of processor time are used up \(--cpu-budget\): the next one goes on from here$/m,
  );
  expect(watch.stderr).toMatch(/^ended; [\d,]+ events? applied$/m);
  expect([fs.existsSync(`${followed.db}-wal`), fs.existsSync(`${followed.db}-shm`)]).toEqual([false, false]);
  expect(await followed.run('sync')).toMatchObject({ code: 0 });
  expect(followed.points).toBe(written);
  expect(await followed.runJson('verify')).toMatchObject({ differenceCount: 0, leftOut: [] });
});

test('--cpu-budget that a start alone uses up is refused: the next one would get no further', async () => {
  const followed = new Followed(writerFile(A, created(0)));
  for (const value of ['0', '0.1s', '-1', 'many', '']) {
    expect(await followed.run('watch', '--cpu-budget', value), value).toMatchObject({ code: 2 });
  }
});

test('status says how many calls the storage has had from watch, and how many it may have', async () => {
  const followed = new Followed(writerFile(A, created(0)), writerFile(B, created(1), closed(2, 2)));
  const calls = async (): Promise<Record<string, unknown> | null> => {
    const report = (await followed.runJson('status', '--no-sync')) as {
      calls: Record<string, unknown> | null;
    };
    return report.calls;
  };
  const watch = await followed.watch(['--calls-per-file', '30']);
  await watch.says('new event');
  const counted = await until('the calls are written down', calls);
  expect(counted).toMatchObject({ per_file: 30, budget: 30 * LEAST_FILES });
  expect(counted['calls']).toBeGreaterThan(0);
  const { stdout } = await followed.run('status', '--no-sync');
  expect(stdout).toMatch(
    /^calls {6}\d+ to the storage in the minute before [\d:]{8} UTC, at most 300 \(30 for each live file\)$/m,
  );
  watch.kill('SIGTERM');
  expect(await watch.ended).toMatchObject({ code: 0 });
  // what it once did says nothing of now
  expect(await calls()).toBeNull();
});

test('--calls-per-file below what one look needs is refused, and so is what is no number', async () => {
  const followed = new Followed(writerFile(A, created(0)));
  for (const value of ['19', '-1', 'many', '']) {
    expect(await followed.run('watch', '--calls-per-file', value)).toMatchObject({ code: 2 });
  }
  const { stdout } = await followed.run('watch', '--help');
  expect(stdout.replace(/\s+/g, ' ')).toContain(
    `default: ${DEFAULT_CALLS_PER_FILE} on a network file system`,
  );
});
