// A run's events -> its rows in the small tables. A pure function: whatever order the events are given in.
import { attemptsOf, inEventOrder, isOfType, viewStart, type Attempt, type FoldEvent } from './attempts.ts';
import { foldSlurmJobs, ownJobOf, waitingRestart, withOwnJobIds, type SlurmJobRow } from './slurm-fold.ts';
import { statusOf, type AttemptStatus } from './status.ts';

export interface RunRow {
  experiment_number: number;
  dataset: string;
  method: string;
  subject: string | null;
  cl_info: string | null;
  seed: number | null;
  status: string;
  status_reason: string | null;
  exit_code: number | null;
  config: string;
  tags: string;
  notes: string | null;
  hidden: 0 | 1;
  slurm_job_id: string | null;
  slurm_array_task_id: string | null;
  host: string | null;
  user_name: string | null;
  git_commit: string | null;
  git_dirty: 0 | 1 | null;
  command: string | null;
  cwd: string | null;
  attempt_count: number;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface FoldedAttempt extends Attempt, AttemptStatus {
  inView: boolean;
  /** JSON. */
  config: string;
}

export interface FoldedRun {
  run: RunRow;
  /** In order; the last one speaks for the run. */
  attempts: FoldedAttempt[];
  slurmJobs: SlurmJobRow[];
  /** The merged `results` of the view as JSON, null if no `result` is in it. */
  results: string | null;
}

/** The rows of one run, or undefined as long as none of its events is a `run_created`. */
export function fold(events: readonly FoldEvent[]): FoldedRun | undefined {
  const created = events.filter(isOfType('run_created'));
  const order = attemptsOf(created);
  const first = order[0];
  const last = order.at(-1);
  if (first === undefined || last === undefined) return undefined;

  const start = viewStart(order);
  const attempts = order.map((attempt, position) => ({
    ...attempt,
    ...statusOf(events.filter(isOfType('status_changed')).filter((item) => item.attempt === attempt.id)),
    inView: position >= start,
    config: JSON.stringify(mergeObjects(createdIn(created, attempt).map(({ event }) => event.config))),
  }));
  const slurmEvents = withOwnJobIds(events.filter(isOfType('slurm_info')));
  const slurmJobs = foldSlurmJobs(slurmEvents);
  const lastCreated = createdIn(created, last);
  return {
    run: {
      ...keyOf(lastCreated),
      ...originOf(lastCreated),
      ...annotationsOf(lastCreated, inEventOrder(events.filter(isOfType('run_annotated')), order)),
      ...stateOf(attempts.at(-1), slurmEvents, slurmJobs),
      config: attempts.at(-1)?.config ?? '{}',
      attempt_count: order.length,
      created_at: first.createdAt,
    },
    attempts,
    slurmJobs,
    results: resultsOf(events, attempts),
  };
}

/** The `run_created` of one attempt, in order. */
function createdIn(
  created: readonly FoldEvent<'run_created'>[],
  attempt: Attempt,
): FoldEvent<'run_created'>[] {
  return inEventOrder(
    created.filter((item) => item.attempt === attempt.id),
    [],
  );
}

type Created = readonly FoldEvent<'run_created'>[];

/** Every `run_created` of a run has the same key, for the run's id is the key's hash. */
function keyOf(created: Created) {
  const event = created[0]?.event;
  if (event === undefined) throw new Error('an attempt has a run_created');
  const { experiment_number, dataset, method } = event;
  return {
    experiment_number,
    dataset,
    method,
    subject: event.subject ?? null,
    cl_info: event.cl_info ?? null,
    seed: event.seed ?? null,
  };
}

function originOf(created: Created) {
  const dirty = lastOf(created, ({ event }) => event.code?.git_dirty);
  return {
    host: lastOf(created, (item) => item.host),
    user_name: lastOf(created, (item) => item.user),
    git_commit: lastOf(created, ({ event }) => event.code?.git_commit),
    git_dirty: dirty === null ? null : asBit(dirty),
    command: lastOf(created, ({ event }) => event.code?.command),
    cwd: lastOf(created, ({ event }) => event.code?.cwd),
  };
}

function annotationsOf(created: Created, annotated: readonly FoldEvent<'run_annotated'>[]) {
  const tags =
    lastOf(annotated, ({ event }) => event.tags) ?? lastOf(created, ({ event }) => event.tags) ?? [];
  return {
    tags: JSON.stringify(tags),
    notes: lastOf(annotated, ({ event }) => event.notes) ?? lastOf(created, ({ event }) => event.notes),
    hidden: asBit(lastOf(annotated, ({ event }) => event.hidden) ?? false),
  };
}

function stateOf(
  last: FoldedAttempt | undefined,
  slurmEvents: readonly FoldEvent<'slurm_info'>[],
  slurmJobs: readonly SlurmJobRow[],
) {
  if (last === undefined) throw new Error('a run has an attempt');
  const own = ownJobOf(last.id, slurmEvents);
  const ownRow = slurmJobs.find((row) => row.job_id === own?.jobId && row.restart_count === own.restart);
  const waiting = own === undefined ? undefined : waitingRestart(own, slurmJobs);
  const job = {
    slurm_job_id: own?.jobId ?? null,
    slurm_array_task_id: ownRow?.array_task_id === undefined ? null : asText(ownRow.array_task_id),
    started_at: last.startedAt,
  };
  if (waiting !== undefined) {
    // what it waited for is old when it starts
    const reason = asText(waiting.state === 'PENDING' ? waiting.reason : waiting.state);
    return { ...job, status: 'pending', status_reason: reason, exit_code: null, finished_at: null };
  }
  const isInQueue = last.status === 'pending' && ownRow?.state === 'PENDING';
  return {
    ...job,
    status: last.status,
    status_reason: last.reason ?? (isInQueue ? asText(ownRow.reason) : null),
    exit_code: last.exitCode,
    finished_at: last.finishedAt,
  };
}

function resultsOf(events: readonly FoldEvent[], attempts: readonly FoldedAttempt[]): string | null {
  const outOfView = new Set(attempts.filter((attempt) => !attempt.inView).map(({ id }) => id));
  const results = events.filter(isOfType('result')).filter((item) => !outOfView.has(item.attempt));
  if (results.length === 0) return null;
  return JSON.stringify(mergeObjects(inEventOrder(results, attempts).map(({ event }) => event.results)));
}

/** Shallow; later keys win, a key stays where it first came. */
function mergeObjects(objects: readonly (Readonly<Record<string, unknown>> | null | undefined)[]) {
  // without a prototype, so that a key named __proto__ is data like any other
  const merged = Object.create(null) as Record<string, unknown>;
  for (const object of objects) {
    for (const [key, value] of Object.entries(object ?? {})) merged[key] = value;
  }
  return merged;
}

function lastOf<T, V>(items: readonly T[], pick: (item: T) => V | null | undefined): V | null {
  for (const item of items.toReversed()) {
    const value = pick(item);
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

function asBit(value: boolean): 0 | 1 {
  return value ? 1 : 0;
}

function asText(value: string | number | null): string | null {
  return value === null ? null : String(value);
}
