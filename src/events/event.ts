// The ten event types of version 1, written once: types, validation and docs/events.schema.json come from here.
import { z } from 'zod';

export const FORMAT_VERSION = 1;

export const RUN_STATUSES = ['pending', 'running', 'completed', 'failed', 'timeout'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** The metrics that have a column, `best_X` and `final_X`; for `loss` best is lowest, for the others highest. */
export const NAMED_METRICS = ['loss', 'f1', 'fitness', 'behavioral_comparison'] as const;
export type NamedMetric = (typeof NAMED_METRICS)[number];

export type NonFinite = 'NaN' | 'Infinity' | '-Infinity';
export type Measure = number | NonFinite;
export type JsonObject = Readonly<Record<string, unknown>>;

export function isNonFinite(value: unknown): value is NonFinite {
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity';
}

export function isMeasure(value: unknown): value is Measure {
  return typeof value === 'number' ? Number.isFinite(value) : isNonFinite(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isNamedMeasures(value: unknown): value is Record<string, Measure | null> {
  if (!isObject(value)) return false;
  // Object.keys, because a record schema would pass over a key named __proto__ unchecked
  for (const name of Object.keys(value)) {
    const measure = value[name];
    if (measure !== null && !isMeasure(measure)) return false;
  }
  return true;
}

function isFiniteJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.keys(value).every((key) => isFiniteJson((value as JsonObject)[key]));
}

function isFiniteJsonObject(value: unknown): boolean {
  return isObject(value) && isFiniteJson(value);
}

const text = z.string();
const integer = z.int();
const finite = z.number();
const timestamp = z.string().meta({ format: 'date-time', description: 'RFC 3339' });
const slurmId = z.union([z.string(), z.int()]);
const measure = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);
const measures = z
  .custom<Readonly<Record<string, Measure | null>>>(
    isNamedMeasures,
    'must be an object of numbers, "NaN", "Infinity" or "-Infinity"',
  )
  .meta({
    type: 'object',
    additionalProperties: {
      anyOf: [{ type: 'number' }, { enum: ['NaN', 'Infinity', '-Infinity'] }, { type: 'null' }],
    },
  });
const jsonObject = z
  .custom<JsonObject>(isFiniteJsonObject, 'must be a JSON object whose numbers are within a double')
  .meta({ type: 'object' });

export const RUN_ID = /^[0-9a-hjkmnp-tv-z]{16}$/;
const runIdField = z.string().regex(RUN_ID, 'must be 16 characters of 0-9 and a-z, without i, l, o and u');

const line = { ts: timestamp, seq: z.int().min(1).nullish() };
const ofRun = { ...line, run_id: runIdField, attempt: text.nullish() };

/** One schema for each event type. Unknown fields are ignored; null is the same as absent. */
export const EVENT_SCHEMAS = {
  writer_opened: z.object({
    type: z.literal('writer_opened'),
    ...line,
    format: z.literal(FORMAT_VERSION),
    writer: z.string().regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, 'must be a ULID in upper case'),
    origin: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -'),
    attempt: text.nullish(),
    host: text,
    pid: integer,
    user: text,
    client: z.object({ name: text, version: text }),
  }),
  run_created: z.object({
    type: z.literal('run_created'),
    ...ofRun,
    experiment_number: integer,
    dataset: text,
    method: text,
    subject: text.nullish(),
    cl_info: text.nullish(),
    seed: integer.nullish(),
    config: jsonObject.nullish(),
    tags: z.array(text).nullish(),
    notes: text.nullish(),
    resume: z.boolean().nullish(),
    code: z
      .object({
        git_commit: text.nullish(),
        git_dirty: z.boolean().nullish(),
        command: text.nullish(),
        cwd: text.nullish(),
      })
      .nullish(),
  }),
  status_changed: z.object({
    type: z.literal('status_changed'),
    ...ofRun,
    status: z.enum(RUN_STATUSES),
    exit_code: integer.nullish(),
    reason: text.nullish(),
    source: z.enum(['job', 'wrapper', 'slurm']).nullish(),
  }),
  metric: z.object({
    type: z.literal('metric'),
    ...ofRun,
    elapsed_seconds: finite,
    epoch: integer.nullish(),
    step: integer.nullish(),
    loss: measure.nullish(),
    f1: measure.nullish(),
    fitness: measure.nullish(),
    behavioral_comparison: measure.nullish(),
    gpu_memory_mb: measure.nullish(),
    extra: measures.nullish(),
  }),
  result: z.object({ type: z.literal('result'), ...ofRun, results: jsonObject }),
  error: z.object({
    type: z.literal('error'),
    ...ofRun,
    exception_type: text,
    message: text,
    traceback: text.nullish(),
  }),
  slurm_info: z.object({
    type: z.literal('slurm_info'),
    ...ofRun,
    job_id: slurmId,
    array_job_id: slurmId.nullish(),
    array_task_id: slurmId.nullish(),
    restart_count: integer.nullish(),
    state: text.nullish(),
    reason: text.nullish(),
    partition: text.nullish(),
    account: text.nullish(),
    node_list: text.nullish(),
    cpus: integer.nullish(),
    gpus: integer.nullish(),
    memory_mb: finite.nullish(),
    time_limit_seconds: finite.nullish(),
    submitted_at: timestamp.nullish(),
    started_at: timestamp.nullish(),
    ended_at: timestamp.nullish(),
    exit_code: integer.nullish(),
    signal: integer.nullish(),
    max_rss_mb: finite.nullish(),
    cpu_seconds: finite.nullish(),
    stdout_path: text.nullish(),
    stderr_path: text.nullish(),
    source: z.enum(['env', 'squeue', 'sacct']),
  }),
  run_annotated: z.object({
    type: z.literal('run_annotated'),
    ...ofRun,
    tags: z.array(text).nullish(),
    notes: text.nullish(),
    hidden: z.boolean().nullish(),
  }),
  resource_sample: z.object({
    type: z.literal('resource_sample'),
    ...ofRun,
    elapsed_seconds: finite,
    cpu_percent: finite.nullish(),
    rss_mb: finite.nullish(),
    gpu_percent: finite.nullish(),
    gpu_memory_mb: finite.nullish(),
  }),
  writer_closed: z.object({ type: z.literal('writer_closed'), ...line, events: integer }),
} as const;

export type EventType = keyof typeof EVENT_SCHEMAS;
export const EVENT_TYPES: readonly EventType[] = Object.keys(EVENT_SCHEMAS) as EventType[];

export type EventOf<T extends EventType> = z.infer<(typeof EVENT_SCHEMAS)[T]>;
export type Event = { [T in EventType]: EventOf<T> }[EventType];

/** An event that names a run. */
export type RunEvent = Exclude<Event, EventOf<'writer_opened'> | EventOf<'writer_closed'>>;

export function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENT_SCHEMAS, type);
}
