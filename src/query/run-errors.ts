// The exceptions that jobs logged.
import type { Db } from '../db/open.ts';

/** One error: a row of `run_errors`. Its texts are as logged and may hold control characters. */
export interface RunError {
  run_id: string;
  /** The process that logged it, and the number of the line in its file. */
  writer: string;
  seq: number;
  /** UTC, `2026-11-23T10:15:00.123Z`. */
  ts: string;
  attempt: string;
  exception_type: string;
  message: string;
  /** null: none was logged. */
  traceback: string | null;
}

/**
 * The errors of one run in the order of events (attempts in order, those of no attempt last; then by time);
 * or of all runs by time, those of hidden runs and of runs without a `run_created` too.
 */
export function getRunErrors(db: Db, runId?: string): RunError[] {
  if (runId === undefined) {
    return db.prepare<[], RunError>('SELECT * FROM run_errors ORDER BY ts, run_id, writer, seq').all();
  }
  return db
    .prepare<[{ runId: string }], RunError>(
      `SELECT e.* FROM run_errors e LEFT JOIN _attempts a ON a.run_id = e.run_id AND a.attempt = e.attempt
       WHERE e.run_id = @runId ORDER BY a.position IS NULL, a.position, e.ts, e.writer, e.seq`,
    )
    .all({ runId });
}
