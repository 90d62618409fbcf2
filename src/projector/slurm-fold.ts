// What SLURM and the job's environment said of each job, merged column by column.
import { grouped } from '../grouped.ts';
import { compareByTime, type FoldEvent } from './attempts.ts';
import { compareUtf8 } from './utf8-order.ts';

type SlurmEvent = FoldEvent<'slurm_info'>;

const SOURCE_RANK = { env: 1, squeue: 2, sacct: 3 } as const;

const TERMINAL_STATES: ReadonlySet<string> = new Set([
  'BOOT_FAIL',
  'CANCELLED',
  'COMPLETED',
  'DEADLINE',
  'FAILED',
  'LAUNCH_FAILED',
  'NODE_FAIL',
  'OUT_OF_MEMORY',
  'PREEMPTED',
  'REQUEUED',
  'REVOKED',
  'SPECIAL_EXIT',
  'TIMEOUT',
]);

/** Columns that are the last value said; `state`, `attempt` and `exit_code` have rules of their own. */
const LAST_SAID = [
  'array_job_id',
  'array_task_id',
  'reason',
  'partition',
  'account',
  'node_list',
  'cpus',
  'gpus',
  'memory_mb',
  'time_limit_seconds',
  'submitted_at',
  'started_at',
  'ended_at',
  'signal',
  'max_rss_mb',
  'cpu_seconds',
  'stdout_path',
  'stderr_path',
] as const;
type LastSaid = (typeof LAST_SAID)[number];

export type SlurmJobRow = {
  job_id: string;
  restart_count: number;
  attempt: string;
  state: string | null;
  exit_code: number | null;
} & Record<LastSaid, string | number | null>;

/** The job and restart in which an attempt ran. */
export interface OwnJob {
  jobId: string;
  restart: number;
}

/** "CANCELLED by 1000" is CANCELLED. */
function isTerminalState(state: string): boolean {
  const [word = ''] = state.trim().split(/\s+/);
  return TERMINAL_STATES.has(word.toUpperCase());
}

function compareByAuthority(a: SlurmEvent, b: SlurmEvent): number {
  return SOURCE_RANK[a.event.source] - SOURCE_RANK[b.event.source] || compareByTime(a, b);
}

function jobIdOf({ event }: SlurmEvent): string {
  return String(event.job_id);
}

function restartOf({ event }: SlurmEvent): number {
  return event.restart_count ?? 0;
}

/**
 * A task of an array that has not started has no id of its own: what is said of it bears the array's. As soon as anything
 * names the task's own, that is what all of it is about.
 */
export function withOwnJobIds(said: readonly SlurmEvent[]): SlurmEvent[] {
  const own = new Map<string, string>();
  for (const item of said.toSorted(compareByAuthority)) {
    const task = taskOf(item);
    if (task !== undefined && !hasArraysId(item)) own.set(task, jobIdOf(item));
  }
  return said.map((item) => {
    const id = hasArraysId(item) ? own.get(taskOf(item) ?? '') : undefined;
    return id === undefined ? item : { ...item, event: { ...item.event, job_id: id } };
  });
}

function taskOf({ event }: SlurmEvent): string | undefined {
  if (isNil(event.array_job_id) || isNil(event.array_task_id)) return undefined;
  return JSON.stringify([String(event.array_job_id), String(event.array_task_id)]);
}

function hasArraysId(item: SlurmEvent): boolean {
  return !isNil(item.event.array_job_id) && jobIdOf(item) === String(item.event.array_job_id);
}

/** One row for each job id and restart, sorted by both. */
export function foldSlurmJobs(said: readonly SlurmEvent[]): SlurmJobRow[] {
  const groups = grouped(said, (item) => JSON.stringify([jobIdOf(item), restartOf(item)]));
  const rows = [...groups.values()].map((group) => foldJob(group.toSorted(compareByAuthority)));
  return rows.toSorted((a, b) => compareUtf8(a.job_id, b.job_id) || a.restart_count - b.restart_count);
}

function foldJob(ordered: readonly SlurmEvent[]): SlurmJobRow {
  const last = ordered.at(-1);
  if (last === undefined) throw new Error('a group has at least one member');
  const merged = Object.fromEntries(LAST_SAID.map((column) => [column, lastSaid(ordered, column)]));
  return {
    ...(merged as Record<LastSaid, string | number | null>),
    job_id: jobIdOf(last),
    restart_count: restartOf(last),
    attempt: (ordered.findLast(({ event }) => event.source === 'env') ?? last).attempt,
    state: foldState(ordered),
    exit_code: foldExitCode(ordered),
  };
}

function lastSaid(ordered: readonly SlurmEvent[], column: LastSaid): string | number | null {
  const value = ordered.findLast(({ event }) => !isNil(event[column]))?.event[column] ?? null;
  const isId = column === 'array_job_id' || column === 'array_task_id';
  return isId && value !== null ? String(value) : value;
}

function foldState(ordered: readonly SlurmEvent[]): string | null {
  const states = ordered.map(({ event }) => event.state).filter((state) => typeof state === 'string');
  return states.findLast(isTerminalState) ?? states.at(-1) ?? null;
}

/** SLURM's exit codes lose 128, so what the wrapper saw (source env) is never replaced by them. */
function foldExitCode(ordered: readonly SlurmEvent[]): number | null {
  const coded = ordered.filter(({ event }) => !isNil(event.exit_code));
  const seen = coded.findLast(({ event }) => event.source === 'env') ?? coded.at(-1);
  return seen?.event.exit_code ?? null;
}

/** The job in which an attempt ran: by its own environment, else by what SLURM said of it. */
export function ownJobOf(attempt: string, said: readonly SlurmEvent[]): OwnJob | undefined {
  const ordered = said.filter((item) => item.attempt === attempt).toSorted(compareByTime);
  const fromEnv = ordered.findLast(({ event }) => event.source === 'env');
  if (fromEnv !== undefined) return { jobId: jobIdOf(fromEnv), restart: restartOf(fromEnv) };
  const last = ordered.at(-1);
  if (last === undefined) return undefined;
  const jobId = jobIdOf(last);
  const restarts = ordered.filter((item) => jobIdOf(item) === jobId).map(restartOf);
  return { jobId, restart: Math.min(...restarts) };
}

/**
 * The row of a restart that comes after the attempt's own and in which no attempt has begun yet: it waits in the queue, or
 * starts. One that SLURM does not know any more has no future.
 */
export function waitingRestart(own: OwnJob, rows: readonly SlurmJobRow[]): SlurmJobRow | undefined {
  const newest = rows.findLast((row) => row.job_id === own.jobId);
  if (newest === undefined || newest.restart_count <= own.restart) return undefined;
  const { state, reason } = newest;
  return state === null || isTerminalState(state) || reason === 'unknown' ? undefined : newest;
}

function isNil(value: unknown): boolean {
  return value === null || value === undefined;
}
