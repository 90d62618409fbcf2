// The executions of a run.
import type { Db } from '../db/open.ts';
import type { RunStatus } from '../events/event.ts';
import { parseObject, type JsonObject } from './json.ts';

/**
 * One execution of a run: a row of `_attempts`. Times are UTC, `2026-11-23T10:15:00.123Z`; null is: nobody
 * said.
 */
export interface RunAttempt {
  run_id: string;
  /** 0 for the first. */
  position: number;
  attempt: string;
  /** Went on from a checkpoint; false: started over. */
  resume: boolean;
  /**
   * The last attempt that started over and all later ones are: their points make the run's curve and results.
   */
  in_view: boolean;
  created_at: string;
  /** The attempt's own. The run's is that of its last attempt, save while that waits to be requeued. */
  status: RunStatus;
  status_reason: string | null;
  exit_code: number | null;
  started_at: string | null;
  finished_at: string | null;
  /** `{}` if none was logged. */
  config: JsonObject;
}

interface AttemptRow extends Omit<RunAttempt, 'resume' | 'in_view' | 'config'> {
  resume: 0 | 1;
  in_view: 0 | 1;
  config: string;
}

/** The attempts of a run in order, the first one first. Empty if the run is unknown. */
export function getAttempts(db: Db, runId: string): RunAttempt[] {
  return db
    .prepare<[{ runId: string }], AttemptRow>(
      'SELECT * FROM _attempts WHERE run_id = @runId ORDER BY position',
    )
    .all({ runId })
    .map((row) => ({
      ...row,
      resume: row.resume === 1,
      in_view: row.in_view === 1,
      config: parseObject(row.config),
    }));
}
