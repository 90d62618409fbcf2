// What the samples of runs say of their job, where SLURM has not said it.
import type { Db } from '../db/open.ts';
import type { JobTask } from './job-tasks.ts';

/** null: there is no sample of it. */
export interface SampledUse {
  /** The mean use of each attempt times how long it was sampled for. */
  cpu_seconds: number | null;
  rss_mb: number | null;
}

const NOTHING: SampledUse = { cpu_seconds: null, rss_mb: null };

/** Of the runs that a task ran; nothing where SLURM has said all of it. */
export function sampler(db: Db): (task: JobTask) => SampledUse {
  const statement = db.prepare<[string, string], SampleRow>(
    `SELECT avg(cpu_percent) AS cpu, max(elapsed_seconds) AS lasted, max(rss_mb) AS rss
     FROM _samples WHERE run_id = ? AND attempt = ?`,
  );
  return ({ runs, has_ended, cpu_seconds, max_rss_mb, elapsed_seconds }) => {
    const isSaid = has_ended && cpu_seconds !== null && max_rss_mb !== null;
    if (isSaid || elapsed_seconds === null) return NOTHING;
    let use = NOTHING;
    for (const { run_id, attempt } of runs) {
      const found = statement.get(run_id, attempt) ?? NO_SAMPLES;
      // a single run of a job has all of its time, which no sample says better
      const seconds = runs.length === 1 ? elapsed_seconds : (found.lasted ?? 0);
      use = {
        cpu_seconds:
          found.cpu === null ? use.cpu_seconds : (use.cpu_seconds ?? 0) + (found.cpu / 100) * seconds,
        rss_mb: found.rss === null ? use.rss_mb : Math.max(use.rss_mb ?? 0, found.rss),
      };
    }
    return use;
  };
}

interface SampleRow {
  cpu: number | null;
  lasted: number | null;
  rss: number | null;
}

const NO_SAMPLES: SampleRow = { cpu: null, lasted: null, rss: null };
