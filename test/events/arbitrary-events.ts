// Valid events of every type with any values that their fields may have, as objects to be written as JSON.
import fc from 'fast-check';
import type { EventType } from '../../src/events/event.ts';
import { hashKey } from '../../src/events/run-id.ts';

export type AnyEvent = Record<string, unknown>;

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', '__proto__', 'null', '\u0000', '😀'),
);
const integer = fc.maxSafeInteger();
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const measure = fc.oneof(finite, fc.constantFrom('NaN', 'Infinity', '-Infinity'));
const ts = fc
  .date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString());
const otherTs = fc.constantFrom(
  '2026-11-23T11:15:00+01:00',
  '2026-11-23T10:15:00.98765Z',
  '2026-11-23t10:15:60z',
);
const time = fc.oneof({ weight: 4, arbitrary: ts }, otherTs);
const slurmId = fc.oneof(text, integer);
/** So many of these characters. */
function of(characters: string, minLength: number, maxLength = minLength): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...characters.split('')), minLength, maxLength });
}

const runIdText = of('0123456789abcdefghjkmnpqrstvwxyz', 16);
const ulid = fc
  .tuple(of('01234567', 1), of('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 25))
  .map((parts) => parts.join(''));
const origin = of('AZaz09._-', 1, 64);
/** JSON whose keys may be anything; `fc.jsonValue` has no numbers beyond a double. */
const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>;
const object = fc.dictionary(fc.oneof(text, fc.constantFrom('a', '7')), json, {
  noNullPrototype: true,
  maxKeys: 4,
});
const measures = fc.dictionary(text, fc.option(measure), { noNullPrototype: true, maxKeys: 4 });

type Fields = Record<string, fc.Arbitrary<unknown>>;

/** Fields that may be left out, null among their values. */
function optional(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, fc.option(fc.option(value), { nil: undefined })]),
  );
}

const anyLine: Fields = {
  ts: time,
  ...optional({ seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) }),
};
const ofRun: Fields = { ...anyLine, run_id: runIdText, ...optional({ attempt: text }) };

const SHAPES: Record<Exclude<EventType, 'run_created'>, Fields> = {
  writer_opened: {
    ...anyLine, format: fc.constant(1), writer: ulid, origin, ...optional({ attempt: text }), host: text, pid: integer,
    user: text, client: fc.record({ name: text, version: text }),
  },
  status_changed: {
    ...ofRun, status: fc.constantFrom('pending', 'running', 'completed', 'failed', 'timeout'),
    ...optional({ exit_code: integer, reason: text, source: fc.constantFrom('job', 'wrapper') }),
  },
  metric: {
    ...ofRun, elapsed_seconds: finite,
    ...optional({
      epoch: integer, step: integer, loss: measure, f1: measure, fitness: measure, behavioral_comparison: measure,
      gpu_memory_mb: measure, extra: measures,
    }),
  },
  result: { ...ofRun, results: object },
  error: { ...ofRun, exception_type: text, message: text, ...optional({ traceback: text }) },
  slurm_info: {
    ...ofRun, attempt: text, job_id: slurmId, source: fc.constantFrom('env', 'squeue', 'sacct'),
    ...optional({
      array_job_id: slurmId, array_task_id: slurmId, restart_count: integer, state: text, reason: text, partition: text,
      account: text, node_list: text, cpus: integer, gpus: integer, memory_mb: finite, time_limit_seconds: finite,
      submitted_at: time, started_at: time, ended_at: time, exit_code: integer, signal: integer, max_rss_mb: finite, cpu_seconds: finite,
      stdout_path: text, stderr_path: text,
    }),
  },
  run_annotated: { ...ofRun, ...optional({ tags: fc.array(text, { maxLength: 3 }), notes: text, hidden: fc.boolean() }) },
  resource_sample: {
    ...ofRun, elapsed_seconds: finite,
    ...optional({ cpu_percent: finite, rss_mb: finite, gpu_percent: finite, gpu_memory_mb: finite }),
  },
  writer_closed: { ...anyLine, events: integer },
}; // prettier-ignore

const runCreated = fc
  .record({
    ...anyLine,
    experiment_number: integer,
    dataset: text,
    method: text,
    ...optional({
      attempt: text, subject: text, cl_info: text, seed: integer, config: object, notes: text, resume: fc.boolean(),
      tags: fc.array(text, { maxLength: 3 }),
      code: fc.record(optional({ git_commit: text, git_dirty: fc.boolean(), command: text, cwd: text })),
    }),
  })
  .map((fields: AnyEvent) => {
    const { experiment_number, dataset, method, subject, cl_info, seed } = fields;
    const key = { experiment_number, dataset, method, subject: subject ?? null, cl_info: cl_info ?? null, seed: seed ?? null };
    return { ...fields, type: 'run_created', run_id: hashKey(key as Parameters<typeof hashKey>[0]) };
  }); // prettier-ignore

/** As it will be read: without what JSON leaves out. */
export const anyEvent: fc.Arbitrary<AnyEvent> = fc
  .oneof(
    runCreated,
    ...Object.entries(SHAPES).map(([type, fields]) => fc.record(fields).map((event) => ({ type, ...event }))),
  )
  .map((event) => JSON.parse(JSON.stringify(event)) as AnyEvent);
