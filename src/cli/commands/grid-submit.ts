// runfold grid submit: the rows of a grid that are to be run, as one array, each recorded before it starts.
import * as fs from 'node:fs';
import path from 'node:path';
import { ulid } from 'ulid';
import { messageOf, RunfoldError } from '../../errors.ts';
import { ledgerDirectory } from '../../events/event-writer.ts';
import { formatArrayList, parseArrayList } from '../../grid/array-list.ts';
import type { Grid, GridRow } from '../../grid/grid.ts';
import { CELL_STATES, RESUBMITTED, tally, type Cell, type CellState } from '../../grid/progress.ts';
import { isOutcomeUnknown, mendOf, submittedJob, type SubmittedJob } from '../../grid/sbatch-answer.ts';
import { checkJobOptions } from '../../grid/sbatch-options.ts';
import { submissionEnv, taskAttempt } from '../../grid/submission.ts';
import { shown } from '../../query/arguments.ts';
import { askProcess } from '../bounded-process.ts';
import { print } from '../format/print.ts';
import { sweepOfGrid } from '../grid-cells.ts';
import { keepGrid } from '../grid-copy.ts';
import { readGridFile, type GridFile } from '../grid-file.ts';
import { listTable } from '../grid-table.ts';
import { count, duration, thousands } from '../human.ts';
import { say, sayJson, type CliIo, type ExitCode } from '../io.ts';
import { reading, type ReadingFlags } from '../reading.ts';
import { shellQuote } from '../shell-quote.ts';
import { openWriter, outcome } from '../writer.ts';

export interface SubmitFlags extends ReadingFlags {
  only?: CellState[];
  array?: string;
  maxRunning?: number;
  keyFromConfig?: string[];
  /** In seconds. */
  timeout: number;
  dryRun?: boolean;
  json?: boolean;
}

/** Of another execution, which the tasks would take for theirs. */
const NOT_OF_THE_TASKS = {
  RUNFOLD_RUN_ID: undefined,
  RUNFOLD_KEY: undefined,
  RUNFOLD_ATTEMPT: undefined,
  RUNFOLD_STARTED: undefined,
  // sbatch would not come back before the last task has ended
  SBATCH_WAIT: undefined,
};

interface Plan {
  file: GridFile;
  rows: readonly GridRow[];
  /** Of `--array`. */
  list: string;
  /** The arguments of sbatch. */
  args: readonly string[];
  submission: string;
  ledger: string;
}

export async function gridSubmit(
  gridFile: string,
  job: string,
  options: readonly string[],
  flags: SubmitFlags,
  io: CliIo,
): Promise<ExitCode> {
  const file = readGridFile(gridFile, flags.keyFromConfig, io);
  if (!fs.statSync(file.path).isFile()) {
    throw new RunfoldError('usage', `${gridFile} is no regular file: the tasks could not read it`);
  }
  checkJobOptions({ file: job, script: scriptOf(job, io), options, env: io.env });
  const wanted = flags.array === undefined ? undefined : parseArrayList(flags.array);
  refuseOutside(wanted?.tasks ?? [], file.grid);

  const cells = await reading(flags, io, (db) => sweepOfGrid(db, file.grid, {}).cells);
  const chosen = chosenCells(cells, wanted?.tasks, flags.only);
  sayLeftOut(cells, chosen, wanted?.tasks, io);
  if (chosen.length === 0) {
    say(io.stderr, 'nothing to submit');
    return 1;
  }
  const plan = planOf(file, chosen, { job, options, limit: flags.maxRunning ?? wanted?.limit }, flags, io);
  if (flags.dryRun === true) return showPlan(plan, chosen, flags, io);
  const submitted = await submit(plan, flags, io);
  const code = record(plan, submitted, io);
  report(plan, submitted, gridFile, flags, io);
  return code;
}

function scriptOf(job: string, { cwd }: CliIo): string {
  try {
    return fs.readFileSync(path.resolve(cwd, job), 'utf8');
  } catch (error) {
    throw new RunfoldError('usage', `the job script ${job} cannot be read: ${messageOf(error)}`, {
      hint: 'Name the file that sbatch is given: runfold grid submit GRID JOB.sbatch',
    });
  }
}

function refuseOutside(tasks: readonly number[], grid: Grid): void {
  const outside = tasks.find((task) => task < 1 || task > grid.rows.length);
  if (outside === undefined) return;
  throw new RunfoldError('usage', `${grid.file} has no row ${outside}`, {
    hint: `Its rows are 1-${grid.rows.length}.`,
  });
}

/** Those that are named, in whatever state unless that is named too; else what is to be run again. */
function chosenCells(
  cells: readonly Cell[],
  tasks: readonly number[] | undefined,
  only: readonly CellState[] | undefined,
): Cell[] {
  const named = tasks === undefined ? undefined : new Set<number | null>(tasks);
  const states = only ?? (named === undefined ? RESUBMITTED : CELL_STATES);
  return cells.filter(({ row, state }) => (named?.has(row) ?? true) && states.includes(state));
}

function sayLeftOut(
  cells: readonly Cell[],
  chosen: readonly Cell[],
  tasks: readonly number[] | undefined,
  { stderr }: CliIo,
): void {
  const rows = new Set(chosen.map(({ row }) => row));
  const left = statesText(cells.filter(({ row }) => !rows.has(row)));
  if (tasks === undefined && left !== '') say(stderr, `left out: ${left}`);
  const under = statesText(chosen.filter(({ state }) => state === 'running' || state === 'pending'));
  if (under !== '') say(stderr, `${under} by what is known, and submitted once more`);
}

function statesText(cells: readonly Cell[]): string {
  const counts = tally(cells);
  return CELL_STATES.filter((state) => counts[state] > 0)
    .map((state) => `${thousands(counts[state])} ${state}`)
    .join(', ');
}

function planOf(
  file: GridFile,
  chosen: readonly Cell[],
  { job, options, limit }: { job: string; options: readonly string[]; limit: number | undefined },
  flags: SubmitFlags,
  io: CliIo,
): Plan {
  const numbers = new Set(chosen.map(({ row }) => row));
  const rows = file.grid.rows.filter(({ row }) => numbers.has(row));
  const list = formatArrayList(rows.map(({ row }) => row));
  const array = `--array=${list}${limit === undefined ? '' : `%${limit}`}`;
  return {
    file,
    rows,
    list,
    args: [...options, '--parsable', array, job],
    submission: ulid(io.clock.now()),
    ledger: path.resolve(io.cwd, ledgerDirectory({ ledger: flags.ledger, env: io.env, cwd: io.cwd })),
  };
}

function showPlan(
  { rows, list, args }: Plan,
  chosen: readonly Cell[],
  flags: SubmitFlags,
  io: CliIo,
): ExitCode {
  if (flags.json === true) {
    sayJson(
      io.stdout,
      { dry_run: true, array: list, tasks: rows.map(({ row }) => row), command: ['sbatch', ...args] },
      2,
    );
    return 0;
  }
  say(io.stdout, `sbatch ${shellQuote(args)}`);
  say(io.stdout);
  print(listTable(chosen, true), {}, io);
  return 0;
}

async function submit(plan: Plan, flags: SubmitFlags, io: CliIo): Promise<SubmittedJob> {
  const { submission, ledger, file, rows } = plan;
  const variables = submissionEnv({
    id: submission,
    ledger,
    gridFile: keptGrid(plan, io),
    gridDigest: file.digest,
    keyFromConfig: flags.keyFromConfig ?? [],
  });
  const answer = await askProcess({
    program: 'sbatch',
    args: plan.args,
    env: { ...io.env, ...NOT_OF_THE_TASKS, ...variables },
    cwd: io.cwd,
    timeoutMs: flags.timeout * 1000,
    signal: io.signal,
  });
  if (answer.kind === 'absent') {
    throw new RunfoldError('usage', 'there is no sbatch on the PATH', {
      hint: 'Submit from a login node of the cluster.',
    });
  }
  const said = answer.stderr.trim();
  if (said !== '') say(io.stderr, said);
  // said before it was killed
  const job = submittedJob(answer.stdout);
  if (answer.kind !== 'ended') {
    if (job !== undefined) return job;
    const why =
      answer.kind === 'late'
        ? `sbatch has not answered within ${duration(flags.timeout)}`
        : 'interrupted while sbatch ran';
    throw unknown(why, submission);
  }
  if (answer.code !== 0) {
    if (isOutcomeUnknown(said)) throw unknown('the answer of the controller was lost', submission);
    throw new RunfoldError('submit_failed', 'sbatch refused the job; nothing was recorded', {
      hint: mendOf(said, rows.at(-1)?.row ?? 0),
    });
  }
  if (job !== undefined) return job;
  throw unknown(`sbatch said no job id but ${shown(answer.stdout.trim())}`, submission);
}

/** The log's copy of the grid; the grid itself where none can be kept. */
function keptGrid({ file, ledger }: Plan, { stderr }: CliIo): string {
  try {
    return keepGrid(ledger, file);
  } catch (error) {
    // the job is worth more than its safety from edits
    say(stderr, `runfold: no copy of the grid could be kept in the log: ${messageOf(error)}`);
    say(stderr, `  do not change ${file.grid.file} before its tasks have started, or they refuse to run`);
    return file.path;
  }
}

function unknown(why: string, submission: string): RunfoldError {
  return new RunfoldError(
    'submit_failed',
    `${why}: whether the job was submitted is not known, nothing was recorded`,
    {
      hint:
        'Look for it with squeue --me before you submit again. If it is there, its tasks record themselves as they start ' +
        `(attempts ${submission}.ROW).`,
    },
  );
}

/** If this comes late or not at all, the tasks have recorded themselves, as the same attempts. */
function record({ rows, submission, ledger }: Plan, { jobId }: SubmittedJob, io: CliIo): ExitCode {
  const writer = openWriter({ ledger }, { ...io, env: { ...io.env, RUNFOLD_ATTEMPT: undefined } });
  const submittedAt = new Date(io.clock.now()).toISOString();
  for (const { row, key, runId, config } of rows) {
    const attempt = taskAttempt(submission, row);
    const isEmpty = Object.keys(config).length === 0;
    writer.append(
      { type: 'run_created', run_id: runId, attempt, ...key, config: isEmpty ? undefined : config },
      'soon',
    );
    writer.append(
      {
        type: 'slurm_info',
        run_id: runId,
        attempt,
        job_id: jobId,
        array_job_id: jobId,
        array_task_id: String(row),
        state: 'PENDING',
        submitted_at: submittedAt,
        source: 'env',
      },
      'soon',
    );
  }
  writer.close();
  return outcome(writer);
}

function report(
  { rows, list, submission, args }: Plan,
  { jobId, cluster }: SubmittedJob,
  gridFile: string,
  flags: SubmitFlags,
  { stdout }: CliIo,
): void {
  const tasks = rows.map(({ row }) => row);
  if (flags.json === true) {
    sayJson(
      stdout,
      { job_id: jobId, cluster, submission, array: list, tasks, command: ['sbatch', ...args] },
      2,
    );
    return;
  }
  const where = cluster === null ? '' : ` on ${cluster}`;
  say(
    stdout,
    `job ${jobId}${where}: ${count(tasks.length, 'task')}, ${tasks.length === 1 ? 'row' : 'rows'} ${list} of ${gridFile}`,
  );
  say(stdout);
  const key = flags.keyFromConfig === undefined ? [] : ['--key-from-config', flags.keyFromConfig.join(',')];
  const next: [string, string][] = [
    [`runfold grid ${shellQuote([gridFile, ...key])}`, 'what is done, and what is to be run again'],
    ['runfold jobs', 'how its tasks are'],
    [`squeue ${cluster === null ? '' : `-M ${shellQuote([cluster])} `}-j ${jobId}`, 'the same, by SLURM'],
  ];
  const width = Math.max(...next.map(([command]) => command.length));
  for (const [command, what] of next) say(stdout, `  ${command.padEnd(width)}  ${what}`);
}
