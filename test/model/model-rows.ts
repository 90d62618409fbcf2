/**
 * The model, part 3: events -> rows. Everything is computed from all events of a run, once, in the words of
 * docs/projection.md.
 */
import { compareText } from './model-files.ts';
import type { Event } from './model-files.ts';
import { emptyObject, isObject } from './model-lines.ts';
import type { Json, JsonObject } from './model-lines.ts';

export type Row = Record<string, string | number | null>;

const METRICS = ['loss', 'f1', 'fitness', 'behavioral_comparison'] as const;

interface Run {
  id: string;
  /** ids, in order */
  attempts: string[];
  /** all events, in order */
  events: Event[];
}

export function runsOf(events: readonly Event[]): Run[] {
  const ids = [...new Set(events.filter((e) => !e.type.startsWith('writer_')).map((e) => e.run))];
  return ids.map((id) =>
    runOf(
      id,
      events.filter((e) => e.run === id),
    ),
  );
}

function runOf(id: string, events: readonly Event[]): Run {
  const created = events.filter((e) => e.type === 'run_created').sort(byTime);
  const firstTs = new Map<string, string>();
  for (const e of created) if (!firstTs.has(e.attempt)) firstTs.set(e.attempt, e.ts);
  const attempts = [...firstTs]
    .sort(([a, aTs], [b, bTs]) => compareText(aTs, bTs) || compareText(a, b))
    .map(([attempt]) => attempt);
  const run: Run = { id, attempts, events: [] };
  run.events = [...events].sort((a, b) => rank(run, a) - rank(run, b) || byTime(a, b));
  return run;
}

/** What belongs to no attempt comes after all attempts; its attempt value itself does not order it. */
function rank(run: Run, e: Event): number {
  const index = run.attempts.indexOf(e.attempt);
  return index === -1 ? run.attempts.length : index;
}

function byTime(a: Event, b: Event): number {
  return compareText(a.ts, b.ts) || byWriter(a, b);
}

function byWriter(a: Event, b: Event): number {
  return compareText(a.writer, b.writer) || a.seq - b.seq;
}

// ---- values

function field(e: Event | undefined, name: string): Json {
  return e?.fields[name] ?? null;
}

/** As SQLite gives it back. */
function column(value: Json): string | number | null {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return JSON.stringify(value);
}

/** The names of values that are not finite are strings, so a number is a finite one. */
function numberIn(e: Event, name: string): number | null {
  const value = field(e, name);
  return typeof value === 'number' ? value : null;
}

function numbersIn(events: readonly Event[], name: string): number[] {
  return events.map((e) => numberIn(e, name)).filter((n) => n !== null);
}

function least(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : numbers.reduce((a, b) => (b < a ? b : a));
}

function greatest(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : numbers.reduce((a, b) => (b > a ? b : a));
}

/** Of events in order. */
function lastOf(events: readonly Event[], name: string): Json {
  return field(
    events.findLast((e) => field(e, name) !== null),
    name,
  );
}

/** Later keys win; a key stays where it first came. */
function merge(objects: readonly Json[]): JsonObject {
  const merged = emptyObject();
  for (const object of objects) {
    if (object !== null && isObject(object)) {
      for (const [key, value] of Object.entries(object)) merged[key] = value;
    }
  }
  return merged;
}

// ---- run_metrics and run_errors

export function metricRow(e: Event): Row {
  const extra = emptyObject();
  const nonfinite = emptyObject();
  for (const name of [...METRICS, 'gpu_memory_mb']) {
    const value = field(e, name);
    if (typeof value === 'string') nonfinite[name] = value;
  }
  for (const [name, value] of Object.entries(merge([field(e, 'extra')]))) {
    if (typeof value === 'string') nonfinite[`extra.${name}`] = value;
    else extra[name] = value;
  }
  return {
    run_id: e.run,
    writer: e.writer,
    seq: e.seq,
    ts: e.ts,
    elapsed_seconds: numberIn(e, 'elapsed_seconds'),
    epoch: numberIn(e, 'epoch'),
    step: numberIn(e, 'step'),
    loss: numberIn(e, 'loss'),
    f1: numberIn(e, 'f1'),
    fitness: numberIn(e, 'fitness'),
    behavioral_comparison: numberIn(e, 'behavioral_comparison'),
    gpu_memory_mb: numberIn(e, 'gpu_memory_mb'),
    extra: Object.keys(extra).length === 0 ? null : JSON.stringify(extra),
    nonfinite: Object.keys(nonfinite).length === 0 ? null : JSON.stringify(nonfinite),
  };
}

export function errorRow(e: Event): Row {
  return {
    run_id: e.run,
    writer: e.writer,
    seq: e.seq,
    ts: e.ts,
    attempt: e.attempt,
    exception_type: column(field(e, 'exception_type')),
    message: column(field(e, 'message')),
    traceback: column(field(e, 'traceback')),
  };
}

// ---- slurm_jobs

const TERMINAL_STATES = [
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
];

/** "By their first word in capitals": "Cancelled by 1000" is CANCELLED; words end at white space. */
function isTerminalState(state: Json): boolean {
  if (typeof state !== 'string') return false;
  return TERMINAL_STATES.includes((state.trim().split(/\s+/)[0] ?? '').toUpperCase());
}

function restartOf(e: Event): number {
  return numberIn(e, 'restart_count') ?? 0;
}

function byAuthority(a: Event, b: Event): number {
  const sources: Json[] = ['env', 'squeue', 'sacct'];
  return sources.indexOf(field(a, 'source')) - sources.indexOf(field(b, 'source')) || byTime(a, b);
}

/** "Under the array's id": said of a task whose own id the one who said it did not know. */
function isUnderArray(e: Event): boolean {
  return field(e, 'array_job_id') !== null && String(field(e, 'array_job_id')) === String(field(e, 'job_id'));
}

/** `job_id` as the tables have it: the task's own where any line of the run names it, the last by authority. */
function jobIdOf(e: Event, all: readonly Event[]): string {
  const names = ['array_job_id', 'array_task_id'];
  if (!isUnderArray(e) || field(e, 'array_task_id') === null) return String(field(e, 'job_id'));
  const own = all
    .filter((other) => other.type === 'slurm_info' && !isUnderArray(other))
    .filter((other) => names.every((name) => String(field(other, name)) === String(field(e, name))))
    .sort(byAuthority)
    .at(-1);
  return String(field(own ?? e, 'job_id'));
}

export function slurmRows(run: Run): Row[] {
  if (run.attempts.length === 0) return [];
  const infos = run.events.filter((e) => e.type === 'slurm_info').sort(byAuthority);
  const idOf = (e: Event): string => jobIdOf(e, infos);
  const keys = new Map(infos.map((e) => [JSON.stringify([idOf(e), restartOf(e)]), e]));
  return [...keys.values()].map((one) => {
    const job = idOf(one);
    const restart = restartOf(one);
    return slurmRow(
      run,
      infos.filter((e) => idOf(e) === job && restartOf(e) === restart),
      job,
      restart,
    );
  });
}

function slurmRow(run: Run, infos: readonly Event[], job: string, restart: number): Row {
  const last = (name: string): string | number | null => column(lastOf(infos, name));
  const terminal = infos.filter((e) => isTerminalState(field(e, 'state')));
  const env = infos.filter((e) => field(e, 'source') === 'env');
  return {
    run_id: run.id,
    job_id: job,
    array_job_id: last('array_job_id'),
    array_task_id: last('array_task_id'),
    restart_count: restart,
    attempt: (env.at(-1) ?? infos.at(-1))?.attempt ?? null,
    state: column(lastOf(terminal, 'state')) ?? last('state'),
    reason: last('reason'),
    partition: last('partition'),
    account: last('account'),
    node_list: last('node_list'),
    cpus: last('cpus'),
    gpus: last('gpus'),
    memory_mb: last('memory_mb'),
    time_limit_seconds: last('time_limit_seconds'),
    submitted_at: last('submitted_at'),
    started_at: last('started_at'),
    ended_at: last('ended_at'),
    exit_code: column(lastOf(env, 'exit_code')) ?? last('exit_code'),
    signal: last('signal'),
    max_rss_mb: last('max_rss_mb'),
    cpu_seconds: last('cpu_seconds'),
    stdout_path: last('stdout_path'),
    stderr_path: last('stderr_path'),
  };
}

// ---- experiment_runs

export function experimentRow(run: Run): Row[] {
  const first = run.attempts[0];
  const last = run.attempts.at(-1);
  if (first === undefined || last === undefined) return [];
  const ofFirst = run.events.filter((e) => e.attempt === first && e.type === 'run_created');
  const ofLast = run.events.filter((e) => e.attempt === last);
  const created = ofLast.filter((e) => e.type === 'run_created');
  const annotated = run.events.filter((e) => e.type === 'run_annotated');
  const codes = created.map((e) => field(e, 'code'));
  const code = (name: string): string | number | null =>
    column(
      codes.map((c) => (c !== null && isObject(c) ? (c[name] ?? null) : null)).findLast((v) => v !== null) ??
        null,
    );
  const headed = created.findLast((e) => e.host !== null);
  const key = created[0];
  const job = ownJob(ofLast, run.events);
  const jobs = slurmRows(run).filter((row) => row['job_id'] === job?.id);
  const status = statusOf(ofLast, jobs, job);
  return [
    {
      run_id: run.id,
      experiment_number: column(field(key, 'experiment_number')),
      dataset: column(field(key, 'dataset')),
      method: column(field(key, 'method')),
      subject: column(field(key, 'subject')),
      cl_info: column(field(key, 'cl_info')),
      seed: column(field(key, 'seed')),
      status: status.status,
      status_reason: status.reason,
      exit_code: status.exitCode,
      config: JSON.stringify(merge(created.map((e) => field(e, 'config')))),
      tags: JSON.stringify(lastOf(annotated, 'tags') ?? lastOf(created, 'tags') ?? []),
      notes: column(lastOf(annotated, 'notes') ?? lastOf(created, 'notes')),
      hidden: column(lastOf(annotated, 'hidden') ?? false),
      slurm_job_id: job?.id ?? null,
      // "its row in slurm_jobs" of the many that a job may have: that of the attempt's own restart.
      slurm_array_task_id:
        jobs.find((row) => row['restart_count'] === job?.restart)?.['array_task_id'] ?? null,
      host: headed?.host ?? null,
      user_name: headed?.user ?? null,
      git_commit: code('git_commit'),
      git_dirty: code('git_dirty'),
      command: code('command'),
      cwd: code('cwd'),
      attempt_count: run.attempts.length,
      created_at: ofFirst[0]?.ts ?? null,
      started_at:
        ofLast.find((e) => e.type === 'status_changed' && field(e, 'status') === 'running')?.ts ?? null,
      finished_at: status.finishedAt,
    },
  ];
}

interface OwnJob {
  id: string;
  restart: number;
}

/** `events` are those of one attempt, in order, `all` those of its run. */
function ownJob(events: readonly Event[], all: readonly Event[]): OwnJob | undefined {
  const infos = events.filter((e) => e.type === 'slurm_info');
  const env = infos.findLast((e) => field(e, 'source') === 'env');
  if (env !== undefined) return { id: jobIdOf(env, all), restart: restartOf(env) };
  const last = infos.at(-1);
  if (last === undefined) return undefined;
  const ofJob = infos.filter((e) => jobIdOf(e, all) === jobIdOf(last, all));
  return { id: jobIdOf(last, all), restart: least(ofJob.map(restartOf)) ?? 0 };
}

interface Status {
  status: string;
  reason: string | number | null;
  exitCode: string | number | null;
  finishedAt: string | null;
}

/** `events` are those of the last attempt, `jobs` the rows of its own job, whatever attempt they are of. */
function statusOf(events: readonly Event[], jobs: readonly Row[], job: OwnJob | undefined): Status {
  const newest = [...jobs].sort((a, b) => Number(b['restart_count']) - Number(a['restart_count']))[0];
  if (newest !== undefined && job !== undefined) {
    const { state = null, reason = null } = newest;
    const isOver = state === null || isTerminalState(state) || reason === 'unknown';
    if (!isOver && Number(newest['restart_count']) > job.restart) {
      const why = state === 'PENDING' ? reason : state;
      return { status: 'pending', reason: why, exitCode: null, finishedAt: null };
    }
  }
  // The best first; a stable sort of the events from the last to the first puts the later of equals first.
  const ranked = events
    .filter((e) => e.type === 'status_changed')
    .reverse()
    .sort((a, b) => statusRank(b) - statusRank(a));
  const winner = ranked[0];
  const own = jobs.find((row) => row['restart_count'] === job?.restart);
  const queued = own?.['state'] === 'PENDING' ? (own['reason'] ?? null) : null;
  if (winner === undefined) return { status: 'pending', reason: queued, exitCode: null, finishedAt: null };
  let status = String(field(winner, 'status'));
  let reason = column(field(winner, 'reason'));
  if (status === 'failed' && field(winner, 'source') !== 'slurm') {
    const word = events.findLast((e) => isTerminal(e) && field(e, 'source') === 'slurm');
    if (field(word, 'status') === 'timeout') status = 'timeout';
    reason = column(field(word, 'reason')) ?? reason;
  }
  if (status === 'pending') reason ??= queued;
  return {
    status,
    reason,
    exitCode: column(
      field(
        ranked.find((e) => field(e, 'exit_code') !== null),
        'exit_code',
      ),
    ),
    finishedAt: isTerminal(winner) ? winner.ts : null,
  };
}

function isTerminal(e: Event): boolean {
  const status = field(e, 'status');
  return (
    e.type === 'status_changed' && (status === 'completed' || status === 'failed' || status === 'timeout')
  );
}

/** The source tells among terminal ones only. */
function statusRank(e: Event): number {
  if (field(e, 'status') === 'pending') return 0;
  if (field(e, 'status') === 'running') return 1;
  const source = field(e, 'source') ?? 'job';
  return source === 'slurm' ? 2 : source === 'wrapper' ? 3 : 4;
}

// ---- the view and run_results

/** The attempts of the view: the last one that starts over, and all later ones. */
function attemptsInView(run: Run): string[] {
  const startsOver = (attempt: string): boolean => {
    const first = run.events.find((e) => e.type === 'run_created' && e.attempt === attempt);
    return field(first, 'resume') !== true;
  };
  return run.attempts.slice(Math.max(0, run.attempts.findLastIndex(startsOver)));
}

/** In the order of points. */
function pointsInView(run: Run): Event[] {
  const view = attemptsInView(run);
  return run.events
    .filter((e) => e.type === 'metric')
    .filter((e) => view.includes(e.attempt) || !run.attempts.includes(e.attempt))
    .filter((e) => !isSuperseded(run, e))
    .sort((a, b) => rank(run, a) - rank(run, b) || byWriter(a, b));
}

function isSuperseded(run: Run, point: Event): boolean {
  if (!run.attempts.includes(point.attempt)) return false;
  const axis = numberIn(point, 'step') !== null ? 'step' : 'epoch';
  const at = numberIn(point, axis);
  if (at === null) return false;
  // All points of a later attempt that have an epoch tell its lowest, those with a step as well.
  return run.attempts.slice(rank(run, point) + 1).some((later) => {
    const points = run.events.filter((e) => e.type === 'metric' && e.attempt === later);
    const lowest = least(numbersIn(points, axis));
    return lowest !== null && lowest <= at;
  });
}

export function resultRow(run: Run): Row[] {
  if (run.attempts.length === 0) return [];
  const view = attemptsInView(run);
  const points = pointsInView(run);
  const results = run.events
    .filter((e) => e.type === 'result')
    .filter((e) => view.includes(e.attempt) || !run.attempts.includes(e.attempt));
  if (points.length === 0 && results.length === 0) return [];
  const row: Row = { run_id: run.id };
  for (const name of METRICS) {
    const values = numbersIn(points, name);
    const best = name === 'loss' ? least(values) : greatest(values);
    const bestPoint = best === null ? undefined : points.find((e) => numberIn(e, name) === best);
    row[`best_${name}`] = best;
    row[`best_${name}_epoch`] = column(field(bestPoint, 'epoch'));
    row[`final_${name}`] = values.at(-1) ?? null;
  }
  row['last_epoch'] = greatest(numbersIn(points, 'epoch'));
  row['total_elapsed_seconds'] = totalElapsed(run, points);
  row['peak_gpu_memory_mb'] = greatest(numbersIn(points, 'gpu_memory_mb'));
  row['points'] = points.length;
  row['extra'] = extraSummary(points);
  row['results'] =
    results.length === 0 ? null : JSON.stringify(merge(results.map((e) => field(e, 'results'))));
  return [row];
}

/** Sums of floating point depend on the order: attempts in order, then the other values by id. */
function totalElapsed(run: Run, points: readonly Event[]): number | null {
  if (points.length === 0) return null;
  const others = points.map((e) => e.attempt).filter((attempt) => !run.attempts.includes(attempt));
  let sum = 0;
  for (const attempt of [...run.attempts, ...[...new Set(others)].sort(compareText)]) {
    const ofAttempt = points.filter((e) => e.attempt === attempt);
    sum += greatest(numbersIn(ofAttempt, 'elapsed_seconds')) ?? 0;
  }
  return sum;
}

/**
 * Names are sorted by UTF-8 bytes, but whole numbers come first, as in every stored object: no JavaScript
 * object could have them elsewhere.
 */
function extraSummary(points: readonly Event[]): string | null {
  const extras = points.map((e) => merge([field(e, 'extra')]));
  const names = [...new Set(extras.flatMap((extra) => Object.keys(extra)))].sort(compareText);
  const summary = emptyObject();
  for (const name of names) {
    const values = extras.map((extra) => extra[name]).filter((value) => typeof value === 'number');
    const final = values.at(-1);
    if (final !== undefined) summary[name] = { min: least(values), max: greatest(values), final };
  }
  return Object.keys(summary).length === 0 ? null : JSON.stringify(summary);
}
