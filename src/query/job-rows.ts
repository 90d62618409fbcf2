// What the database has of jobs: a row for each run, job and restart, with how the attempt went that it ran.
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../db/open.ts';
import type { RunStatus } from '../events/event.ts';
import { FROM_RUNS } from './field-sql.ts';
import { ENDED_STATES } from './job-states.ts';
import { filterSql, type RunFilter } from './run-filter.ts';
import type { SlurmJob } from './slurm-jobs.ts';

export interface JobRow extends Omit<SlurmJob, 'account' | 'stdout_path' | 'stderr_path'> {
  /** All null: no run_created has begun the attempt. */
  attempt_status: RunStatus | null;
  attempt_started_at: string | null;
  attempt_finished_at: string | null;
  /** Whether the filter takes the run. */
  matches: 0 | 1;
}

/** In the order of `rowOf`; what the filter says comes last. */
const COLUMNS = `j.run_id, j.job_id, j.array_job_id, j.array_task_id, j.restart_count, j.attempt, j.state, j.reason, j.partition, j.node_list, j.cpus,
  j.gpus, j.memory_mb, j.time_limit_seconds, j.submitted_at, j.started_at, j.ended_at, j.exit_code, j.signal, j.max_rss_mb, j.cpu_seconds,
  a.status, a.started_at, a.finished_at`;

/** What is one job: an array, or a job that is in none. */
const JOB = raw('ifnull(j.array_job_id, j.job_id)');
/** What is one task of it. Ids that hold blanks may make one of two: such rows are told apart by their columns then. */
const TASK = raw(`ifnull(j.array_job_id, j.job_id) || ' ' || ifnull(j.array_task_id, 'job ' || j.job_id)`);
const FROM_JOBS = sql`${FROM_RUNS} JOIN slurm_jobs j ON j.run_id = r.run_id`;
const FROM_JOBS_AND_ATTEMPTS = sql`${FROM_JOBS} LEFT JOIN _attempts a ON a.run_id = j.run_id AND a.attempt = j.attempt`;

export interface JobSelection {
  filter: RunFilter;
  /** Of this run alone. */
  runId?: string | undefined;
  /** Those of which a row may be in one of these states, or has not ended: the rest is for who knows all rows. */
  states?: readonly string[] | undefined;
  active?: boolean | undefined;
}

/**
 * The ids of jobs and arrays of which a run matches, the newest first.
 *
 * @throws RunfoldError as `getAllRuns` does.
 */
export function readJobIds(db: Db, selection: JobSelection, limit?: number): string[] {
  const { states, active = false } = selection;
  const conditions = [matchSql(selection)];
  if (active) conditions.push(sql`NOT ${ENDED}`);
  if (states !== undefined) {
    const words = states.map(
      (word) => sql`upper(ltrim(j.state)) GLOB ${`${word.replaceAll(/[^A-Z_]/g, '?')}*`}`,
    );
    // where SLURM has not said the end, the word is the runs'
    conditions.push(sql`(${join([...words, sql`NOT ${ENDED}`], ' OR ')})`);
  }
  const { sql: text, values } = sql`SELECT DISTINCT ${JOB} AS job FROM ${FROM_JOBS}
    WHERE ${join(conditions, ' AND ')} ORDER BY length(job) DESC, job DESC LIMIT ${limit ?? -1}`;
  return db
    .prepare<unknown[], string>(text)
    .pluck()
    .all(...values);
}

const ENDED: Sql = sql`(j.state IS NOT NULL AND (${join(
  ENDED_STATES.map((word) => sql`upper(ltrim(j.state)) GLOB ${`${word}*`}`),
  ' OR ',
)}))`;

/**
 * All rows of these jobs, of all runs: how many runs share a job, and which tasks of an array there are, is known by all
 * of them alone.
 */
export function readJobRows(db: Db, selection: JobSelection, jobIds?: readonly string[]): JobRow[] {
  return readRows(db, selection, jobIds === undefined ? raw('1') : sql`${JOB} IN (${listed(jobIds)})`);
}

/** The names of tasks that have more than one row, for restarts or for several runs; whatever the runs are. */
export function readSharedTasks(db: Db): string[] {
  const { sql: text } = sql`SELECT ${TASK} FROM slurm_jobs j GROUP BY 1 HAVING count(*) > 1`;
  return db.prepare<[], string>(text).pluck().all();
}

/** All rows of these tasks, of all runs. */
export function readTaskRows(db: Db, selection: JobSelection, tasks: readonly string[]): JobRow[] {
  return tasks.length === 0 ? [] : readRows(db, selection, sql`${TASK} IN (${listed(tasks)})`);
}

/** Rows that have started and are alike in all that tells whether their hours count, and as what. */
export interface JobRowSum {
  state: JobRow['state'];
  attempt_status: JobRow['attempt_status'];
  /** Up to SLURM's word of the end; to that of the run; to now or the time limit. */
  until: 'said' | 'finished' | 'now';
  rows: number;
  gpu_hours: number | null;
  cpu_hours: number | null;
}

/** Since 1970. Times have one form, to the millisecond, which julianday keeps. */
const MILLIS = (text: string): string => `(round(julianday(${text}) * 86400000) - 210866760000000)`;
const START = 'ifnull(j.started_at, a.started_at)';
const OVER = `a.status IN ('completed', 'failed', 'timeout') AND a.finished_at IS NOT NULL`;

/** The sums over all rows that match, of tasks other than these. */
export function sumJobRows(
  db: Db,
  selection: JobSelection,
  { exceptTasks, now }: { exceptTasks: readonly string[]; now: number },
): JobRowSum[] {
  const isOther = exceptTasks.length === 0 ? raw('1') : sql`${TASK} NOT IN (${listed(exceptTasks)})`;
  const end = sql`CASE WHEN j.ended_at IS NOT NULL THEN ${raw(MILLIS('j.ended_at'))}
    WHEN ${raw(OVER)} THEN ${raw(MILLIS('a.finished_at'))}
    ELSE min(${now}, ifnull(${raw(MILLIS(START))} + j.time_limit_seconds * 1000, ${now})) END`;
  const { sql: text, values } = sql`
    SELECT state, attempt_status, until, count(*) AS rows,
      sum(ms * gpus) / 3600000 AS gpu_hours, sum(ms * cpus) / 3600000 AS cpu_hours
    FROM (
      SELECT j.state, a.status AS attempt_status, j.gpus, j.cpus,
        CASE WHEN j.ended_at IS NOT NULL THEN 'said' WHEN ${raw(OVER)} THEN 'finished' ELSE 'now' END AS until,
        max(0.0, ${end} - ${raw(MILLIS(START))}) AS ms
      FROM ${FROM_JOBS_AND_ATTEMPTS}
      WHERE ${raw(START)} IS NOT NULL AND ${matchSql(selection)} AND ${isOther}
    ) GROUP BY 1, 2, 3`;
  return db.prepare<unknown[], JobRowSum>(text).all(...values);
}

function listed(values: readonly string[]): Sql {
  return sql`SELECT value FROM json_each(${JSON.stringify(values)})`;
}

function readRows(db: Db, selection: JobSelection, among: Sql): JobRow[] {
  const { sql: text, values } = sql`SELECT ${raw(COLUMNS)}, (${matchSql(selection)})
    FROM ${FROM_JOBS_AND_ATTEMPTS} WHERE ${among}`;
  // with objects by the names of so many columns, made by SQLite or in a loop, bench/job-hours.mjs takes 1.3 to 1.5 times as long
  return db
    .prepare<unknown[], RowValues>(text)
    .raw()
    .all(...values)
    .map(rowOf);
}

type RowValues = [
  run_id: JobRow['run_id'],
  job_id: JobRow['job_id'],
  array_job_id: JobRow['array_job_id'],
  array_task_id: JobRow['array_task_id'],
  restart_count: JobRow['restart_count'],
  attempt: JobRow['attempt'],
  state: JobRow['state'],
  reason: JobRow['reason'],
  partition: JobRow['partition'],
  node_list: JobRow['node_list'],
  cpus: JobRow['cpus'],
  gpus: JobRow['gpus'],
  memory_mb: JobRow['memory_mb'],
  time_limit_seconds: JobRow['time_limit_seconds'],
  submitted_at: JobRow['submitted_at'],
  started_at: JobRow['started_at'],
  ended_at: JobRow['ended_at'],
  exit_code: JobRow['exit_code'],
  signal: JobRow['signal'],
  max_rss_mb: JobRow['max_rss_mb'],
  cpu_seconds: JobRow['cpu_seconds'],
  attempt_status: JobRow['attempt_status'],
  attempt_started_at: JobRow['attempt_started_at'],
  attempt_finished_at: JobRow['attempt_finished_at'],
  matches: JobRow['matches'],
];

function rowOf([
  run_id,
  job_id,
  array_job_id,
  array_task_id,
  restart_count,
  attempt,
  state,
  reason,
  partition,
  node_list,
  cpus,
  gpus,
  memory_mb,
  time_limit_seconds,
  submitted_at,
  started_at,
  ended_at,
  exit_code,
  signal,
  max_rss_mb,
  cpu_seconds,
  attempt_status,
  attempt_started_at,
  attempt_finished_at,
  matches,
]: RowValues): JobRow {
  return {
    run_id,
    job_id,
    array_job_id,
    array_task_id,
    restart_count,
    attempt,
    state,
    reason,
    partition,
    node_list,
    cpus,
    gpus,
    memory_mb,
    time_limit_seconds,
    submitted_at,
    started_at,
    ended_at,
    exit_code,
    signal,
    max_rss_mb,
    cpu_seconds,
    attempt_status,
    attempt_started_at,
    attempt_finished_at,
    matches,
  };
}

function matchSql({ filter, runId }: JobSelection): Sql {
  return runId === undefined ? filterSql(filter) : sql`${filterSql(filter)} AND r.run_id = ${runId}`;
}
