// The SLURM jobs that ran runs: an array is one job.
import type { Db } from '../db/open.ts';
import { isCount, wrongArgument } from './arguments.ts';
import { missingTasks, taskNumber } from './array-tasks.ts';
import { compressHostList, expandHostList } from './host-list.ts';
import { hoursByStatus, readHoursByStatus, type StatusHours } from './job-hours.ts';
import { readJobIds, readJobRows } from './job-rows.ts';
import { sampler, type SampledUse } from './job-samples.ts';
import { stateWord } from './job-states.ts';
import { sumOfHours, tasksOfJobs, type Hours, type JobTask, type TasksOfJob } from './job-tasks.ts';
import type { RunFilter } from './run-filter.ts';

export interface JobsOptions extends RunFilter {
  /** Jobs of this run alone. */
  runId?: string | undefined;
  /** Jobs with a task in this state, or one of these, in the words of `JobTask.state`; case does not matter. */
  state?: string | readonly string[] | undefined;
  /** Jobs with a task that has not ended. */
  active?: boolean | undefined;
  /** The newest so many; default all. */
  limit?: number | undefined;
  /** As of when, in milliseconds since 1970; default now. */
  now?: number | undefined;
}

/** How much of what was allocated was used. */
export interface JobUse {
  /** In MB, and null: nobody said. */
  max_rss_mb: number | null;
  /** CPU time over that of all allocated CPUs, 0 to 1. */
  cpu_efficiency: number | null;
  /** Made of samples of the runs, and not of what SLURM said. */
  is_sampled: { max_rss_mb: boolean; cpu_efficiency: boolean };
}

/**
 * A job or an array. All but hours and requeues is of the newest restart of each task; `null` is: nobody said. What is
 * said of tasks is of those that ran runs which the filter takes.
 */
export interface Job extends JobUse, Hours {
  /** Of the array, else the job's own. */
  job_id: string;
  is_array: boolean;
  /** 1, if it is no array. */
  tasks: number;
  /** Tasks by state; those of which nobody said any are `unknown`. */
  states: Readonly<Record<string, number>>;
  has_ended: boolean;
  /** Task numbers that no run was seen of, between the lowest and the highest: `3,7,10-12`; null if there are none. */
  missing: string | null;
  missing_count: number;
  run_ids: readonly string[];
  /** Starts after the first, of all tasks. */
  requeues: number;
  partition: string | null;
  /** `node[1-3,7]`. */
  node_list: string | null;
  /** Why tasks wait, and how many for each reason; `unknown`: SLURM does not know them any more. */
  reasons: Readonly<Record<string, number>>;
  /** Of the task that has used most of its time limit, else of the longest. */
  elapsed_seconds: number | null;
  time_limit_seconds: number | null;
  /** The greatest that a task asked for, in MB. */
  memory_mb: number | null;
  cpus: number | null;
  gpus: number | null;
  submitted_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  /** Of the runs that the filter takes, all restarts. */
  hours: Readonly<Record<string, Hours>>;
}

export type UsedJobTask = JobTask & JobUse;

/**
 * The jobs of the runs that match, the newest first.
 *
 * @throws RunfoldError as `getAllRuns` does.
 */
export function getJobs(db: Db, options: JobsOptions = {}): Job[] {
  return foldJobs(db, findJobs(db, options));
}

/**
 * The same, each task and restart by itself, in the order of job (newest first), task and restart.
 *
 * @throws RunfoldError as `getAllRuns` does.
 */
export function getJobTasks(db: Db, options: JobsOptions = {}): UsedJobTask[] {
  const { limit } = options;
  // each of the jobs has a task at least
  const tasks = findJobs(db, options).flatMap((job) => job.tasks.filter(takesTask(options)));
  const sampled = sampler(db);
  return tasks.slice(0, limit).map((task) => ({ ...task, ...useOf([task], [sampled(task)]) }));
}

/**
 * What the runs that match spent, by how their attempts ended: an attempt that a requeue went on from counts by its own
 * end. Of a job that ran several runs each has its share. Hours that still run count up to now.
 *
 * @throws RunfoldError as `getAllRuns` does.
 */
export function getJobHours(db: Db, options: Omit<JobsOptions, 'limit'> = {}): StatusHours[] {
  const { runId, state, active = false, now = Date.now(), ...filter } = options;
  if (state !== undefined || active) return hoursByStatus(findJobs(db, options));
  return readHoursByStatus(db, { filter, runId }, now);
}

/** How many jobs are read at once, to find some in a state: at first, and how many times as many each further time. */
const PAGE = { first: 100, growth: 8 } as const;

/** @throws RunfoldError `usage` for an option that makes no sense. */
export function findJobs(db: Db, options: JobsOptions): TasksOfJob[] {
  const { runId, state, active, limit, now = Date.now(), ...filter } = options;
  checkLimit(limit);
  const selection = { filter, runId, states: wordsOf(state), active };
  const takes = takesTask(options);
  const isAnyTask = state === undefined && active !== true;
  const found: TasksOfJob[] = [];
  // what a state is made of takes all rows of a job
  const ids = readJobIds(db, selection, isAnyTask ? limit : undefined);
  let size: number = limit === undefined ? ids.length : PAGE.first;
  for (let at = 0; at < ids.length && found.length < (limit ?? Infinity); size *= PAGE.growth) {
    const jobs = tasksOfJobs(readJobRows(db, selection, ids.slice(at, at + size)), now);
    found.push(...jobs.filter(({ tasks }) => tasks.some(takes)));
    at += size;
  }
  return found.slice(0, limit);
}

function checkLimit(limit: number | undefined): void {
  if (limit !== undefined && !isCount(limit)) throw wrongArgument('limit', 'a whole number from 0', limit);
}

function takesTask({
  state,
  active = false,
}: Pick<JobsOptions, 'state' | 'active'>): (task: JobTask) => boolean {
  const words = wordsOf(state);
  return (task) =>
    (words === undefined || (task.is_newest && words.includes(stateWord(task.state ?? UNKNOWN)))) &&
    (!active || !task.has_ended);
}

function wordsOf(state: JobsOptions['state']): string[] | undefined {
  if (state === undefined) return undefined;
  const given: readonly unknown[] = Array.isArray(state) ? state : [state];
  return given.map((word) => {
    if (typeof word === 'string') return stateWord(word);
    throw wrongArgument('state', 'a state or an array of them', word);
  });
}

const UNKNOWN = 'unknown';

export function foldJobs(db: Db, jobs: readonly TasksOfJob[]): Job[] {
  const sampled = sampler(db);
  return jobs.map((job) => foldJob(job, sampled));
}

function foldJob(
  { job_id, is_array, tasks: all, array_task_ids }: TasksOfJob,
  sampled: (task: JobTask) => SampledUse,
): Job {
  const tasks = all.filter(({ is_newest }) => is_newest);
  const missing = missingTasks(array_task_ids.map(taskNumber).filter((number) => number !== undefined));
  const worst = worstOf(tasks);
  const hours: Record<string, Hours> = Object.fromEntries(
    hoursByStatus([{ tasks: all }]).map(({ status, gpu_hours, cpu_hours }) => [
      status,
      { gpu_hours, cpu_hours },
    ]),
  );
  return {
    job_id,
    is_array,
    tasks: tasks.length,
    states: counted(tasks.map(({ state }) => state ?? UNKNOWN)),
    has_ended: tasks.every(({ has_ended }) => has_ended),
    missing: missing.count === 0 ? null : missing.list,
    missing_count: missing.count,
    run_ids: [...new Set(all.flatMap(({ runs }) => runs.map(({ run_id }) => run_id)))],
    requeues: tasks.reduce((sum, { restart_count }) => sum + restart_count, 0),
    partition: listOf(tasks.map(({ partition }) => partition)),
    node_list: nodesOf(tasks),
    reasons: counted(tasks.flatMap((task) => reasonOf(task) ?? [])),
    elapsed_seconds: worst?.elapsed_seconds ?? null,
    time_limit_seconds: worst?.time_limit_seconds ?? null,
    memory_mb: most(tasks.map(({ memory_mb }) => memory_mb)),
    cpus: most(tasks.map(({ cpus }) => cpus)),
    gpus: most(tasks.map(({ gpus }) => gpus)),
    submitted_at: tasks.map((task) => task.submitted_at).reduce(pick('<'), null),
    started_at: tasks.map((task) => task.started_at).reduce(pick('<'), null),
    ended_at: tasks.map((task) => task.ended_at).reduce(pick('>'), null),
    ...useOf(tasks, tasks.map(sampled)),
    ...Object.values(hours).reduce<Hours>(sumOfHours, { gpu_hours: null, cpu_hours: null }),
    hours,
  };
}

/** SLURM leaves reasons on jobs that wait no more. */
export function reasonOf({ state, reason, has_ended }: JobTask): string | null {
  if (reason === null || reason === 'None' || has_ended) return null;
  return state === 'RUNNING' && reason !== UNKNOWN ? null : reason;
}

/** The task that has used most of its time limit; where none has a limit, the longest. */
function worstOf(tasks: readonly JobTask[]): JobTask | undefined {
  let worst: JobTask | undefined;
  for (const task of tasks) if (worst === undefined || usedShare(task) > usedShare(worst)) worst = task;
  return worst;
}

/** Without a limit far less than with one, but by the length. */
function usedShare({ elapsed_seconds, time_limit_seconds }: JobTask): number {
  if (elapsed_seconds === null) return -1;
  return time_limit_seconds === null || time_limit_seconds === 0
    ? elapsed_seconds * 1e-12
    : elapsed_seconds / time_limit_seconds;
}

/** Of tasks, with the samples of each. */
function useOf(tasks: readonly JobTask[], samples: readonly SampledUse[]): JobUse {
  let [used, allocated] = [0, 0];
  let isSampled = false;
  for (const [index, task] of tasks.entries()) {
    const { elapsed_seconds, cpus } = task;
    if (elapsed_seconds === null || elapsed_seconds === 0 || cpus === null || cpus === 0) continue;
    // of a job that runs SLURM knows at most what its ended steps used
    const said = task.has_ended ? task.cpu_seconds : null;
    const cpu = said ?? samples[index]?.cpu_seconds ?? null;
    if (cpu === null) continue;
    isSampled ||= said === null;
    used += cpu;
    allocated += elapsed_seconds * cpus;
  }
  const said = most(tasks.map(({ max_rss_mb }) => max_rss_mb));
  const sampled = most(samples.map(({ rss_mb }) => rss_mb));
  const isMore = sampled !== null && (said === null || sampled > said);
  return {
    max_rss_mb: isMore ? sampled : said,
    cpu_efficiency: allocated === 0 ? null : used / allocated,
    is_sampled: { max_rss_mb: isMore, cpu_efficiency: isSampled },
  };
}

function nodesOf(tasks: readonly JobTask[]): string | null {
  const hosts = new Set<string>();
  for (const list of new Set(tasks.map(({ node_list }) => node_list))) {
    // one that cannot be read is shown as it is
    if (list !== null) for (const host of expandHostList(list) ?? [list]) hosts.add(host);
  }
  return hosts.size === 0 ? null : compressHostList(hosts);
}

function counted(words: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a));
}

function listOf(texts: readonly (string | null)[]): string | null {
  const known = new Set(texts.filter((text) => text !== null));
  return known.size === 0 ? null : [...known].join(',');
}

function most(values: readonly (number | null)[]): number | null {
  return values.reduce((a, b) => (a === null || (b !== null && b > a) ? b : a), null);
}

function pick(order: '<' | '>'): (a: string | null, b: string | null) => string | null {
  return (a, b) => {
    if (a === null || b === null) return a ?? b;
    return (order === '<') === a < b ? a : b;
  };
}
