// What squeue or sacct says of one start of a job, in the words of a slurm_info event.

export interface SlurmFacts {
  /** In SLURM's own words. */
  state: string;
  reason?: string | undefined;
  partition?: string | undefined;
  account?: string | undefined;
  node_list?: string | undefined;
  cpus?: number | undefined;
  gpus?: number | undefined;
  memory_mb?: number | undefined;
  time_limit_seconds?: number | undefined;
  submitted_at?: string | undefined;
  started_at?: string | undefined;
  ended_at?: string | undefined;
  exit_code?: number | undefined;
  signal?: number | undefined;
  max_rss_mb?: number | undefined;
  cpu_seconds?: number | undefined;
  stdout_path?: string | undefined;
  stderr_path?: string | undefined;
}

/** A line of an answer that cannot be read; it is counted and passed over. */
export interface Problem {
  line: number;
  what: string;
}
