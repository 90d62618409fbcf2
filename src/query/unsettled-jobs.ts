// The SLURM jobs whose end is not known yet, with all that was said of them.
import type { Db } from '../db/open.ts';
import type { EventOf, RunStatus } from '../events/event.ts';
import { lastTsSql } from './last-ts.ts';
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
  /** `ts` of the newest event, metric or sample of the run. */
  lastTs: string;
  /** The same without the words by which SLURM did not know a job. */
  lastSignOfLife: string;
  /** Those of the jobs that ran other runs too, as `12` or `12_3`. */
  shared: Set<string>;
}

export interface UnsettledOptions {
  /** Jobs that ended after this time, in one of the states after which another start may follow, are asked about. */
  recent: string;
  startsAgain: Iterable<string>;
  /** Jobs that ended after this time are asked about until sacct has said so. */
  sacctSince: string;
  /** The reason of a job that SLURM did not know, and since when those are asked about without a sign of life. */
  unknown: { reason: string; since: string };
}

export interface Unsettled {
  runs: UnsettledRun[];
  /** Jobs that SLURM did not know, and that are left out. */
  leftOut: number;
}

/** Only squeue and sacct say when a job ended. */
const UNSETTLED = `SELECT DISTINCT j.run_id, j.job_id, j.array_job_id, j.array_task_id,
    CASE WHEN j.ended_at IS NULL AND j.reason = @unknown THEN (
      SELECT max(e.ts) FROM _events e WHERE e.run_id = j.run_id AND e.type = 'slurm_info'
        AND json_extract(e.body, '$.event.reason') = @unknown
        AND CAST(json_extract(e.body, '$.event.job_id') AS TEXT) IN (j.job_id, j.array_job_id)
    ) END AS unknown_at
  FROM slurm_jobs j
  WHERE j.ended_at IS NULL
    OR (j.ended_at > @recent
      AND j.state IN (SELECT value FROM json_each(@startsAgain)))
    OR (j.ended_at > @sacctSince
      AND NOT EXISTS (SELECT 1 FROM _events e WHERE e.run_id = j.run_id AND e.type = 'slurm_info'
        AND json_extract(e.body, '$.event.source') = 'sacct'
        AND json_extract(e.body, '$.event.ended_at') IS NOT NULL
        AND ifnull(json_extract(e.body, '$.event.restart_count'), 0) = j.restart_count
        AND CAST(json_extract(e.body, '$.event.job_id') AS TEXT) = j.job_id))
  ORDER BY j.run_id, j.job_id`;

const SAID = `SELECT attempt, body FROM _events
  WHERE run_id = @runId AND type IN ('slurm_info', 'status_changed')`;

type OfRun = [{ runId: string }];

export function getUnsettledRuns(
  db: Db,
  { recent, startsAgain, sacctSince, unknown }: UnsettledOptions,
): Unsettled {
  const all = db
    .prepare<[Readonly<Record<string, string>>], Found>(UNSETTLED)
    .all({ recent, startsAgain: JSON.stringify([...startsAgain]), sacctSince, unknown: unknown.reason });
  const lastSign = lastSignReader(db, unknown.reason);
  const found = all.filter(
    ({ run_id, unknown_at }) =>
      unknown_at === null || unknown_at > unknown.since || lastSign(run_id) > unknown_at,
  );
  const runIds = new Set(found.map(({ run_id }) => run_id));
  const wanted = new Set(found.map(nameOf));
  const jobsOf = slurmJobsReader(db);
  const said = db.prepare<OfRun, { attempt: string; body: string }>(SAID);
  const attempts = db.prepare<OfRun, { attempt: string; status: RunStatus }>(
    'SELECT attempt, status FROM _attempts WHERE run_id = @runId',
  );
  const lastEvent = db.prepare<OfRun, string>('SELECT max(ts) FROM _events WHERE run_id = @runId').pluck();
  const shared = sharedJobs(db);
  const runs = [...runIds].map((runId) => {
    const lastSignOfLife = lastSign(runId);
    return {
      runId,
      jobs: jobsOf(runId).filter((job) => wanted.has(nameOf(job))) as UnsettledRun['jobs'],
      said: said.all({ runId }).map(({ attempt, body }) => {
        const { event } = JSON.parse(body) as { event: Said };
        return { ...event, attempt };
      }),
      attempts: new Map(attempts.all({ runId }).map(({ attempt, status }) => [attempt, status])),
      lastTs: latest([lastEvent.get({ runId }), lastSignOfLife]),
      lastSignOfLife,
      shared,
    };
  });
  return { runs, leftOut: new Set(all.map(nameOf)).size - wanted.size };
}

function lastSignReader(db: Db, unknown: string): (runId: string) => string {
  const event = db
    .prepare<[{ runId: string; unknown: string }], string | null>(
      `SELECT max(ts) FROM _events WHERE run_id = @runId
        AND NOT (type = 'slurm_info' AND json_extract(body, '$.event.reason') IS @unknown)`,
    )
    .pluck();
  const points = [lastTsSql('run_metrics', '@runId'), lastTsSql('_samples', '@runId')].map((sql) =>
    db.prepare<OfRun, string | null>(sql).pluck(),
  );
  return (runId) => latest([event.get({ runId, unknown }), ...points.map((last) => last.get({ runId }))]);
}

/** Times of one form, which sorts as text. */
function latest(times: readonly (string | null | undefined)[]): string {
  return times.reduce<string>((last, time) => (time != null && time > last ? time : last), '');
}

function sharedJobs(db: Db): Set<string> {
  const names = db
    .prepare<[], string>(
      `SELECT CASE WHEN array_job_id IS NULL OR array_task_id IS NULL THEN job_id
          ELSE array_job_id || '_' || array_task_id END AS name
        FROM slurm_jobs GROUP BY name HAVING count(DISTINCT run_id) > 1`,
    )
    .pluck()
    .all();
  return new Set(names);
}

interface Found {
  run_id: string;
  job_id: string;
  array_job_id: string | null;
  array_task_id: string | null;
  /** When SLURM did not know it; null: it did, or was not asked. */
  unknown_at: string | null;
}

function nameOf({
  run_id,
  job_id,
  array_job_id,
  array_task_id,
}: Pick<Found, 'run_id' | 'job_id' | 'array_job_id' | 'array_task_id'>): string {
  return JSON.stringify(array_task_id === null ? [run_id, job_id] : [run_id, array_job_id, array_task_id]);
}
