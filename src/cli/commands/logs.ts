// runfold logs: the output of a run's job, where this machine can read it.
import { Writable } from 'node:stream';
import { openReadOnly, type Db } from '../../db/open.ts';
import { RunfoldError } from '../../errors.ts';
import type { Place } from '../../projector/open.ts';
import { getAttempts, type RunAttempt } from '../../query/attempts.ts';
import { getRunErrors, type RunError } from '../../query/run-errors.ts';
import type { RunRecord } from '../../query/run-record.ts';
import { getRun } from '../../query/run.ts';
import { getSlurmJobs, type SlurmJob } from '../../query/slurm-jobs.ts';
import { freshen } from '../freshness.ts';
import { say, sayJson, type CliIo, type ExitCode } from '../io.ts';
import { taskName } from '../job-words.ts';
import { follow, Printer, withGrace } from '../logs/follow.ts';
import {
  beginningOfLast,
  chunksOf,
  FARTHEST_BACK,
  isUnreadable,
  openOutput,
  type OutputFile,
  type Unreadable,
} from '../logs/output-file.ts';
import { chosenJob, filledIn, pathOf, type OutputStream } from '../logs/output-job.ts';
import { OutputLines } from '../logs/output-lines.ts';
import { printSafe } from '../print-safe.ts';
import { reading, type ReadingFlags } from '../reading.ts';

export interface LogsFlags extends ReadingFlags {
  stderr?: boolean;
  lines?: number;
  all?: boolean;
  follow?: boolean;
  raw?: boolean;
  path?: boolean;
  attempt?: number;
  job?: string;
  json?: boolean;
}

const SHOWN_LINES = 50;
const MEGABYTE = 1_048_576;

/** Which output is meant, as far as the database knows. */
interface Wanted {
  run: RunRecord;
  attempts: readonly RunAttempt[];
  errors: readonly RunError[];
  /** What was looked for, in words. */
  soughtJob: string;
  hasJobs: boolean;
  job: SlurmJob | undefined;
  stream: OutputStream;
  path: string | undefined;
}

export function logs(run: string, flags: LogsFlags, io: CliIo): Promise<ExitCode> {
  refuseContradictions(flags);
  return reading(flags, io, async (db, place) => {
    const wanted = db.transaction(() => wantedOf(db, run, flags))();
    const { path } = wanted;
    if (path === undefined) return unreadable(wanted, undefined, flags, io);
    if (flags.path === true) {
      say(io.stdout, path);
      return 0;
    }
    if (flags.json === true) return asJson(wanted, path, flags, io);
    return show(wanted, path, place, flags, io);
  });
}

function refuseContradictions({ json, follow: isFollowing, raw, path }: LogsFlags): void {
  if (json === true && (isFollowing === true || raw === true || path === true))
    throw new RunfoldError('usage', '--json has no --follow, --raw or --path', { hint: 'Give one of them.' });
}

function wantedOf(db: Db, id: string, flags: LogsFlags): Wanted {
  const run = getRun(db, id);
  const attempts = getAttempts(db, run.run_id);
  const { attempt } = flags;
  if (attempt !== undefined && (attempt < 1 || attempt > attempts.length))
    throw new RunfoldError(
      'usage',
      `run ${run.run_id} has the attempts 1 to ${attempts.length}, not ${attempt}`,
    );
  const stream = flags.stderr === true ? 'stderr' : 'stdout';
  const jobs = getSlurmJobs(db, run.run_id);
  const job = chosenJob(jobs, attempts, flags, stream);
  const given = job === undefined ? null : pathOf(job, stream);
  return {
    run,
    attempts,
    errors: getRunErrors(db, run.run_id),
    soughtJob: soughtJob(run, jobs.length > 0 ? attempts.length : undefined, flags),
    hasJobs: jobs.length > 0,
    job,
    stream,
    path:
      given === null || job === undefined
        ? undefined
        : given.includes('%')
          ? filledIn(given, job, run).path
          : given,
  };
}

/** @param lastAttempt where other attempts may have had a job */
function soughtJob(
  { run_id }: RunRecord,
  lastAttempt: number | undefined,
  { job, attempt = lastAttempt }: LogsFlags,
): string {
  if (job !== undefined) return `no such SLURM job is known of run ${run_id}`;
  return `no SLURM job is known of ${attempt === undefined ? '' : `attempt ${attempt} of `}run ${run_id}`;
}

async function show(
  wanted: Wanted,
  path: string,
  place: Place,
  flags: LogsFlags,
  io: CliIo,
): Promise<ExitCode> {
  const isFollowing = flags.follow === true;
  const found = await withGrace(openOutput(path), io);
  if (isUnreadable(found) && !(isFollowing && found.isMissing && !hasEnded(wanted, flags)))
    return unreadable(wanted, found, flags, io);
  const printer = new Printer(io, flags.raw === true);
  let from: { at: number; identity: string } | undefined;
  if (isUnreadable(found)) say(io.stderr, `waiting for ${printSafe(path)}`);
  else {
    await using file = found;
    say(io.stderr, `${printSafe(path)}${ofJob(wanted)}`);
    from = { at: await printer.print(file, await beginning(file, flags, io)), identity: file.identity };
  }
  if (isFollowing) {
    try {
      const isOver = (): Promise<boolean> => endedNow(wanted, flags, place, io);
      const lost = await follow({ path, from, hasEnded: isOver }, printer, io);
      if (lost !== undefined) return unreadable(wanted, lost, flags, io);
    } catch (error) {
      if (!io.signal.aborted) throw error;
    }
  }
  printer.end();
  return 0;
}

async function beginning(
  file: OutputFile,
  { all, lines = SHOWN_LINES }: LogsFlags,
  io: CliIo,
): Promise<number> {
  if (all === true) return 0;
  const { at, isCut } = await beginningOfLast(file, lines);
  if (isCut) say(io.stderr, `only the last ${FARTHEST_BACK / MEGABYTE} MB were looked at; --all shows all`);
  return at;
}

/** Of the run; of an attempt that was asked for, its own. */
function hasEnded({ run, attempts }: Pick<Wanted, 'run' | 'attempts'>, { attempt }: LogsFlags): boolean {
  const status = attempt === undefined ? run.status : attempts[attempt - 1]?.status;
  return status !== 'pending' && status !== 'running';
}

/** Reads what is new in the log first, without a word. */
async function endedNow(wanted: Wanted, flags: LogsFlags, place: Place, io: CliIo): Promise<boolean> {
  const silent = new Writable({ write: (_, _encoding, done) => done() });
  if (flags.sync) await freshen(place, { ...io, stderr: silent });
  const db = openReadOnly(place.file);
  try {
    const run = getRun(db, wanted.run.run_id);
    return hasEnded({ run, attempts: getAttempts(db, run.run_id) }, flags);
  } finally {
    db.close();
  }
}

function ofJob({ job, stream }: Wanted): string {
  if (job === undefined) return '';
  const restart = job.restart_count === 0 ? '' : `, restart ${job.restart_count}`;
  return ` (${stream} of job ${printSafe(taskName(job))}${restart})`;
}

/** Says what is known instead: which path, where, why not, and what the run itself logged. */
function unreadable(wanted: Wanted, why: Unreadable | undefined, flags: LogsFlags, io: CliIo): ExitCode {
  if (flags.json === true) {
    sayJson(io.stdout, { ...report(wanted), lines: null, problem: asText(sentences(wanted, why)) }, 2);
    return 1;
  }
  const [first = '', ...more] = sentences(wanted, why);
  say(io.stderr, `runfold: ${printSafe(first)}`);
  for (const line of more) say(io.stderr, `  ${printSafe(line)}`);
  const error = substitute(wanted, flags);
  if (error !== undefined && flags.path !== true) {
    say(io.stderr, 'The run itself logged:');
    const lines = new OutputLines();
    const text = error.traceback ?? `${error.exception_type}: ${error.message}`;
    for (const line of [...lines.push(Buffer.from(text)), ...lines.end()]) say(io.stdout, line);
  }
  return 1;
}

/** The last error of the attempt that was asked for; by default of the last one. */
function substitute({ attempts, errors, job }: Wanted, { attempt }: LogsFlags): RunError | undefined {
  const id =
    attempt === undefined ? (job?.attempt ?? attempts.at(-1)?.attempt) : attempts[attempt - 1]?.attempt;
  return errors.findLast((error) => error.attempt === id);
}

function sentences(wanted: Wanted, why: Unreadable | undefined): string[] {
  const { run, job, stream, path, soughtJob: sought, hasJobs } = wanted;
  if (job === undefined)
    return [
      sought,
      hasJobs
        ? `Those that are known: runfold jobs ${run.run_id}`
        : 'Only the output that SLURM writes to a file is known here.',
    ];
  const name = `job ${taskName(job)}`;
  if (path === undefined || why === undefined) {
    const merged = stream === 'stderr' && job.stdout_path !== null;
    return [
      `where the ${stream} of ${name} goes is not known`,
      merged
        ? `SLURM writes both into one file by default: runfold logs ${run.run_id}`
        : 'Ask SLURM, while it knows the job: runfold slurm refresh',
    ];
  }
  const { left } = filledIn(pathOf(job, stream) ?? '', job, run);
  const where = job.node_list ?? run.host;
  return [
    `the ${stream} of ${name} cannot be read here: ${path} ${why.why}`,
    ...(left.length > 0 ? [`SLURM has filled in ${left.join(', ')}, which is not known here.`] : []),
    ...(where === null
      ? []
      : [`It was written on ${where}; on a disk of that node it is to be found there alone.`]),
  ];
}

function asText(said: readonly string[]): string {
  return said.map((each) => (each.endsWith('.') ? each : `${each}.`)).join(' ');
}

function report({ run, job, stream, path }: Wanted): Record<string, unknown> {
  return {
    run_id: run.run_id,
    attempt: job?.attempt ?? null,
    job_id: job?.job_id ?? null,
    restart_count: job?.restart_count ?? null,
    node_list: job?.node_list ?? null,
    stream,
    path: path ?? null,
  };
}

async function asJson(wanted: Wanted, path: string, flags: LogsFlags, io: CliIo): Promise<ExitCode> {
  const found = await withGrace(openOutput(path), io);
  if (isUnreadable(found)) return unreadable(wanted, found, flags, io);
  await using file = found;
  const reader = new OutputLines();
  const lines: string[] = [];
  for await (const chunk of chunksOf(file, await beginning(file, flags, io)))
    lines.push(...reader.push(chunk));
  lines.push(...reader.end());
  sayJson(io.stdout, { ...report(wanted), lines, problem: null }, 2);
  return 0;
}
