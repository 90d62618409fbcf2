// One run on a page, for people.
import stringWidth from 'string-width';
import type { RunAttempt } from '../query/attempts.ts';
import type { RunError } from '../query/run-errors.ts';
import type { RunRecord } from '../query/run-record.ts';
import type { RunResults } from '../query/results.ts';
import type { SlurmJob } from '../query/slurm-jobs.ts';
import { NAMED_METRICS, type NonFinite } from '../events/event.ts';
import { EXTRA_PREFIX, nameOfExtra } from '../query/metric-point.ts';
import { endOfState, stateWord } from '../query/job-states.ts';
import { bytes, duration, thousands } from './human.ts';
import { memoryText, taskName, timeText as elapsedText } from './job-words.ts';
import { printSafe } from './print-safe.ts';
import { ago, shortNumber, valueText } from './value-text.ts';

export interface RunReport {
  run: RunRecord;
  attempts: readonly RunAttempt[];
  /** null: neither points nor results. */
  results: RunResults | null;
  /** Metrics whose last value is not finite, by name (`loss`, `extra.acc`). */
  diverged: Readonly<Record<string, NonFinite>>;
  errors: readonly RunError[];
  slurm_jobs: readonly SlurmJob[];
}

const MEGABYTE = 1e6;
const SHOWN_ERRORS = 5;
const SHOWN_JOBS = 5;
const GAP = 2;

/** Lines that are safe to print. */
export function runPage(report: RunReport, nowMs: number): string[] {
  const sections = [
    head(report.run, nowMs),
    section('config', flat(report.run.config)),
    section('metrics', metricLines(report)),
    section('results', flat(report.results?.results ?? {})),
    section('attempts', report.attempts.length > 1 ? report.attempts.map(attemptLine) : []),
    section('SLURM', jobLines(report, nowMs)),
    section('errors', errorLines(report)),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

type Line = readonly [label: string, text: string | readonly string[]];

function section(title: string, lines: readonly Line[]): string[] {
  return lines.length === 0 ? [] : [title, ...aligned(lines).map((line) => `  ${line}`)];
}

/** Texts in one column, and further lines of a text below its first. */
function aligned(given: readonly Line[]): string[] {
  const labels = given.map(([label]) => printSafe(label));
  const width = Math.max(...labels.map((label) => stringWidth(label)));
  return given.flatMap(([, text], index) => {
    const label = labels[index] ?? '';
    const padded = label + ' '.repeat(width - stringWidth(label) + GAP);
    const [first = '', ...further] = typeof text === 'string' ? [text] : text;
    const lines = [
      padded + printSafe(first),
      ...further.map((line) => ' '.repeat(width + GAP) + printSafe(line)),
    ];
    return lines.map((line) => line.trimEnd());
  });
}

function head(run: RunRecord, nowMs: number): string[] {
  const reason = run.status_reason === null ? '' : ` (${run.status_reason})`;
  const exit = run.exit_code === null ? '' : `, exit code ${run.exit_code}`;
  const lines: (readonly [string, Line[1] | null])[] = [
    ['run', run.run_id],
    ['status', `${run.status}${reason}${exit}`],
    ['experiment', String(run.experiment_number)],
    ['dataset', run.dataset],
    ['method', run.method],
    ['subject', run.subject],
    ['variant', run.cl_info],
    ['seed', run.seed === null ? null : String(run.seed)],
    ['tags', run.tags.length === 0 ? null : run.tags.join(', ')],
    ['notes', run.notes?.split(/\r?\n/) ?? null],
    ['hidden', run.hidden ? 'yes' : null],
    ['created', timeText(run.created_at, nowMs)],
    ['started', timeText(run.started_at, nowMs)],
    ['finished', timeText(run.finished_at, nowMs)],
    ['took', tookText(run)],
    ['host', run.host],
    ['user', run.user_name],
    ['commit', commitText(run)],
    ['command', run.command],
    ['directory', run.cwd],
  ];
  return aligned(lines.flatMap(([label, value]) => (value === null ? [] : [[label, value] as const])));
}

function timeText(iso: string | null, nowMs: number): string | null {
  return iso === null ? null : `${iso} (${ago(iso, nowMs)})`;
}

function tookText({ started_at, finished_at }: RunRecord): string | null {
  if (started_at === null || finished_at === null) return null;
  return duration(Math.max(0, Date.parse(finished_at) - Date.parse(started_at)) / 1000);
}

function commitText({ git_commit, git_dirty }: RunRecord): string | null {
  if (git_commit === null) return null;
  return git_dirty === true ? `${git_commit}, with changes that are not in it` : git_commit;
}

/** The values of an object by their paths. */
function flat(object: object, path = ''): Line[] {
  return Object.entries(object).flatMap(([name, value]) => {
    const here = path === '' ? name : `${path}.${name}`;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isObject && Object.keys(value as object).length > 0) return flat(value as object, here);
    return [[here, valueText(value) ?? 'null'] as const];
  });
}

function metricLines({ results, diverged }: RunReport): Line[] {
  if (results === null || results.points === 0) return [];
  const lastOf = (name: string, final: number): string =>
    Object.hasOwn(diverged, name) ? (diverged[name] ?? '') : shortNumber(final);
  const named = NAMED_METRICS.flatMap((name): Line[] => {
    const best = results[`best_${name}`];
    const final = results[`final_${name}`];
    if (best === null || final === null) return [];
    const epoch = results[`best_${name}_epoch`];
    const where = epoch === null ? '' : ` at epoch ${epoch}`;
    return [[name, `final ${lastOf(name, final)}, best ${shortNumber(best)}${where}`]];
  });
  const extra = Object.entries(results.extra ?? {}).map(([name, { min, max, final }]): Line => {
    const last = lastOf(EXTRA_PREFIX + name, final);
    return [extraLabel(name), `final ${last}, from ${shortNumber(min)} to ${shortNumber(max)}`];
  });
  const never = Object.entries(diverged)
    .filter(([name]) => !isKnown(name, results))
    .map(([name, word]): Line => [
      name.startsWith(EXTRA_PREFIX) ? extraLabel(name.slice(EXTRA_PREFIX.length)) : name,
      word,
    ]);
  const memory: Line[] =
    results.peak_gpu_memory_mb === null
      ? []
      : [['GPU memory', `at most ${bytes(results.peak_gpu_memory_mb * MEGABYTE)}`]];
  const epochs = results.last_epoch === null ? '' : `, up to epoch ${results.last_epoch}`;
  return [...named, ...extra, ...never, ...memory, ['points', `${thousands(results.points)}${epochs}`]];
}

/** `points` is the last line. */
function extraLabel(name: string): string {
  return name === 'points' ? EXTRA_PREFIX + name : nameOfExtra(name);
}

/** Whether it was ever finite. */
function isKnown(name: string, results: RunResults): boolean {
  if (name.startsWith(EXTRA_PREFIX))
    return Object.hasOwn(results.extra ?? {}, name.slice(EXTRA_PREFIX.length));
  if (name === 'gpu_memory_mb') return results.peak_gpu_memory_mb !== null;
  return NAMED_METRICS.some((metric) => metric === name && results[`final_${metric}`] !== null);
}

function attemptLine({
  position,
  status,
  status_reason,
  exit_code,
  created_at,
  resume,
  in_view,
}: RunAttempt): Line {
  const reason = status_reason === null ? '' : ` (${status_reason})`;
  const exit = exit_code === null ? '' : `, exit code ${exit_code}`;
  const how = position === 0 ? '' : resume ? ', resumed' : ', started over';
  return [
    String(position + 1),
    `${created_at}  ${status}${reason}${exit}${how}${in_view ? '' : ', superseded'}`,
  ];
}

function jobLines({ run, attempts, slurm_jobs: jobs }: RunReport, nowMs: number): Line[] {
  const shown = jobs.slice(-SHOWN_JOBS);
  if (shown.length === 0) return [];
  const more = jobs.length - shown.length;
  const earlier: Line[] = more === 0 ? [] : [['', `${more} more: runfold jobs ${run.run_id}`]];
  const lines = shown.map((job) => {
    const attempt = attempts.find((each) => each.attempt === job.attempt);
    return jobLine(job, attempt?.finished_at ?? null, nowMs);
  });
  return [...earlier, ...lines, ['', `output: runfold logs ${run.run_id}`]];
}

/** @param finishedAt of the attempt that ran in it */
function jobLine(job: SlurmJob, finishedAt: string | null, nowMs: number): Line {
  const isPending = job.state === 'PENDING';
  const memory = memoryText(job.max_rss_mb, job.memory_mb);
  const parts = [
    job.restart_count === 0 ? null : `restart ${job.restart_count}`,
    // what SLURM said before the end is old
    hasEnded(job) || isPending || finishedAt === null ? job.state : null,
    // what it waited for is old when it runs
    isPending || job.reason === 'unknown' ? job.reason : null,
    job.partition === null ? null : `on ${job.partition}`,
    job.node_list,
    elapsedText(isPending ? null : elapsedOf(job, finishedAt, nowMs), job.time_limit_seconds) ?? null,
    memory === undefined ? null : `memory ${memory}`,
  ];
  const task = job.array_job_id === null ? '' : ` (${taskName(job)})`;
  return [`${job.job_id}${task}`, parts.filter((part) => part !== null).join(', ')];
}

function hasEnded({ state }: SlurmJob): boolean {
  return state !== null && endOfState(stateWord(state)) !== undefined;
}

/** In seconds; null: not known. What still runs has not run for longer than its limit. */
function elapsedOf(job: SlurmJob, finishedAt: string | null, nowMs: number): number | null {
  const { started_at, ended_at, time_limit_seconds } = job;
  if (started_at === null) return null;
  const start = Date.parse(started_at);
  const end = ended_at ?? finishedAt;
  if (end !== null) return Math.max(0, Date.parse(end) - start) / 1000;
  if (hasEnded(job)) return null;
  return Math.min(Math.max(0, nowMs - start) / 1000, time_limit_seconds ?? Infinity);
}

function errorLines({ run, errors }: RunReport): Line[] {
  const shown = errors.slice(-SHOWN_ERRORS);
  const lines = shown.map(({ ts, exception_type, message }): Line => [ts, `${exception_type}: ${message}`]);
  if (lines.length === 0) return [];
  return [...lines, ['', `tracebacks: runfold errors ${run.run_id}`]];
}
