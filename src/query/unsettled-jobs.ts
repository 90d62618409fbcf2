// The SLURM jobs whose end is not known yet, with all that was said of them.
import type { Db } from '../db/open.ts';
import type { EventOf, RunStatus } from '../events/event.ts';
import { slurmJobsReader, type SlurmJob } from './slurm-jobs.ts';

type Said = (EventOf<'slurm_info'> | EventOf<'status_changed'>) & { attempt: string };

/** A run, and those of its jobs of which SLURM may have more to say. */
export interface UnsettledRun {
  runId: string;
  /** Each with all its restarts. */
  jobs: (SlurmJob & Readonly<Record<string, string | number | null>>)[];
  /** Every `slurm_info` and `status_changed` of the run. */
  said: Said[];
  /** The status of each attempt. */
  attempts: Map<string, RunStatus>;
  /** `ts` of the newest event of the run. */
  lastTs: string;
}

export interface UnsettledOptions {
  /** Jobs that ended after this time are asked about until sacct has said so; those that may start again, all of them. */
  recent: string;
  /** Jobs with this reason are left out. */
  exceptReason?: string | undefined;
}

/** Only squeue and sacct say when a job ended. */
const UNSETTLED = `SELECT DISTINCT j.run_id, j.job_id, j.array_job_id, j.array_task_id FROM slurm_jobs j
  WHERE (j.ended_at IS NULL AND (@exceptReason IS NULL OR j.reason IS NOT @exceptReason)) OR (j.ended_at > @recent AND
    (j.state IN ('REQUEUED', 'PREEMPTED', 'NODE_FAIL', 'BOOT_FAIL', 'SPECIAL_EXIT', 'LAUNCH_FAILED')
      OR NOT EXISTS (SELECT 1 FROM _events e WHERE e.run_id = j.run_id AND e.type = 'slurm_info'
        AND json_extract(e.body, '$.event.source') = 'sacct'
        AND json_extract(e.body, '$.event.ended_at') IS NOT NULL
        AND ifnull(json_extract(e.body, '$.event.restart_count'), 0) = j.restart_count
        AND CAST(json_extract(e.body, '$.event.job_id') AS TEXT) = j.job_id)))
  ORDER BY j.run_id, j.job_id`;

const SAID = `SELECT attempt, body FROM _events
  WHERE run_id = @runId AND type IN ('slurm_info', 'status_changed')`;

export function getUnsettledRuns(db: Db, { recent, exceptReason }: UnsettledOptions): UnsettledRun[] {
  const found = db
    .prepare<[{ recent: string; exceptReason: string | null }], Unsettled>(UNSETTLED)
    .all({ recent, exceptReason: exceptReason ?? null });
  const runIds = new Set(found.map(({ run_id }) => run_id));
  const wanted = new Set(found.map(nameOf));
  const jobsOf = slurmJobsReader(db);
  const said = db.prepare<[{ runId: string }], { attempt: string; body: string }>(SAID);
  const attempts = db.prepare<[{ runId: string }], { attempt: string; status: RunStatus }>(
    'SELECT attempt, status FROM _attempts WHERE run_id = @runId',
  );
  const lastTs = db
    .prepare<[{ runId: string }], string>('SELECT max(ts) FROM _events WHERE run_id = @runId')
    .pluck();
  return [...runIds].map((runId) => ({
    runId,
    jobs: jobsOf(runId).filter((job) => wanted.has(nameOf(job))) as UnsettledRun['jobs'],
    said: said.all({ runId }).map(({ attempt, body }) => {
      const { event } = JSON.parse(body) as { event: Said };
      return { ...event, attempt };
    }),
    attempts: new Map(attempts.all({ runId }).map(({ attempt, status }) => [attempt, status])),
    lastTs: lastTs.get({ runId }) ?? '',
  }));
}

interface Unsettled {
  run_id: string;
  job_id: string;
  array_job_id: string | null;
  array_task_id: string | null;
}

function nameOf({ run_id, job_id, array_job_id, array_task_id }: Unsettled): string {
  return JSON.stringify(array_task_id === null ? [run_id, job_id] : [run_id, array_job_id, array_task_id]);
}
