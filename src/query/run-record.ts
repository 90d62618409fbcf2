// One row of experiment_runs as TypeScript sees it.
import type { RunStatus } from '../events/event.ts';
import type { RunKey } from '../events/run-id.ts';
import { parseObject, parseStrings, type JsonObject } from './json.ts';

/**
 * One run: a row of `experiment_runs`. Its key columns are those of `RunKey`. Status, times, config, tags,
 * notes, code and host are those of its last attempt; tags, notes and hidden may have been set by a person
 * since. Times are UTC, `2026-11-23T10:15:00.123Z`; null is: nobody said.
 */
export interface RunRecord extends RunKey {
  /** 16 characters, the hash of the key. */
  run_id: string;
  status: RunStatus;
  /** In words of the job, the wrapper or SLURM (`OUT_OF_MEMORY`). */
  status_reason: string | null;
  exit_code: number | null;
  /** `{}` if none was logged. */
  config: JsonObject;
  tags: readonly string[];
  notes: string | null;
  /** Put aside by a person; `getAllRuns` leaves it out by default. */
  hidden: boolean;
  /** SLURM's raw job id. */
  slurm_job_id: string | null;
  slurm_array_task_id: string | null;
  host: string | null;
  user_name: string | null;
  git_commit: string | null;
  /** Whether there were changes that are not in `git_commit`; null: not known. */
  git_dirty: boolean | null;
  command: string | null;
  cwd: string | null;
  /** At least 1. */
  attempt_count: number;
  /** When the first attempt was created. */
  created_at: string;
  /** When the last attempt said `running`; null: it has not. */
  started_at: string | null;
  /** When the last attempt ended; null: it has not. */
  finished_at: string | null;
}

/** The row as SQLite gives it. */
export interface RunRow extends Omit<RunRecord, 'config' | 'tags' | 'hidden' | 'git_dirty'> {
  config: string;
  tags: string;
  hidden: 0 | 1;
  git_dirty: 0 | 1 | null;
}

export function runRecord(row: RunRow): RunRecord {
  return {
    ...row,
    config: parseObject(row.config),
    tags: parseStrings(row.tags),
    hidden: row.hidden === 1,
    git_dirty: row.git_dirty === null ? null : row.git_dirty === 1,
  };
}
