// What squeue answers -> one row for each job, or for each task of an array.
import type { Problem, SlurmFacts } from './facts.ts';
import { parseJobName, type TaskRange } from './job-id.ts';
import { outputPath } from './output-path.ts';
import { meaningOf, stateWord } from './states.ts';
import {
  durationSeconds,
  exitOfWaitStatus,
  known,
  resourcesOf,
  utcTime,
  wholeNumber,
  type Exit,
} from './values.ts';

/** Between fields: a job's name and its paths may hold any character that can be typed. */
export const SEPARATOR = '\u001F';

const FIELDS = [
  'jobid',
  'jobarrayid',
  'state',
  'restartcnt',
  'exit_code',
  'partition',
  'account',
  'numcpus',
  'tres-alloc',
  'timelimit',
  'submittime',
  'starttime',
  'endtime',
  'reason',
  'nodelist',
  'username',
  'stdout',
  'stderr',
  'name',
] as const;
type Field = (typeof FIELDS)[number];

/** `-O` rather than `-o`: it alone has the restarts, the whole exit code and the output files. */
export function squeueArguments(ids: readonly string[]): string[] {
  const format = FIELDS.map((field) => `${field}:${SEPARATOR}`).join(',');
  return ['--all', '--states=all', `--jobs=${ids.join(',')}`, '-O', format];
}

export interface SqueueRow {
  /** Raw id; of tasks that wait, their array's. */
  job: string;
  array?: string;
  task?: string;
  /** Waiting tasks that share the row. */
  tasks?: TaskRange;
  restart: number;
  exit: Exit;
  /** `ended_at` is there only for a job that has ended. */
  facts: SlurmFacts;
}

/** `isTable` false: the first line is not the header, so that this is no answer at all. */
export interface SqueueAnswer {
  isTable: boolean;
  rows: SqueueRow[];
  problems: Problem[];
}

export function parseSqueue(text: string): SqueueAnswer {
  const rows: SqueueRow[] = [];
  const problems: Problem[] = [];
  let isTable = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const cells = line.split(SEPARATOR);
    if (!isTable && cells.length > FIELDS.length && cells[0]?.trim() === 'JOBID') {
      isTable = true;
      continue;
    }
    const row = isTable ? rowOf(cells) : 'stands before the header';
    if (typeof row === 'string') problems.push({ line: index + 1, what: row });
    else rows.push(row);
  }
  return { isTable, rows, problems };
}

function rowOf(cells: readonly string[]): SqueueRow | string {
  // each field ends in the separator, so that an empty one follows the last
  if (cells.length !== FIELDS.length + 1) return `has ${cells.length - 1} fields, not ${FIELDS.length}`;
  const of = (field: Field): string => cells[FIELDS.indexOf(field)]?.trim() ?? '';
  const job = of('jobid');
  const name = parseJobName(of('jobarrayid'));
  if (!/^\d{1,18}$/.test(job) || name === undefined) return 'names no job';
  const said = known(of('state'));
  if (said === undefined) return 'has no state';
  // in the queue it is held until somebody releases it; sacct says it of the start that ended so
  const isSpecial = stateWord(said) === 'SPECIAL_EXIT';
  const state = isSpecial ? 'PENDING' : said;
  const { isEnd } = meaningOf(state);
  const isTask = name.task !== undefined || name.tasks !== undefined;
  const exit = exitOfWaitStatus(of('exit_code'));
  const resources = resourcesOf(of('tres-alloc'));
  const nodes = known(of('nodelist'));
  const output = {
    job,
    array: isTask ? name.job : undefined,
    task: name.task,
    user: known(of('username')),
    name: of('name'),
    nodes,
  };
  // tasks that wait have no file yet
  const pathOf = (field: 'stdout' | 'stderr'): string | undefined =>
    name.tasks === undefined ? outputPath(known(of(field)), output) : undefined;
  return {
    job,
    ...(isTask && { array: name.job }),
    ...(name.task !== undefined && { task: name.task }),
    ...(name.tasks !== undefined && { tasks: name.tasks }),
    restart: wholeNumber(of('restartcnt')) ?? 0,
    exit,
    facts: {
      state,
      reason: isSpecial ? 'SPECIAL_EXIT' : known(of('reason')),
      partition: known(of('partition')),
      account: known(of('account')),
      node_list: nodes,
      cpus: wholeNumber(of('numcpus')) ?? resources.cpus,
      gpus: resources.gpus,
      memory_mb: resources.memoryMb,
      time_limit_seconds: durationSeconds(of('timelimit')),
      submitted_at: utcTime(of('submittime')),
      // of a job that waits it is when it may start
      started_at:
        nodes === undefined || stateWord(state) === 'PENDING' ? undefined : utcTime(of('starttime')),
      // of a job that runs it is when it will have to end
      ended_at: isEnd ? utcTime(of('endtime')) : undefined,
      stdout_path: pathOf('stdout'),
      stderr_path: pathOf('stderr'),
    },
  };
}
