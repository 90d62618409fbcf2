// What sacct answers -> one row for each start of a job, with its steps.
import type { Problem, SlurmFacts } from './facts.ts';
import { grouped } from '../grouped.ts';
import { jobKey, parseJobName, type TaskRange } from './job-id.ts';
import { isEndState, stateWord } from './states.ts';
import {
  durationSeconds,
  exitOf,
  known,
  resourcesOf,
  sizeMb,
  utcTime,
  wholeNumber,
  type Exit,
} from './values.ts';

/** None of them holds what a user has typed, save the reason: it is last, so that a `|` in it stays in it. */
const FIELDS = [
  'JobID',
  'JobIDRaw',
  'Partition',
  'Account',
  'State',
  'ExitCode',
  'Submit',
  'Start',
  'End',
  'TimelimitRaw',
  'NodeList',
  'ReqTRES',
  'AllocTRES',
  'MaxRSS',
  'TotalCPU',
  'Reason',
] as const;
type Field = (typeof FIELDS)[number];

/** `-P`, because the JSON of some versions says SUCCESS for every exit code; `-D` for the starts before a requeue. */
export function sacctArguments(ids: readonly string[]): string[] {
  return ['-P', '-D', `--jobs=${ids.join(',')}`, `--format=${FIELDS.join(',')}`];
}

export interface SacctStep {
  /** `batch`, `extern`, `0` … */
  name: string;
  state: string;
  exit: Exit;
  startedAt?: string | undefined;
  endedAt?: string | undefined;
  maxRssMb?: number | undefined;
}

export interface SacctRow {
  /** Raw id; of tasks that wait, their array's. */
  job: string;
  array?: string;
  task?: string;
  tasks?: TaskRange;
  /** What stands there for the first seconds, before the controller's word has come in: it says nothing. */
  isStub: boolean;
  exit: Exit;
  facts: SlurmFacts;
  steps: SacctStep[];
}

export interface SacctAnswer {
  /** False: the first line is not the header, so that this is no answer at all. */
  isTable: boolean;
  /** Those of one job in the order of its starts. */
  rows: SacctRow[];
  problems: Problem[];
}

interface StepLine extends SacctStep {
  key: string;
}

export function parseSacct(text: string): SacctAnswer {
  const problems: Problem[] = [];
  const rows: SacctRow[] = [];
  const steps: StepLine[] = [];
  let header: Map<string, number> | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const cells = line.split('|');
    if (header === undefined) {
      if (!cells.includes('JobIDRaw') || !cells.includes('State')) break;
      header = new Map(cells.map((name, column) => [name, column]));
      continue;
    }
    const parsed = lineOf(cells, header);
    if (typeof parsed === 'string') problems.push({ line: index + 1, what: parsed });
    else if ('key' in parsed) steps.push(parsed);
    else rows.push(parsed);
  }
  rows.sort(compareStarts);
  return { isTable: header !== undefined, rows: withSteps(rows, steps), problems };
}

function lineOf(cells: readonly string[], header: ReadonlyMap<string, number>): SacctRow | StepLine | string {
  const reason = header.get('Reason');
  const isReasonLast = reason === header.size - 1;
  if (cells.length < header.size || (cells.length > header.size && !isReasonLast)) {
    return `has ${cells.length} fields, not ${header.size}`;
  }
  const of = (field: Field): string => cells[header.get(field) ?? -1]?.trim() ?? '';
  const name = parseJobName(of('JobID'));
  const raw = parseJobName(of('JobIDRaw'));
  if (name === undefined || raw === undefined || raw.task !== undefined) return 'names no job';
  const state = known(of('State'));
  if (state === undefined) return 'has no state';
  const exit = exitOf(of('ExitCode'));
  if (name.step !== undefined) {
    return {
      key: jobKey(raw.job, name.job, name.task),
      name: name.step,
      state,
      exit,
      startedAt: utcTime(of('Start')),
      endedAt: utcTime(of('End')),
      maxRssMb: sizeMb(of('MaxRSS')),
    };
  }
  const reasonText = isReasonLast ? cells.slice(reason).join('|') : of('Reason');
  const partition = known(of('Partition'));
  const nodes = known(of('NodeList'));
  const asked = resourcesOf(of('ReqTRES'));
  const given = resourcesOf(of('AllocTRES'));
  const limit = wholeNumber(of('TimelimitRaw'));
  const isTask = name.task !== undefined || name.tasks !== undefined;
  return {
    job: raw.job,
    ...(isTask && { array: name.job }),
    ...(name.task !== undefined && { task: name.task }),
    ...(name.tasks !== undefined && { tasks: name.tasks }),
    isStub: partition === undefined && !isEndState(state),
    exit,
    facts: {
      state,
      reason: known(reasonText),
      partition,
      account: known(of('Account')),
      node_list: nodes,
      cpus: given.cpus ?? asked.cpus,
      gpus: given.gpus ?? asked.gpus,
      memory_mb: asked.memoryMb ?? given.memoryMb,
      time_limit_seconds: limit === undefined ? undefined : limit * 60,
      submitted_at: utcTime(of('Submit')),
      // one that was cancelled while it waited can have a start, but no node
      started_at: nodes === undefined ? undefined : utcTime(of('Start')),
      ended_at: isEndState(state) ? utcTime(of('End')) : undefined,
      cpu_seconds: isEndState(state) ? durationSeconds(of('TotalCPU')) : undefined,
    },
    steps: [],
  };
}

/** Times have one form, which sorts as text; what has not started comes after what has. */
function compareStarts(a: SacctRow, b: SacctRow): number {
  return (
    compare(a.facts.submitted_at ?? '', b.facts.submitted_at ?? '') ||
    compare(a.facts.started_at ?? '~', b.facts.started_at ?? '~') ||
    compare(a.facts.ended_at ?? '~', b.facts.ended_at ?? '~')
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A step belongs to the last start of its job that was not after it. */
function withSteps(rows: SacctRow[], steps: readonly StepLine[]): SacctRow[] {
  const byKey = grouped(rows, ({ job, array, task }) => jobKey(job, array, task));
  for (const { key, ...step } of steps) {
    const starts = byKey.get(key) ?? [];
    const begun = starts.filter((row) => (row.facts.started_at ?? '~') <= (step.startedAt ?? ''));
    (begun.at(-1) ?? (starts.length === 1 ? starts[0] : undefined))?.steps.push(step);
  }
  return rows;
}

/** Rows of one job in order -> its restarts 0, 1, 2 …: an id may have belonged to another job before. */
export function startsOf(rows: readonly SacctRow[]): SacctRow[] {
  const last = rows.findLastIndex((row, index) => index < rows.length - 1 && !mayStartAgain(row.facts.state));
  return rows.slice(last + 1);
}

/** After an end in one of these another start of the same job may follow. */
export const STARTS_AGAIN: ReadonlySet<string> = new Set([
  'REQUEUED',
  'PREEMPTED',
  'NODE_FAIL',
  'BOOT_FAIL',
  'SPECIAL_EXIT',
  'LAUNCH_FAILED',
]);

/** Whether another start of the same job may follow. */
export function mayStartAgain(state: string): boolean {
  return STARTS_AGAIN.has(stateWord(state));
}
