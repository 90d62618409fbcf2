// Where the database lives, who may open it, and what becomes of one of another version.
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { databasePath, prepareDatabaseDirectory } from '../../src/db/location.ts';
import { openForWriting, openReadOnly } from '../../src/db/open.ts';
import { APPLICATION_ID, SCHEMA_VERSION } from '../../src/db/schema.ts';
import { Projector } from '../../src/projector/projector.ts';
import type { PassProgress } from '../../src/projector/pass-result.ts';
import { rebuild } from '../../src/projector/rebuild.ts';
import { RUN, A, created, metric, writerFile } from '../helpers/lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';

const UID = process.getuid?.() ?? 0;
const NFS = 0x6969;

function tempDir(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'runfold-db-'));
  onTestFinished(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function pragma(file: string, name: string, value?: number): unknown {
  const db = new Database(file);
  const answer = db.pragma(value === undefined ? name : `${name} = ${value}`, { simple: true });
  db.close();
  return answer;
}

describe('the place', () => {
  test('a path on a network file system is refused with an error that names a local default', () => {
    const file = path.join(tempDir(), 'x.db');
    let error: unknown;
    try {
      prepareDatabaseDirectory(file, UID, () => ({ type: NFS }));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({
      code: 'database_on_network',
      message: expect.stringContaining('NFS') as string,
    });
    expect((error as { hint: string }).hint).toContain(`/var/tmp/runfold-${UID}/`);
    expect(() => prepareDatabaseDirectory(file, UID, () => ({ type: 0xef53 }))).not.toThrow();
  });

  test('--db, RUNFOLD_DB, else /var/tmp/runfold-<uid>/<ledger_id>.db', () => {
    const asked = { ledgerId: 'id', uid: 7 };
    expect(databasePath({ ...asked, env: {} })).toBe('/var/tmp/runfold-7/id.db');
    expect(databasePath({ ...asked, env: { RUNFOLD_DB: '/e.db' } })).toBe('/e.db');
    expect(databasePath({ ...asked, env: { RUNFOLD_DB: '/e.db' }, explicit: '/x.db' })).toBe('/x.db');
  });

  test('directory 0700, owner checked, no symlinks', () => {
    const base = tempDir();
    const directory = path.join(base, `runfold-${UID}`);
    const file = path.join(directory, 'id.db');
    prepareDatabaseDirectory(file, UID);
    expect(fs.statSync(directory).mode & 0o777).toBe(0o700);

    const refused = { code: 'database_unsafe' };
    fs.chmodSync(directory, 0o750);
    expect(() => prepareDatabaseDirectory(file, UID)).toThrow(expect.objectContaining(refused));
    fs.chmodSync(directory, 0o700);
    const others = path.join(base, `runfold-${UID + 1}`);
    fs.mkdirSync(others, { mode: 0o700 });
    expect(() => prepareDatabaseDirectory(path.join(others, 'id.db'), UID + 1)).toThrow(
      expect.objectContaining(refused),
    );
    fs.symlinkSync('/etc/passwd', file);
    expect(() => prepareDatabaseDirectory(file, UID)).toThrow(expect.objectContaining(refused));
    fs.renameSync(directory, path.join(base, 'real'));
    fs.symlinkSync(path.join(base, 'real'), directory);
    fs.rmSync(path.join(base, 'real', 'id.db'));
    expect(() => prepareDatabaseDirectory(file, UID)).toThrow(expect.objectContaining(refused));
  });
});

describe('opening', () => {
  test('where there is none, the first read builds it, with progress', async () => {
    const points = Array.from({ length: 500 }, (_, index) => metric(index));
    const ledger = new TempLedger(writerFile(A, created(0), ...points));
    const file = path.join(tempDir(), 'new.db');
    const db = openForWriting(file);
    const progress: PassProgress[] = [];
    await new Projector(db, ledger.info, ledger.storage, systemClock).pass({
      onProgress: (now) => progress.push(now),
    });
    expect(db.prepare('SELECT points FROM run_results WHERE run_id = ?').pluck().get(RUN)).toBe(500);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    db.close();
    const size = fs.statSync(ledger.path(writerFile(A).path)).size;
    expect(progress.at(-1)).toEqual({ bytesDone: size, bytesTotal: size, lines: 502 });
  });

  test('what opens the live file for writing has SQLite 3.51.3 or newer, asserted at open', () => {
    const version = String(new Database(':memory:').prepare('SELECT sqlite_version()').pluck().get());
    const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
    expect(major * 1_000_000 + minor * 1000 + patch).toBeGreaterThanOrEqual(3_051_003);
    // an older one cannot be had here, so its answer is put in its place
    const prepare = Database.prototype.prepare;
    onTestFinished(() => {
      Database.prototype.prepare = prepare;
    });
    for (const [old, isSafe] of [
      ['3.51.2', false],
      ['3.50.9', false],
      ['3.51.3', true],
      ['4.0.0', true],
    ] as const) {
      Database.prototype.prepare = function (this: Database.Database, sql: string) {
        return prepare.call(this, sql.replaceAll('sqlite_version()', `'${old}'`));
      } as typeof prepare;
      const open = (): void => {
        openForWriting(':memory:').close();
      };
      if (isSafe) expect(open, old).not.toThrow();
      else expect(open, old).toThrow(expect.objectContaining({ code: 'sqlite_too_old' }));
    }
  });

  test('application_id and user_version are set', () => {
    const file = path.join(tempDir(), 'x.db');
    openForWriting(file).close();
    expect([pragma(file, 'application_id'), pragma(file, 'user_version')]).toEqual([
      APPLICATION_ID,
      SCHEMA_VERSION,
    ]);
    expect(APPLICATION_ID).not.toBe(0);
    // another program’s database is not written to
    const other = path.join(tempDir(), 'other.db');
    const foreign = new Database(other);
    foreign.exec('CREATE TABLE theirs (x)');
    foreign.close();
    expect(() => openForWriting(other)).toThrow(expect.objectContaining({ code: 'database_unsafe' }));
  });

  test('a new schema version is rebuilt into a new file, not altered; a newer one is refused', async () => {
    const ledger = new TempLedger(writerFile(A, created(0), metric(1)));
    const file = path.join(tempDir(), 'x.db');
    openForWriting(file).close();
    pragma(file, 'user_version', SCHEMA_VERSION - 1);
    for (const open of [openForWriting, openReadOnly]) {
      expect(() => open(file)).toThrow(expect.objectContaining({ code: 'database_outdated' }));
    }
    await rebuild(file, { ledger: ledger.info, storage: ledger.storage, clock: systemClock });
    const db = openReadOnly(file);
    expect(db.prepare('SELECT points FROM run_results').pluck().all()).toEqual([1]);
    db.close();
    expect(fs.readdirSync(path.dirname(file)).filter((name) => name.includes('build'))).toEqual([]);

    pragma(file, 'user_version', SCHEMA_VERSION + 1);
    for (const open of [openForWriting, openReadOnly]) {
      expect(() => open(file)).toThrow(expect.objectContaining({ code: 'database_newer' }));
    }
    const options = { ledger: ledger.info, storage: ledger.storage, clock: systemClock };
    await expect(rebuild(file, options)).rejects.toMatchObject({ code: 'database_newer' });
  });
});
