// Why a database cannot be written, as a user is told it. Most of it passes, and none of it loses anything.
import { errnoOf, messageOf, RunfoldError } from '../errors.ts';

/** The error codes of SQLite, without what they add to these, and of the system. */
const KINDS: Readonly<Record<string, 'full' | 'read-only' | 'failing'>> = {
  SQLITE_FULL: 'full',
  ENOSPC: 'full',
  EDQUOT: 'full',
  SQLITE_READONLY: 'read-only',
  EROFS: 'read-only',
  SQLITE_IOERR: 'failing',
  SQLITE_CANTOPEN: 'failing',
};

/** Undefined if the error is of another kind. `file` is the database. */
export function databaseTrouble(file: string | undefined, error: unknown): RunfoldError | undefined {
  const kind = KINDS[errnoOf(error)?.split('_').slice(0, 2).join('_') ?? ''];
  if (kind === undefined) return undefined;
  const what = file ?? 'the database';
  const message = {
    full: `${what} cannot be written: its disk is full`,
    'read-only': `${what} cannot be written: it is read-only`,
    failing: `${what}: ${messageOf(error)}`,
  }[kind];
  const mend = {
    full: 'Free some space there',
    'read-only': 'Make it writable',
    failing: 'Look whether its disk is full, read-only or failing',
  }[kind];
  return new RunfoldError('database_not_writable', message, {
    hint: `${mend}, or name another file with --db or RUNFOLD_DB. Nothing is lost: the log has it all.`,
    cause: error,
  });
}

/** Whether that is why nothing could be written. */
export function isNotWritable(error: unknown): boolean {
  return errnoOf(error) === 'database_not_writable';
}
