// The lock within one process; test/process/lock.test.ts has it between processes.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { lockHolder, ProjectorLock, type Holder } from '../../src/db/lock.ts';
import { tempDir } from '../events/temp-dir.ts';

const FIRST: Holder = { host: 'login1', pid: 11, since: '2026-11-23T10:00:00.000Z', purpose: 'watch' };
const SECOND: Holder = { host: 'login2', pid: 22, since: '2026-11-23T11:00:00.000Z', purpose: 'sync' };

test('it is held by one, who can be named, until it is released', () => {
  const file = path.join(tempDir(), 'runs.db');
  expect(lockHolder(file)).toBeUndefined();
  const lock = ProjectorLock.acquire(file, FIRST);
  expect(lockHolder(file)).toEqual(FIRST);
  expect(() => ProjectorLock.acquire(file, SECOND)).toThrow(
    expect.objectContaining({
      code: 'projector_running',
      message: `watch of pid 11 on login1, since 2026-11-23T10:00:00.000Z, holds ${file}`,
      cause: FIRST,
    }) as Error,
  );
  expect(lockHolder(file)).toEqual(FIRST);
  lock.release();
  lock.release();
  expect(lockHolder(file)).toBeUndefined();

  using again = ProjectorLock.acquire(file, SECOND);
  expect(lockHolder(file)).toEqual(SECOND);
  expect(again).toBeDefined();
});

test('it leaves the database alone: there need not be one', () => {
  const file = path.join(tempDir(), 'runs.db');
  ProjectorLock.acquire(file, FIRST).release();
  expect(fs.readdirSync(path.dirname(file))).toEqual(['runs.db.lock']);
});

test('two databases in one directory have two locks', () => {
  const directory = tempDir();
  using a = ProjectorLock.acquire(path.join(directory, 'a.db'), FIRST);
  using b = ProjectorLock.acquire(path.join(directory, 'b.db'), SECOND);
  expect([a, b]).toHaveLength(2);
});

test('a lock file that is no such thing is named, with what to do about it', () => {
  const file = path.join(tempDir(), 'runs.db');
  fs.writeFileSync(`${file}.lock`, 'x'.repeat(5000));
  for (const use of [() => ProjectorLock.acquire(file, FIRST), () => lockHolder(file)]) {
    expect(use).toThrow(
      expect.objectContaining({
        code: 'database_unsafe',
        message: expect.stringContaining(`${file}.lock`) as string,
        hint: expect.stringMatching(/[Rr]emove/) as string,
      }) as Error,
    );
  }
});
