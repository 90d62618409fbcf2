// Who may do something next that everyone does at most every so often.
import Database from 'better-sqlite3';
import { messageOf, RunfoldError } from '../errors.ts';
import { createPrivately } from './private-file.ts';

const BUSY_MS = 2_000;

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
export function takeTurn(databaseFile: string, nowMs: number, everyMs: number): Turn {
  const file = turnFile(databaseFile);
  try {
    createPrivately(file);
    const db = new Database(file, { timeout: BUSY_MS });
    try {
      return db.transaction(() => take(db, nowMs, everyMs)).immediate();
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

function take(db: Database.Database, nowMs: number, everyMs: number): Turn {
  db.exec('CREATE TABLE IF NOT EXISTS turn (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER)');
  const lastAt = db.prepare<[], number>('SELECT at FROM turn').pluck().get();
  // a time to come is one of a clock that has been set back since
  if (lastAt !== undefined && lastAt <= nowMs && nowMs - lastAt < everyMs) return { isOurs: false, lastAt };
  db.prepare('INSERT OR REPLACE INTO turn VALUES (1, ?)').run(nowMs);
  return { isOurs: true, lastAt: nowMs };
}
