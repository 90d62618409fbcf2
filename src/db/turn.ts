// Who may do something next that everyone does at most every so often.
import Database from 'better-sqlite3';
import { messageOf, RunfoldError } from '../errors.ts';
import { createPrivately } from './private-file.ts';

const BUSY_MS = 2_000;

/** Of which turn: each is of its own, and a table in the file. */
export type What = 'turn' | 'turn_unknown';

export interface Turn {
  /** Whether it is ours; then the next one is so long away. */
  isOurs: boolean;
  /** If not: when somebody had the last one, in milliseconds since 1970. */
  lastAt: number;
}

/**
 * Takes the turn if the last one was `everyMs` ago. Of several processes that try at the same time one gets it.
 *
 * It is kept in a small file beside the database, not in it: the database has one writer, and while that is `watch`
 * nobody else could note that he has asked. SQLite's lock makes looking and taking one step, and goes with a process
 * that dies. Without the file the turn is free.
 *
 * @throws RunfoldError `database_unsafe` if the file cannot be used.
 */
export function takeTurn(databaseFile: string, nowMs: number, everyMs: number, what: What = 'turn'): Turn {
  return withTurns(databaseFile, (db) =>
    db.transaction(() => take(db, { nowMs, everyMs, what })).immediate(),
  );
}

/** Whether `takeTurn` would get it. @throws RunfoldError `database_unsafe` if the file cannot be used. */
export function isTurnFree(databaseFile: string, nowMs: number, everyMs: number, what: What): boolean {
  return withTurns(databaseFile, (db) => isFree(lastTurn(db, what), nowMs, everyMs));
}

function withTurns<T>(databaseFile: string, work: (db: Database.Database) => T): T {
  const file = turnFile(databaseFile);
  try {
    createPrivately(file);
    const db = new Database(file, { timeout: BUSY_MS });
    try {
      return work(db);
    } finally {
      db.close();
    }
  } catch (cause) {
    throw new RunfoldError('database_unsafe', `${file}: ${messageOf(cause)}`, {
      hint: 'There is nothing in that file that is needed later: remove it.',
      cause,
    });
  }
}

function turnFile(databaseFile: string): string {
  return `${databaseFile}.slurm`;
}

interface Taking {
  nowMs: number;
  everyMs: number;
  what: What;
}

function take(db: Database.Database, { nowMs, everyMs, what }: Taking): Turn {
  const lastAt = lastTurn(db, what);
  if (lastAt !== undefined && !isFree(lastAt, nowMs, everyMs)) return { isOurs: false, lastAt };
  db.prepare(`INSERT OR REPLACE INTO ${what} VALUES (1, ?)`).run(nowMs);
  return { isOurs: true, lastAt: nowMs };
}

function lastTurn(db: Database.Database, what: What): number | undefined {
  db.exec(`CREATE TABLE IF NOT EXISTS ${what} (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER)`);
  return db.prepare<[], number>(`SELECT at FROM ${what}`).pluck().get();
}

/** A time to come is one of a clock that has been set back since. */
function isFree(lastAt: number | undefined, nowMs: number, everyMs: number): boolean {
  return lastAt === undefined || lastAt > nowMs || nowMs - lastAt >= everyMs;
}
