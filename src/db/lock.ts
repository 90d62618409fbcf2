// One projector per database. The lock is the kernel's: it goes with the process that held it, however it died.
import Database from 'better-sqlite3';
import { errnoOf, messageOf, RunfoldError } from '../errors.ts';
import { createPrivately } from './private-file.ts';
import { databaseTrouble, isNotWritable } from './trouble.ts';

/** Who holds a database. */
export interface Holder {
  host: string;
  pid: number;
  /** When it took the lock, as `2026-11-23T10:15:00.123Z`. */
  since: string;
  /** What it does with it: `watch`, `sync` … */
  purpose: string;
}

/** Long enough for someone who is just reading who the holder is. */
const BUSY_MS = 500;

/**
 * Held by an open write transaction on a small SQLite file beside the database. Others can still read the row in
 * it that says who holds it.
 */
export class ProjectorLock implements Disposable {
  readonly #db: Database.Database;

  private constructor(db: Database.Database) {
    this.#db = db;
  }

  /**
   * @throws RunfoldError `projector_running` with the holder, if another process (or this one) holds it;
   *   `database_not_writable`.
   */
  static acquire(databaseFile: string, holder: Holder): ProjectorLock {
    const db = openLockFile(databaseFile);
    try {
      db.exec('BEGIN IMMEDIATE');
      db.exec('CREATE TABLE IF NOT EXISTS holder (id INTEGER PRIMARY KEY, host, pid, since, purpose)');
      db.prepare('INSERT OR REPLACE INTO holder VALUES (1, @host, @pid, @since, @purpose)').run(holder);
      db.exec('COMMIT');
      // only a committed row can be read by others, so the lock is taken twice: once to write it, once to hold
      db.exec('BEGIN IMMEDIATE');
      return new ProjectorLock(db);
    } catch (error) {
      const other = isBusy(error) ? readHolder(db) : undefined;
      db.close();
      throw isBusy(error) ? busyError(databaseFile, other) : explain(databaseFile, error);
    }
  }

  release(): void {
    // which rolls back, also where a statement that says so would fail
    if (this.#db.open) this.#db.close();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Who holds the database just now; undefined if nobody does, or that cannot be seen for want of a place to write. */
export function lockHolder(databaseFile: string): Holder | undefined {
  try {
    return heldBy(databaseFile);
  } catch (error) {
    if (isNotWritable(error)) return undefined;
    throw error;
  }
}

function heldBy(databaseFile: string): Holder | undefined {
  const db = openLockFile(databaseFile);
  try {
    db.exec('BEGIN IMMEDIATE');
    db.exec('ROLLBACK');
    return undefined;
  } catch (error) {
    if (!isBusy(error)) throw explain(databaseFile, error);
    return readHolder(db) ?? { host: 'unknown', pid: 0, since: '', purpose: 'unknown' };
  } finally {
    db.close();
  }
}

function openLockFile(databaseFile: string): Database.Database {
  const file = lockFile(databaseFile);
  try {
    createPrivately(file);
    return new Database(file, { timeout: BUSY_MS });
  } catch (error) {
    throw explain(databaseFile, error);
  }
}

function lockFile(databaseFile: string): string {
  return `${databaseFile}.lock`;
}

function explain(databaseFile: string, cause: unknown): RunfoldError {
  const trouble = databaseTrouble(databaseFile, cause);
  if (trouble !== undefined) return trouble;
  return new RunfoldError('database_unsafe', `${lockFile(databaseFile)}: ${messageOf(cause)}`, {
    hint: 'There is nothing in that file that is needed later. If no runfold runs here, remove it.',
    cause,
  });
}

function isBusy(error: unknown): boolean {
  return errnoOf(error)?.startsWith('SQLITE_BUSY') === true;
}

function readHolder(db: Database.Database): Holder | undefined {
  try {
    return db.prepare('SELECT host, pid, since, purpose FROM holder').get() as Holder | undefined;
  } catch {
    // the table is not there yet: the holder is about to write it
    return undefined;
  }
}

function busyError(databaseFile: string, other: Holder | undefined): RunfoldError {
  // the holder is the cause, for callers that go on without the lock
  const who =
    other === undefined
      ? 'another process'
      : `${other.purpose} of pid ${other.pid} on ${other.host}, since ${other.since},`;
  return new RunfoldError('projector_running', `${who} holds ${databaseFile}`, {
    hint: 'It keeps the database up to date: read with --no-sync, or end that process first.',
    cause: other,
  });
}
