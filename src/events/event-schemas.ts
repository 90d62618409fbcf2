// What the ten event types hold, written once: types, validation and docs/events.schema.json come from here.
import { createRequire } from 'node:module';
import type { z as Zod } from 'zod';
import {
  FORMAT_VERSION,
  isNamedMeasures,
  isObject,
  RUN_ID,
  RUN_STATUSES,
  type EventType,
  type JsonObject,
  type Measure,
} from './event.ts';

export type EventSchemas = ReturnType<typeof makeSchemas>;

let made: EventSchemas | undefined;

/** One schema for each event type. Unknown fields are ignored; null is the same as absent. */
export function eventSchemas(): EventSchemas {
  // with the first line that needs it: to load zod takes as long as to start Node, and most commands read no new line
  made ??= makeSchemas((createRequire(import.meta.url)('zod') as { z: typeof Zod }).z);
  return made;
}

function makeSchemas(z: typeof Zod) {
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

  const runIdField = z.string().regex(RUN_ID, 'must be 16 characters of 0-9 and a-z, without i, l, o and u');

  const line = { ts: timestamp, seq: z.int().min(1).nullish() };
  const ofRun = { ...line, run_id: runIdField, attempt: text.nullish() };

  return {
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
  } satisfies Record<EventType, Zod.ZodObject>;
}

function isFiniteJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.keys(value).every((key) => isFiniteJson((value as JsonObject)[key]));
}

function isFiniteJsonObject(value: unknown): boolean {
  return isObject(value) && isFiniteJson(value);
}
