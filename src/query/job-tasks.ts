// Rows of runs and jobs -> what SLURM ran: each task and restart once, however many runs it ran.
import { grouped } from '../grouped.ts';
import type { RunStatus } from '../events/event.ts';
import type { JobRow } from './job-rows.ts';
import { isWaiting, stateOf, statusOf } from './job-ends.ts';
import { endOfState, hasEnded } from './job-states.ts';

/** Hours of allocated GPUs and CPUs; null: how many there were is not known. */
export interface Hours {
  gpu_hours: number | null;
  cpu_hours: number | null;
}

/**
 * One start of a job, or of one task of an array, by SLURM. Times are UTC, `2026-11-23T10:15:00.123Z`; null is: nobody
 * said.
 */
export interface JobTask {
  /** SLURM's raw id; that of the array for a task that has none yet. */
  job_id: string;
  array_job_id: string | null;
  array_task_id: string | null;
  /** 0 for the first start, then one more for each requeue. */
  restart_count: number;
  /** No later restart is known. */
  is_newest: boolean;
  /**
   * SLURM's word without details, `CANCELLED`. Where SLURM was not asked since its runs ended: their status, in lower
   * case; `superseded` where it has been started again and nobody said how it ended.
   */
  state: string | null;
  has_ended: boolean;
  /** Why it waits, as SLURM says; `unknown`: SLURM does not know the job any more. */
  reason: string | null;
  /** Those that the filter takes, with the attempts that ran here. */
  runs: readonly { run_id: string; attempt: string }[];
  partition: string | null;
  node_list: string | null;
  cpus: number | null;
  gpus: number | null;
  /** As asked for, in MB. */
  memory_mb: number | null;
  max_rss_mb: number | null;
  /** User and system time of all processes. */
  cpu_seconds: number | null;
  time_limit_seconds: number | null;
  submitted_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  /** From the start to the end, or to now; null: not started, or not known. */
  elapsed_seconds: number | null;
  exit_code: number | null;
  signal: number | null;
  /** What it spent on the runs that the filter takes, by how their attempts ended. */
  hours: Readonly<Partial<Record<RunStatus, Hours>>>;
}

/** All tasks and restarts of one job or array. */
export interface TasksOfJob {
  /** Of the array, else the job's own. */
  job_id: string;
  is_array: boolean;
  /** In order of task and restart; at least one. */
  tasks: readonly JobTask[];
  /** Of all tasks that were ever seen, those of other runs too. */
  array_task_ids: readonly string[];
}

/** The jobs of the runs that match, the newest first. */
export function tasksOfJobs(rows: readonly JobRow[], nowMs: number): TasksOfJob[] {
  const jobs = grouped(rows, ({ array_job_id, job_id }) => array_job_id ?? job_id);
  return [...jobs]
    .filter(([, ofJob]) => ofJob.some(({ matches }) => matches === 1))
    .toSorted(([a], [b]) => compareIds(b, a))
    .map(([job_id, ofJob]) => ({
      job_id,
      is_array: ofJob.some(({ array_job_id }) => array_job_id !== null),
      tasks: tasksOf(ofJob, nowMs),
      array_task_ids: ofJob.flatMap(({ array_task_id }) => (array_task_id === null ? [] : [array_task_id])),
    }));
}

function tasksOf(rows: readonly JobRow[], nowMs: number): JobTask[] {
  const tasks = grouped(rows, ({ array_task_id, job_id }) => array_task_id ?? `job ${job_id}`);
  return [...tasks.values()]
    .flatMap((ofTask) => {
      const restarts = [...grouped(ofTask, ({ restart_count }) => restart_count)]
        .toSorted(([a], [b]) => a - b)
        .map(([, ofRestart]) => ofRestart)
        .map((ofRestart, index, all) => withOwnAttempts(ofRestart, all.slice(0, index).flat()));
      return restarts
        .map((ofRestart, index) => jobTask(ofRestart, restarts[index + 1], nowMs))
        .filter(({ runs }) => runs.length > 0);
    })
    .toSorted(
      (a, b) =>
        compareIds(a.array_task_id ?? '', b.array_task_id ?? '') ||
        compareIds(a.job_id, b.job_id) ||
        a.restart_count - b.restart_count,
    );
}

/** While a restart waits, what SLURM says of it names the attempt before, whose status is not this restart's. */
function withOwnAttempts(rows: readonly JobRow[], before: readonly JobRow[]): JobRow[] {
  const isOwn = ({ run_id, attempt }: JobRow): boolean =>
    !before.some((row) => row.run_id === run_id && row.attempt === attempt);
  return rows.map((row) => (isOwn(row) ? row : { ...row, ...NO_ATTEMPT }));
}

const NO_ATTEMPT = {
  attempt_status: null,
  attempt_started_at: null,
  attempt_finished_at: null,
} as const;

/** SLURM counts its ids up, so the longer is the later: 9 comes before 10. */
export function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

function jobTask(rows: readonly JobRow[], next: readonly JobRow[] | undefined, nowMs: number): JobTask {
  const state = stateOf(rows, next !== undefined);
  const end = state === null ? undefined : endOfState(state);
  const areRunsOver = rows.every(({ attempt_status }) => hasEnded(attempt_status));
  const has_ended = end !== undefined || areRunsOver || next !== undefined;
  const time_limit_seconds = greatest(rows, 'time_limit_seconds');
  const span = spanOf(rows, { state, has_ended, next, time_limit_seconds, nowMs });
  const cpus = greatest(rows, 'cpus');
  const gpus = greatest(rows, 'gpus');
  return {
    job_id: first(rows, 'job_id') ?? '',
    array_job_id: first(rows, 'array_job_id'),
    array_task_id: first(rows, 'array_task_id'),
    restart_count: rows[0]?.restart_count ?? 0,
    is_newest: next === undefined,
    state,
    has_ended,
    reason: first(rows, 'reason'),
    runs: rows.flatMap(({ matches, run_id, attempt }) => (matches === 1 ? [{ run_id, attempt }] : [])),
    partition: first(rows, 'partition'),
    node_list: first(rows, 'node_list'),
    cpus,
    gpus,
    memory_mb: greatest(rows, 'memory_mb'),
    max_rss_mb: greatest(rows, 'max_rss_mb'),
    cpu_seconds: greatest(rows, 'cpu_seconds'),
    time_limit_seconds,
    submitted_at: earliest(rows, 'submitted_at'),
    started_at: earliest(rows, 'started_at'),
    ended_at: latest(rows, 'ended_at'),
    elapsed_seconds: span,
    exit_code: first(rows, 'exit_code'),
    signal: first(rows, 'signal'),
    hours: hoursOf(rows, { span, cpus, gpus, end, isSuperseded: next !== undefined, nowMs }),
  };
}

interface SpanClues {
  state: string | null;
  has_ended: boolean;
  next: readonly JobRow[] | undefined;
  time_limit_seconds: number | null;
  nowMs: number;
}

/** In seconds, by SLURM's times, else by those of the runs. Time that still runs counts up to now or the time limit. */
function spanOf(
  rows: readonly JobRow[],
  { state, has_ended, next, time_limit_seconds, nowMs }: SpanClues,
): number | null {
  const start = millis(earliest(rows, 'started_at') ?? earliest(rows, 'attempt_started_at'));
  if (start === undefined || isWaiting(state)) return null;
  const said = millis(latest(rows, 'ended_at'));
  if (said !== undefined) return secondsBetween(start, said);
  const byRuns = rows.every(({ attempt_status }) => hasEnded(attempt_status))
    ? millis(latest(rows, 'attempt_finished_at'))
    : undefined;
  if (byRuns !== undefined) return secondsBetween(start, byRuns);
  const limit = time_limit_seconds === null ? Infinity : start + time_limit_seconds * 1000;
  if (next !== undefined) {
    const after = millis(earliest(next, 'submitted_at') ?? earliest(next, 'started_at'));
    return after === undefined ? null : secondsBetween(start, Math.min(after, limit));
  }
  return has_ended ? null : secondsBetween(start, Math.min(nowMs, limit));
}

interface HourClues {
  span: number | null;
  cpus: number | null;
  gpus: number | null;
  end: RunStatus | undefined;
  isSuperseded: boolean;
  nowMs: number;
}

/** The job's hours, shared among all its runs by how long each took, so that they count once. */
function hoursOf(rows: readonly JobRow[], clues: HourClues): JobTask['hours'] {
  const { span, cpus, gpus, nowMs } = clues;
  if (span === null) return {};
  const shares = sharesOf(rows.map((row) => tookOf(row, nowMs)));
  const hours: Partial<Record<RunStatus, Hours>> = {};
  for (const [index, row] of rows.entries()) {
    if (row.matches === 0) continue;
    const share = ((shares[index] ?? 0) * span) / 3600;
    hours[statusOf(row, clues)] = sumOfHours(hours[statusOf(row, clues)], {
      gpu_hours: gpus === null ? null : share * gpus,
      cpu_hours: cpus === null ? null : share * cpus,
    });
  }
  return hours;
}

function tookOf(row: JobRow, nowMs: number): number {
  const start = millis(row.attempt_started_at);
  return start === undefined ? 0 : secondsBetween(start, millis(row.attempt_finished_at) ?? nowMs);
}

function sharesOf(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (total === 0 ? 1 / weights.length : weight / total));
}

/** What is not known of one is not known of none: the sum is of what is known. */
export function sumOfHours(a: Hours | undefined, b: Hours): Hours {
  return {
    gpu_hours: sumOfKnown(a?.gpu_hours ?? null, b.gpu_hours),
    cpu_hours: sumOfKnown(a?.cpu_hours ?? null, b.cpu_hours),
  };
}

function sumOfKnown(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return a + b;
}

function millis(iso: string | null): number | undefined {
  return iso === null ? undefined : Date.parse(iso);
}

/** Clocks differ: none is negative. */
function secondsBetween(startMs: number, endMs: number): number {
  return Math.max(0, endMs - startMs) / 1000;
}

type Texts = { [Name in keyof JobRow]: JobRow[Name] extends string | null ? Name : never }[keyof JobRow];
type Numbers = {
  [Name in keyof JobRow]-?: JobRow[Name] extends number | null | undefined ? Name : never;
}[keyof JobRow];

function first<Name extends Texts | Numbers>(rows: readonly JobRow[], name: Name): JobRow[Name] | null {
  return rows.find((row) => row[name] !== null)?.[name] ?? null;
}

function greatest(rows: readonly JobRow[], name: Numbers): number | null {
  let found: number | null = null;
  for (const { [name]: value } of rows)
    if (value !== null && value !== undefined && (found === null || value > found)) found = value;
  return found;
}

function earliest(rows: readonly JobRow[], name: Texts): string | null {
  return extreme(rows, name, (a, b) => a < b);
}

function latest(rows: readonly JobRow[], name: Texts): string | null {
  return extreme(rows, name, (a, b) => a > b);
}

function extreme(
  rows: readonly JobRow[],
  name: Texts,
  isBefore: (a: string, b: string) => boolean,
): string | null {
  let found: string | null = null;
  for (const { [name]: value } of rows)
    if (value !== null && (found === null || isBefore(value, found))) found = value;
  return found;
}
