// What a caller can branch on, and what a person is told.

/** Every code that a RunfoldError can carry, with what it means. docs/errors.md is tested against this list. */
export const ERROR_CODES = {
  usage: 'The command or option is wrong.',
  invalid_key: 'A field of a run key has a wrong type or value.',
  ledger_not_found: 'No log: nothing named, and no .runfold directory upwards from here.',
  ledger_unreadable: 'The log or its ledger.json cannot be read.',
  ledger_silent: 'The storage of the log does not answer.',
  ledger_not_made: 'The directory of a new log cannot be made.',
  ledger_exists: 'There is a log already.',
  database_on_network: 'The database path is on a network file system.',
  database_unsafe: 'The database directory or file is not safely yours.',
  database_not_writable: 'The disk of the database is full, read-only or failing.',
  database_missing: 'There is no database yet.',
  database_corrupt: 'The database file is damaged or is not one of ours.',
  database_newer: 'The database was made by a newer release.',
  database_outdated: 'The database was made by an older release and has to be rebuilt.',
  database_other_ledger: 'The database belongs to another log.',
  sqlite_too_old: 'The SQLite library is too old to write safely.',
  projector_running: 'Another process holds the database.',
  would_lose_rows: 'A rebuild would lose rows whose files are gone or changed.',
  slurm_silent: 'Neither squeue nor sacct has answered.',
  run_not_found: 'No run has that id.',
  snapshot_failed: 'A copy of the database could not be made or put in its place.',
  file_exists: 'A file is there already and would be replaced.',
  submit_failed: 'sbatch refused a job, or its answer is not known.',
  query_failed: 'An SQL query failed while it ran, or took too long.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** What the user can do about it, as a sentence or a command. */
  hint?: string;
  cause?: unknown;
}

/** The one error class. `message` says what happened and where, `hint` what to do. */
export class RunfoldError extends Error {
  override readonly name = 'RunfoldError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
  }
}

/** The `code` of a Node system error (`ENOENT`), or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
