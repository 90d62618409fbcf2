// Opening the database file: for the one projector that writes it, and for everyone who reads.
import Database from 'better-sqlite3';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { errnoOf, messageOf, RunfoldError } from '../errors.ts';
import { createPrivately } from './private-file.ts';
import { APPLICATION_ID, SCHEMA_SQL, SCHEMA_VERSION } from './schema.ts';
import { databaseTrouble } from './trouble.ts';

export type Db = Database.Database;

/** SQLite's name for a database that is nowhere but in memory. */
export const IN_MEMORY = ':memory:';

/** Before 3.51.3 a checkpoint beside another connection could corrupt a WAL database. */
const OLDEST_SAFE_SQLITE = [3, 51, 3] as const;

const PRAGMAS_OF_ALL = [
  // a reader or a checkpoint may hold the file for a moment
  'busy_timeout = 5000',
  // the file may have been tampered with; nothing in our schema needs functions in views or triggers
  'trusted_schema = OFF',
];

const PRAGMAS_FOR_WRITING = [
  // readers go on while the projector writes
  'journal_mode = WAL',
  // a power cut may lose the last commits but never consistency, and the log still has them
  'synchronous = NORMAL',
  // 16 MiB: what many files that grow write again and again goes into the database file once for all of it
  'wal_autocheckpoint = 4096',
  // 32 MiB: the right edges of the series that a batch appends to
  'cache_size = -32768',
  // after a burst the WAL file goes back to this size at the next checkpoint
  'journal_size_limit = 67108864',
];

/** For a file that is thrown away if its making is cut off: no journal on the disk, and no sync. */
const PRAGMAS_FOR_BUILDING = [
  // OFF is not to be had: better-sqlite3 has SQLite ignore it, and a transaction that fails could not be taken back
  'journal_mode = MEMORY',
  'synchronous = OFF',
  // 8 MiB: rows come by the thousand for the same place, and more memory takes longer to get than it saves
  'cache_size = -8192',
];

/**
 * Opens the live database for writing and makes its tables if the file is new (mode 0600).
 *
 * @throws RunfoldError `sqlite_too_old`, `database_not_writable`, `database_corrupt` (damaged, or no database at all),
 *   `database_unsafe` (another program's database), `database_newer`, `database_outdated`.
 */
export function openForWriting(file: string): Db {
  return openWith(file, PRAGMAS_FOR_WRITING);
}

/** Opens a new file that will be filled and then put in the place of another. */
export function openForBuilding(file: string): Db {
  return openWith(file, PRAGMAS_FOR_BUILDING);
}

/**
 * Opens the database for reading only. Where SQLite finds no place for what it keeps beside a WAL database, as on a
 * full disk or a read-only one, the file is read into memory.
 *
 * @throws RunfoldError `database_missing`, `database_corrupt`, `database_newer`, `database_outdated`,
 *   `database_not_writable`.
 */
export function openReadOnly(file: string): Db {
  if (!existsSync(file)) throw missing(file);
  try {
    return guardedForReading(openOrExplain(file, { readonly: true, fileMustExist: true }), file);
  } catch (error) {
    const trouble = databaseTrouble(file, error);
    if (trouble === undefined) throw error;
    const content = wholeContent(file);
    if (content === undefined) throw trouble;
    return guardedForReading(openOrExplain(content, { readonly: true }), file);
  }
}

const MOST_IN_MEMORY = 2 ** 30;
/** Where the header says whether the file is in WAL mode (2), once for reading and once for writing. */
const [READ_VERSION, WRITE_VERSION] = [18, 19];

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Undefined if some of it is in the WAL, somebody is writing, or it is too large. */
function wholeContent(file: string): Buffer | undefined {
  const isWhole = (): boolean => sizeOf(`${file}-wal`) === 0;
  if (!isWhole() || sizeOf(file) > MOST_IN_MEMORY) return undefined;
  const { mtimeMs } = statSync(file);
  const content = readFileSync(file);
  if (!isWhole() || statSync(file).mtimeMs !== mtimeMs) return undefined;
  content[READ_VERSION] = 1;
  content[WRITE_VERSION] = 1;
  return content;
}

function guardedForReading(db: Db, file: string): Db {
  return guarded(db, file, () => {
    for (const pragma of PRAGMAS_OF_ALL) db.pragma(pragma);
    // one whose making was cut off right at the start
    if (isEmpty(db)) throw missing(file);
    checkVersion(db, file);
  });
}

function missing(file: string): RunfoldError {
  return new RunfoldError('database_missing', `there is no database at ${file}`, {
    hint: 'Run: runfold sync',
  });
}

function openWith(file: string, pragmas: readonly string[]): Db {
  try {
    return makeOrOpen(file, pragmas);
  } catch (error) {
    throw databaseTrouble(file, error) ?? error;
  }
}

function makeOrOpen(file: string, pragmas: readonly string[]): Db {
  if (file !== IN_MEMORY) createPrivately(file);
  const db = openOrExplain(file, {});
  return guarded(db, file, () => {
    assertSafeSqlite(db);
    for (const pragma of PRAGMAS_OF_ALL) db.pragma(pragma);
    // before anything is changed, for it may be another program's
    if (!isEmpty(db)) checkVersion(db, file);
    for (const pragma of pragmas) db.pragma(pragma);
    createSchemaIfEmpty(db);
  });
}

function openOrExplain(source: string | Buffer, options: Database.Options): Db {
  try {
    return new Database(source, options);
  } catch (error) {
    throw typeof source === 'string' ? explain(source, error) : error;
  }
}

function guarded(db: Db, file: string, prepare: () => void): Db {
  try {
    prepare();
    return db;
  } catch (error) {
    db.close();
    throw explain(file, error);
  }
}

function explain(file: string, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === 'SQLITE_NOTADB' || code?.startsWith('SQLITE_CORRUPT') === true) {
    return new RunfoldError('database_corrupt', `${file}: ${messageOf(error)}`, {
      hint: 'Run: runfold sync --rebuild. It makes the database anew from the log and keeps the damaged file aside.',
      cause: error,
    });
  }
  return error;
}

function assertSafeSqlite(db: Db): void {
  const version = String(db.prepare('SELECT sqlite_version()').pluck().get());
  const parts = version.split('.').map(Number);
  for (const [index, least] of OLDEST_SAFE_SQLITE.entries()) {
    const part = parts[index] ?? 0;
    if (part > least) return;
    if (part < least) {
      throw new RunfoldError(
        'sqlite_too_old',
        `SQLite ${version} can corrupt a database in WAL mode; ${OLDEST_SAFE_SQLITE.join('.')} or newer is needed`,
        { hint: 'Reinstall runfold so that better-sqlite3 12.8 or newer comes with it.' },
      );
    }
  }
}

function isEmpty(db: Db): boolean {
  const tables = db.prepare('SELECT count(*) FROM sqlite_master').pluck().get();
  return tables === 0 && db.pragma('application_id', { simple: true }) === 0;
}

function createSchemaIfEmpty(db: Db): void {
  if (!isEmpty(db)) return;
  db.transaction(() => {
    // looked at again inside the transaction: two processes may open a new file at once
    if (!isEmpty(db)) return;
    db.exec(SCHEMA_SQL);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  }).immediate();
}

function checkVersion(db: Db, file: string): void {
  const application = db.pragma('application_id', { simple: true });
  const version = Number(db.pragma('user_version', { simple: true }));
  if (application !== APPLICATION_ID) {
    throw new RunfoldError('database_unsafe', `${file} is a SQLite database, but not one of runfold’s`, {
      hint: 'Name another file with --db or RUNFOLD_DB.',
    });
  }
  if (version > SCHEMA_VERSION) {
    throw new RunfoldError(
      'database_newer',
      `${file} has schema version ${version}; this release knows up to ${SCHEMA_VERSION}`,
      { hint: 'Use the newer release, or name another file with --db.' },
    );
  }
  if (version < SCHEMA_VERSION) {
    throw new RunfoldError(
      'database_outdated',
      `${file} has schema version ${version}; this release makes version ${SCHEMA_VERSION}`,
      { hint: 'Run: runfold sync --rebuild' },
    );
  }
}
