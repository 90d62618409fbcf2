// The SLURM jobs that ran runs.
import type { Db } from '../db/open.ts';

/**
 * One restart of one job for one run: a row of `slurm_jobs`, of what the job itself, squeue and sacct said.
 * Times are UTC, `2026-11-23T10:15:00.123Z`; null is: nobody said.
 */
export interface SlurmJob {
  run_id: string;
  /** SLURM's raw job id; the array's for a task of which no other is known yet. */
  job_id: string;
  array_job_id: string | null;
  array_task_id: string | null;
  /** 0 for the first start, then one more for each requeue. */
  restart_count: number;
  attempt: string;
  /** In SLURM's words: `RUNNING`, `CANCELLED by 1000`. */
  state: string | null;
  reason: string | null;
  partition: string | null;
  account: string | null;
  node_list: string | null;
  cpus: number | null;
  gpus: number | null;
  /** As asked for, in MB. */
  memory_mb: number | null;
  time_limit_seconds: number | null;
  submitted_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  exit_code: number | null;
  signal: number | null;
  max_rss_mb: number | null;
  /** User and system time of all of the job's processes. */
  cpu_seconds: number | null;
  stdout_path: string | null;
  stderr_path: string | null;
}

/** SLURM counts its ids up, so the longer is the later: 9 comes before 10. */
const ORDER = 'ORDER BY length(job_id), job_id, restart_count, run_id';

/** The jobs of one run, or of all (hidden ones too), in the order of job id, restart and run. */
export function getSlurmJobs(db: Db, runId?: string): SlurmJob[] {
  if (runId === undefined) {
    return db.prepare<[], SlurmJob>(`SELECT * FROM slurm_jobs ${ORDER}`).all();
  }
  return slurmJobsReader(db)(runId);
}

/** The same for one run after another: the query is prepared once. */
export function slurmJobsReader(db: Db): (runId: string) => SlurmJob[] {
  const statement = db.prepare<[{ runId: string }], SlurmJob>(
    `SELECT * FROM slurm_jobs WHERE run_id = @runId ${ORDER}`,
  );
  return (runId) => statement.all({ runId });
}
