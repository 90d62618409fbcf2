import Database from 'better-sqlite3';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ProjectorLock } from '../../src/db/lock.ts';
import { prepareDatabaseDirectory } from '../../src/db/location.ts';
import { openForBuilding, openForWriting, openReadOnly, type Db } from '../../src/db/open.ts';
import { APPLICATION_ID, PUBLIC_TABLES, SCHEMA_VERSION } from '../../src/db/schema.ts';
import { tempDir } from '../events/temp-dir.ts';

function newFile(): string {
  return path.join(tempDir(), 'runs.db');
}

/** One that was made, filled a little and closed. */
function madeDatabase(): string {
  const file = newFile();
  openForWriting(file).close();
  return file;
}

function changed(file: string, change: (db: Db) => void): string {
  const db = new Database(file);
  change(db);
  db.close();
  return file;
}

function foreignDatabase(): string {
  return changed(newFile(), (db) => {
    db.exec('CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES (1)');
    db.pragma('user_version = 12');
  });
}

const OPENERS = { openForWriting, openForBuilding, openReadOnly };

test('whatever the umask, the directory is 0700 and every file is 0600', () => {
  const umask = process.umask(0);
  onTestFinished(() => void process.umask(umask));
  const file = path.join(tempDir(), 'new', 'place', 'runs.db');
  prepareDatabaseDirectory(file, process.getuid?.() ?? 0);
  using lock = ProjectorLock.acquire(file, { host: 'h', pid: 1, since: 's', purpose: 'p' });
  const db = openForWriting(file);
  onTestFinished(() => void db.close());
  db.exec("INSERT INTO _projection (id, ledger_id, ledger_path) VALUES (1, 'x', 'y')");

  const modeOf = (name: string): string => (fs.statSync(name).mode & 0o777).toString(8);
  expect(modeOf(path.dirname(file))).toBe('700');
  const modes = ['', '-wal', '-shm', '.lock'].map((suffix) => [suffix, modeOf(file + suffix)]);
  expect(modes).toEqual([['', '600'], ['-wal', '600'], ['-shm', '600'], ['.lock', '600']]); // prettier-ignore
  expect(lock).toBeDefined();
});

test('a new file gets the tables, the application id and the version, and is written in WAL mode', () => {
  const file = newFile();
  const db = openForWriting(file);
  onTestFinished(() => void db.close());
  expect(db.pragma('application_id', { simple: true })).toBe(APPLICATION_ID);
  expect(db.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION);
  expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
  expect(db.pragma('trusted_schema', { simple: true })).toBe(0);
  expect(db.pragma('busy_timeout', { simple: true })).toBe(5000);
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all();
  expect(tables).toEqual(expect.arrayContaining([...PUBLIC_TABLES]));
});

test('a file that is being built has no journal on the disk, and can take a transaction back', () => {
  const file = newFile();
  const db = openForBuilding(file);
  onTestFinished(() => void db.close());
  db.exec('BEGIN IMMEDIATE');
  db.exec("INSERT INTO _projection (id, ledger_id, ledger_path) VALUES (1, 'x', 'y')");
  expect(fs.readdirSync(path.dirname(file))).toEqual([path.basename(file)]);
  db.exec('ROLLBACK');
  expect(db.prepare('SELECT count(*) FROM _projection').pluck().get()).toBe(0);
});

test('reading makes no file and writes none', () => {
  const missing = newFile();
  expect(() => openReadOnly(missing)).toThrow(expect.objectContaining({ code: 'database_missing' }));
  expect(fs.readdirSync(path.dirname(missing))).toEqual([]);

  const db = openReadOnly(madeDatabase());
  onTestFinished(() => void db.close());
  expect(() => db.exec('DELETE FROM _files')).toThrow(/readonly/);
});

test.each(Object.keys(OPENERS) as (keyof typeof OPENERS)[])(
  '%s: a newer version is refused, an older one too',
  (name) => {
    const newer = changed(madeDatabase(), (db) => db.pragma(`user_version = ${SCHEMA_VERSION + 1}`));
    const older = changed(madeDatabase(), (db) => db.pragma(`user_version = ${SCHEMA_VERSION - 1}`));
    const before = [fs.readFileSync(newer), fs.readFileSync(older)];
    expect(() => OPENERS[name](newer)).toThrow(expect.objectContaining({ code: 'database_newer' }));
    expect(() => OPENERS[name](older)).toThrow(expect.objectContaining({ code: 'database_outdated' }));
    expect([fs.readFileSync(newer), fs.readFileSync(older)]).toEqual(before);
  },
);

test.each(Object.keys(OPENERS) as (keyof typeof OPENERS)[])(
  '%s: the database of another program is not touched',
  (name) => {
    const file = foreignDatabase();
    const before = fs.readFileSync(file);
    expect(() => OPENERS[name](file)).toThrow(expect.objectContaining({ code: 'database_unsafe' }));
    expect(fs.readFileSync(file)).toEqual(before);
    expect(fs.readdirSync(path.dirname(file))).toEqual(['runs.db']);
  },
);

test.each(Object.keys(OPENERS) as (keyof typeof OPENERS)[])(
  '%s: what is no database is damaged, and not touched',
  (name) => {
    const file = newFile();
    fs.writeFileSync(file, 'Dear diary, this is longer than the hundred bytes of a header. '.repeat(100));
    const before = fs.readFileSync(file);
    expect(() => OPENERS[name](file)).toThrow(expect.objectContaining({ code: 'database_corrupt' }));
    expect(fs.readFileSync(file)).toEqual(before);
  },
);

test('a file that was cut off is damaged', () => {
  const file = madeDatabase();
  fs.truncateSync(file, 5000);
  expect(() => openReadOnly(file)).toThrow(expect.objectContaining({ code: 'database_corrupt' }));
  expect(() => openForWriting(file)).toThrow(expect.objectContaining({ code: 'database_corrupt' }));
});

test.each([
  ['an empty file', (file: string) => fs.writeFileSync(file, '')],
  [
    'a file with a header and no tables',
    (file: string) => void changed(file, (db) => db.pragma('journal_mode = WAL')),
  ],
])('%s, as a kill right at the start leaves it, is no database yet', (_, make) => {
  const file = newFile();
  make(file);
  expect(() => openReadOnly(file)).toThrow(expect.objectContaining({ code: 'database_missing' }));
  openForWriting(file).close();
  openReadOnly(file).close();
});

test('a connection that failed to open is closed', () => {
  const file = foreignDatabase();
  expect(() => openForWriting(file)).toThrow();
  const open = fs.readdirSync('/proc/self/fd').map((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // the one with which the directory was read
      return '';
    }
  });
  expect(open).not.toContain(file);
});
