import fc from 'fast-check';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { databasePath, prepareDatabaseDirectory } from '../../src/db/location.ts';
import { tempDir } from '../events/temp-dir.ts';

const UID = process.getuid?.() ?? 0;
const ID = '0d9be0ab-3a35-4d6b-8f5c-2f4f7f7a1c11';
const UNSAFE = expect.objectContaining({ code: 'database_unsafe' }) as Error;

test('--db comes before RUNFOLD_DB, and that before the default of this user and ledger', () => {
  const common = { ledgerId: ID, uid: 1234, cwd: '/home/ada' };
  expect(databasePath({ ...common, explicit: '/a.db', env: { RUNFOLD_DB: '/b.db' } })).toBe('/a.db');
  expect(databasePath({ ...common, env: { RUNFOLD_DB: '/b.db' } })).toBe('/b.db');
  const fallback = `/var/tmp/runfold-1234/${ID}.db`;
  expect(databasePath({ ...common, env: {} })).toBe(fallback);
  expect(databasePath({ ...common, env: { RUNFOLD_DB: '' } })).toBe(fallback);
  expect(databasePath({ ...common, explicit: '', env: { RUNFOLD_DB: '/b.db' } })).toBe('/b.db');
});

test('a relative path is relative to the working directory', () => {
  const common = { ledgerId: ID, uid: 1234, cwd: '/home/ada' };
  expect(databasePath({ ...common, explicit: 'x/../a.db', env: {} })).toBe('/home/ada/a.db');
  expect(databasePath({ ...common, env: { RUNFOLD_DB: 'b.db' } })).toBe('/home/ada/b.db');
});

function defaultFile(uid = UID): string {
  return path.join(tempDir(), `runfold-${uid}`, `${ID}.db`);
}

test('the directory is made, for the user alone', () => {
  const file = defaultFile();
  prepareDatabaseDirectory(file, UID);
  prepareDatabaseDirectory(file, UID);
  expect(fs.statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
});

test('a default directory is fit if and only if others can do nothing in it', () => {
  const file = defaultFile();
  fs.mkdirSync(path.dirname(file));
  fc.assert(
    fc.property(
      fc.oneof(fc.nat({ max: 0o777 }), fc.constantFrom(0o700, 0o710, 0o701, 0o755, 0o777)),
      (mode) => {
        fs.chmodSync(path.dirname(file), mode);
        const prepare = (): void => prepareDatabaseDirectory(file, UID);
        if ((mode & 0o077) === 0) expect(prepare).not.toThrow();
        else expect(prepare).toThrow(UNSAFE);
      },
    ),
  );
});

test('a default directory of somebody else is refused', () => {
  const file = defaultFile(UID + 1);
  fs.mkdirSync(path.dirname(file), { mode: 0o700 });
  expect(() => prepareDatabaseDirectory(file, UID + 1)).toThrow(UNSAFE);
});

test.each([
  ['a link to a directory', (at: string) => fs.symlinkSync(tempDir(), at)],
  ['a link to nothing', (at: string) => fs.symlinkSync(`${at}-elsewhere`, at)],
  ['a file', (at: string) => fs.writeFileSync(at, '')],
])('%s in the place of the default directory is refused, and nothing is made', (_, put) => {
  const file = defaultFile();
  put(path.dirname(file));
  expect(() => prepareDatabaseDirectory(file, UID)).toThrow(UNSAFE);
  expect(fs.readdirSync(path.dirname(path.dirname(file)))).toEqual([`runfold-${UID}`]);
});

test.each(['', '.lock', '-wal', '-shm'])(
  'a link in the place of the database’s %s file is refused',
  (suffix) => {
    const target = path.join(tempDir(), 'precious');
    for (const exists of [false, true]) {
      const file = path.join(tempDir(), 'runs.db');
      if (exists) fs.writeFileSync(target, 'precious');
      fs.symlinkSync(target, file + suffix);
      expect(() => prepareDatabaseDirectory(file, UID)).toThrow(UNSAFE);
    }
  },
);

test('a directory that the user has named may be open to others', () => {
  const directory = tempDir();
  fs.chmodSync(directory, 0o755);
  expect(() => prepareDatabaseDirectory(path.join(directory, 'runs.db'), UID)).not.toThrow();
});

test('a network file system is refused with a place that is none', () => {
  const file = path.join(tempDir(), 'runs.db');
  const nfs = (): { type: number } => ({ type: 0x6969 });
  expect(() => prepareDatabaseDirectory(file, UID, nfs)).toThrow(
    expect.objectContaining({
      code: 'database_on_network',
      message: expect.stringMatching(/is on NFS/) as string,
      hint: expect.stringContaining(`/var/tmp/runfold-${UID}/`) as string,
    }) as Error,
  );
});
