// Jobs, their tasks and their hours -> tables.
import { reasonOf, type Job, type UsedJobTask } from '../query/jobs.ts';
import type { JobUse } from '../query/jobs.ts';
import { endOfState } from '../query/job-states.ts';
import { cutText } from './cut-text.ts';
import { cell, missing, type Cell, type Column, type Emphasis, type Table } from './format/table.ts';
import { hours, thousands } from './human.ts';
import { isNear, memoryText, stateEmphasis, taskName, timeText } from './job-words.ts';
import { SHORT_ID, statusEmphasis } from './run-table.ts';

const SHOWN_RUNS = 2;
/** Of a list of missing tasks or nodes; all of it is in JSON. */
const LIST_WIDTH = 32;
/** In a narrow terminal the greatest goes first. */
const LEAVE_OUT = { partition: 6, cpu: 5, nodes: 4, runs: 3, gpu: 2, memory: 1 } as const;

interface JobColumn<Row> extends Column {
  cellOf: (row: Row) => Cell;
  /** Shown although no row has anything there. */
  isAlways?: boolean;
}

/** For people: columns in which there is nothing to see are left out. */
export function jobTable(jobs: readonly Job[]): Table {
  return { ...tableOf(JOB_COLUMNS, jobs), notes: notesOn(jobs) };
}

export function taskTable(tasks: readonly UsedJobTask[]): Table {
  return { ...tableOf(TASK_COLUMNS, tasks), notes: sampledNote(tasks) };
}

/** What stands below the jobs that are shown. */
function notesOn(jobs: readonly Job[]): string[] {
  const spent = new Map<string, { gpu: number; cpu: number }>();
  for (const job of jobs)
    for (const [status, { gpu_hours, cpu_hours }] of Object.entries(job.hours)) {
      const before = spent.get(status) ?? { gpu: 0, cpu: 0 };
      spent.set(status, { gpu: before.gpu + (gpu_hours ?? 0), cpu: before.cpu + (cpu_hours ?? 0) });
    }
  const lineOf = (what: string, pick: (each: { gpu: number; cpu: number }) => number): string[] => {
    const parts = [...spent].filter(([, each]) => pick(each) > 0);
    if (parts.length === 0) return [];
    const texts = ORDER.flatMap((status) =>
      parts
        .filter(([name]) => name === status)
        .map(([, each]) => `${hours(pick(each))} ${HOW[status] ?? status}`),
    );
    return [`${what}: ${texts.join(', ')}`];
  };
  return [
    ...lineOf('GPU hours', ({ gpu }) => gpu),
    ...lineOf('CPU hours', ({ cpu }) => cpu),
    ...sampledNote(jobs),
  ];
}

const ORDER = ['completed', 'failed', 'timeout', 'running', 'pending'] as const;
const HOW: Readonly<Record<string, string>> = {
  completed: 'on completed runs',
  failed: 'on failed ones',
  timeout: 'on ones that timed out',
  running: 'still running',
};

function sampledNote(uses: readonly Pick<JobUse, 'is_sampled'>[]): string[] {
  const isAny = uses.some(({ is_sampled }) => is_sampled.cpu_efficiency || is_sampled.max_rss_mb);
  return isAny ? ['~ by the samples of its runs; SLURM has not said it yet'] : [];
}

function tableOf<Row>(columns: readonly JobColumn<Row>[], rows: readonly Row[]): Table {
  const shown = columns
    .map(({ cellOf, isAlways = false, ...column }) => ({ column, isAlways, cells: rows.map(cellOf) }))
    .filter(
      ({ isAlways, cells }) =>
        isAlways || cells.some(({ value, text }) => value !== null || text !== undefined),
    );
  return {
    columns: shown.map(({ column }) => column),
    rows: rows.map((_, index) => shown.map(({ cells }) => cells[index] ?? missing())),
  };
}

const JOB_COLUMNS: readonly JobColumn<Job>[] = [
  { name: 'job_id', label: 'job', isAlways: true, shrink: 'cut', cellOf: (job) => cell(job.job_id) },
  { name: 'states', label: 'state', isAlways: true, shrink: 'cut', cellOf: statesCell },
  { name: 'missing', shrink: 'cut', cellOf: ({ missing: list }) => listCell(list, 'warn') },
  {
    name: 'reasons',
    label: 'reason',
    shrink: 'cut',
    cellOf: ({ reasons }) => countsCell(reasons),
  },
  { name: 'elapsed_seconds', label: 'time (h:mm)', shrink: 'cut', cellOf: timeCell },
  { name: 'max_rss_mb', label: 'memory', leaveOut: LEAVE_OUT.memory, shrink: 'cut', cellOf: memoryCell },
  { name: 'cpu_efficiency', label: 'CPU', align: 'right', leaveOut: LEAVE_OUT.cpu, cellOf: cpuCell },
  {
    name: 'gpu_hours',
    label: 'GPU h',
    align: 'right',
    leaveOut: LEAVE_OUT.gpu,
    cellOf: (job) => hoursCell(job.gpu_hours),
  },
  {
    name: 'run_ids',
    label: 'runs',
    leaveOut: LEAVE_OUT.runs,
    shrink: 'cut',
    cellOf: ({ run_ids }) => runsCell(run_ids),
  },
  {
    name: 'node_list',
    label: 'nodes',
    leaveOut: LEAVE_OUT.nodes,
    shrink: 'cut',
    cellOf: (job) => listCell(job.node_list),
  },
  { name: 'partition', leaveOut: LEAVE_OUT.partition, shrink: 'cut', cellOf: (job) => cell(job.partition) },
];

const TASK_COLUMNS: readonly JobColumn<UsedJobTask>[] = [
  {
    name: 'job_id',
    label: 'job',
    isAlways: true,
    shrink: 'cut',
    cellOf: (task) => cell(task.job_id, taskName(task)),
  },
  {
    name: 'restart_count',
    label: 'restart',
    cellOf: ({ restart_count: count }) => (count === 0 ? { value: null } : cell(count)),
  },
  { name: 'state', isAlways: true, shrink: 'cut', cellOf: ({ state }) => stateCell(state) },
  { name: 'reason', shrink: 'cut', cellOf: (task) => cell(reasonOf(task)) },
  { name: 'exit_code', label: 'exit', cellOf: exitCell },
  { name: 'elapsed_seconds', label: 'time (h:mm)', shrink: 'cut', cellOf: timeCell },
  { name: 'max_rss_mb', label: 'memory', leaveOut: LEAVE_OUT.memory, shrink: 'cut', cellOf: memoryCell },
  { name: 'cpu_efficiency', label: 'CPU', align: 'right', leaveOut: LEAVE_OUT.cpu, cellOf: cpuCell },
  { name: 'gpus', label: 'GPUs', leaveOut: LEAVE_OUT.gpu, cellOf: ({ gpus }) => cell(gpus) },
  {
    name: 'run_ids',
    label: 'runs',
    leaveOut: LEAVE_OUT.runs,
    shrink: 'cut',
    cellOf: ({ runs }) => runsCell(runs.map(({ run_id }) => run_id)),
  },
  {
    name: 'node_list',
    label: 'nodes',
    leaveOut: LEAVE_OUT.nodes,
    shrink: 'cut',
    cellOf: (task) => listCell(task.node_list),
  },
  { name: 'partition', leaveOut: LEAVE_OUT.partition, shrink: 'cut', cellOf: (task) => cell(task.partition) },
];

/** `12 COMPLETED, 3 FAILED, 40 PENDING (+2 requeues)`; the one state of a job that is no array stands alone. */
function statesCell({ states, is_array, tasks, requeues }: Job): Cell {
  const words = Object.entries(states).toSorted(([a], [b]) => rank(a) - rank(b));
  const isAlone = !is_array && tasks === 1;
  const counts = words.map(([word, count]) => (isAlone ? word : `${thousands(count)} ${word}`));
  const again = requeues === 0 ? '' : ` (+${requeues} ${requeues === 1 ? 'requeue' : 'requeues'})`;
  return cell(states, counts.join(', ') + again, worstOf(words.map(([word]) => stateEmphasis(word))));
}

/** What has ended comes first, what waits last. */
function rank(word: string): number {
  if (word === 'COMPLETED' || word === 'completed') return 0;
  if (word === 'PENDING' || word === 'pending') return 4;
  if (word === 'RUNNING' || word === 'running') return 2;
  return endOfState(word) === undefined && statusEmphasis(word) === undefined ? 3 : 1;
}

function worstOf(emphases: readonly (Emphasis | undefined)[]): Emphasis | undefined {
  const worst = (['bad', 'warn'] as const).find((each) => emphases.includes(each));
  const [first] = emphases;
  return worst ?? (emphases.every((each) => each === first) ? first : undefined);
}

function stateCell(state: string | null): Cell {
  return cell(state, undefined, state === null ? undefined : stateEmphasis(state));
}

function countsCell(counts: Readonly<Record<string, number>>): Cell {
  const entries = Object.entries(counts);
  if (entries.length === 0) return missing();
  return cell(counts, entries.map(([word, count]) => (count === 1 ? word : `${word} ${count}`)).join(', '));
}

function timeCell({ elapsed_seconds, time_limit_seconds }: Job | UsedJobTask): Cell {
  const text = timeText(elapsed_seconds, time_limit_seconds);
  return cell(elapsed_seconds, text, isNear(elapsed_seconds, time_limit_seconds) ? 'warn' : undefined);
}

function memoryCell({ max_rss_mb, memory_mb, is_sampled }: Job | UsedJobTask): Cell {
  const text = memoryText(max_rss_mb, memory_mb, is_sampled.max_rss_mb);
  return cell(max_rss_mb, text, isNear(max_rss_mb, memory_mb) ? 'warn' : undefined);
}

function cpuCell({ cpu_efficiency, is_sampled }: JobUse): Cell {
  if (cpu_efficiency === null) return missing();
  return cell(cpu_efficiency, `${is_sampled.cpu_efficiency ? '~' : ''}${Math.round(cpu_efficiency * 100)} %`);
}

function hoursCell(value: number | null): Cell {
  return value === null ? missing() : cell(value, hours(value));
}

function exitCell({ exit_code, signal }: UsedJobTask): Cell {
  if (signal !== null && signal !== 0) return cell(exit_code, `signal ${signal}`);
  return cell(exit_code);
}

function listCell(list: string | null, emphasis?: Emphasis): Cell {
  return list === null ? missing() : cell(list, cutText(list, LIST_WIDTH), emphasis);
}

function runsCell(ids: readonly string[]): Cell {
  const shown = ids.slice(0, SHOWN_RUNS).map((id) => id.slice(0, SHORT_ID));
  return cell(ids, ids.length > SHOWN_RUNS ? `${thousands(ids.length)} runs` : shown.join(' '));
}

/** All that there is, for programs. */
export function recordTable<Row extends object>(
  records: readonly Row[],
  names: readonly (keyof Row & string)[],
): Table {
  return {
    columns: names.map((name) => ({ name })),
    rows: records.map((record) => names.map((name) => cell((record[name] ?? null) as Cell['value']))),
  };
}

export const JOB_FIELDS = [
  'job_id',
  'is_array',
  'tasks',
  'states',
  'has_ended',
  'missing',
  'missing_count',
  'run_ids',
  'requeues',
  'partition',
  'node_list',
  'reasons',
  'elapsed_seconds',
  'time_limit_seconds',
  'memory_mb',
  'max_rss_mb',
  'cpus',
  'gpus',
  'cpu_efficiency',
  'is_sampled',
  'gpu_hours',
  'cpu_hours',
  'hours',
  'submitted_at',
  'started_at',
  'ended_at',
] as const satisfies readonly (keyof Job)[];

export const TASK_FIELDS = [
  'job_id',
  'array_job_id',
  'array_task_id',
  'restart_count',
  'is_newest',
  'state',
  'has_ended',
  'reason',
  'runs',
  'partition',
  'node_list',
  'cpus',
  'gpus',
  'memory_mb',
  'max_rss_mb',
  'cpu_seconds',
  'cpu_efficiency',
  'is_sampled',
  'time_limit_seconds',
  'submitted_at',
  'started_at',
  'ended_at',
  'elapsed_seconds',
  'exit_code',
  'signal',
  'hours',
] as const satisfies readonly (keyof UsedJobTask)[];
