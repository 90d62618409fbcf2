// Random histories of a ledger: what writers, people and a network file system do to event files.
import fc from 'fast-check';
import { eventFilePath } from '../../src/events/layout.ts';
import { runId, type RunKey } from '../../src/events/run-id.ts';

export const START_MS = Date.UTC(2026, 10, 23, 10, 0, 0);
const MINUTE_MS = 60_000;

const KEYS: RunKey[] = [
  { experiment_number: 1, dataset: 'iris', method: 'mlp', subject: null, cl_info: null, seed: 1 },
  { experiment_number: 1, dataset: 'iris', method: 'mlp', subject: null, cl_info: null, seed: null },
  { experiment_number: 2, dataset: 'wine\u0000é😀', method: 'knn', subject: 's', cl_info: '{}', seed: -3 },
];
const RUNS = KEYS.map((key) => ({ key, id: runId(key) }));

/** ULIDs of two days, ordered as their index. */
const WRITERS = [
  '01KAQ7000000000000000000A0',
  '01KAQ7000000000000000000A1',
  '01KAQ7000000000000000000A2',
  '01KAW0000000000000000000B0',
] as const;
const ORIGINS = ['host-1', 'slurm7_3r1'] as const;
const ATTEMPTS = [
  '01KAQ7000000000000000000A0',
  '01KAQ7000000000000000000A1',
  'requeue-1',
  'ÿ',
  '😀',
] as const;

/** Index of a file: one of each writer and origin, then hand-made and hostile names. */
export const PATHS: readonly string[] = [
  ...WRITERS.flatMap((writer) => ORIGINS.map((origin) => eventFilePath(writer, origin))),
  'events/2026-11-23/notes.ndjson',
  'events/manual/tags.ndjson',
  'events/2026-11-23/01kaq7000000000000000000a0-lower.ndjson',
];
const WRITER_PATHS = WRITERS.length * ORIGINS.length;

export type Action =
  | { type: 'append'; file: number; line: string; terminator: string }
  | { type: 'half'; file: number; line: string; cut: number }
  | { type: 'finish'; file: number }
  | { type: 'open'; file: number; line: string }
  | { type: 'repeat'; file: number; back: number }
  | { type: 'hole'; file: number; line: string; from: number; length: number }
  | { type: 'fill'; nth: number }
  | { type: 'copy'; file: number; to: number }
  | { type: 'rename'; file: number }
  | { type: 'back'; file: number }
  | { type: 'pass'; thorough: boolean }
  | { type: 'hint'; file: number }
  | { type: 'restart' }
  | { type: 'kill'; after: number }
  | { type: 'wait'; minutes: number };

const anyFile = fc.nat({ max: PATHS.length - 1 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null | undefined> =>
  fc.oneof({ weight: 3, arbitrary }, { weight: 2, arbitrary: fc.constant(undefined) }, fc.constant(null));

const ts = fc
  .oneof(fc.nat({ max: 8 }), fc.nat({ max: 60 }))
  .map((minutes) => new Date(START_MS + minutes * MINUTE_MS).toISOString());
const otherTs = fc.constantFrom(
  '2026-11-23T11:00:00+01:00',
  '2026-11-23T10:01:59.9999Z',
  '2026-11-23t10:01:60z',
  '2026-02-30T00:00:00Z',
  'yesterday',
);
const number = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -10, max: 10 }),
  fc.constant(-0),
);
const measure = fc.oneof({ weight: 6, arbitrary: number }, fc.constantFrom('NaN', 'Infinity', '-Infinity'));
const position = fc.integer({ min: 0, max: 6 });
const name = fc.constantFrom('acc', 'val/acc', '__proto__', '7', 'é');
const names = fc.uniqueArray(name, { maxLength: 3 });
const json = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom(null, 'x', '\ud800', [1], { a: 1 }));

/** Objects with any key, written as JSON text because a literal could not hold a key named __proto__. */
function objectText(values: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  return names.chain((keys) =>
    fc
      .tuple(...keys.map(() => values))
      .map(
        (all) => `{${keys.map((key, i) => `${JSON.stringify(key)}:${JSON.stringify(all[i])}`).join(',')}}`,
      ),
  );
}

type Fields = Record<string, fc.Arbitrary<unknown>>;
const RAW = Symbol('raw JSON');
const raw = (text: fc.Arbitrary<string>) => text.map((json) => ({ [RAW]: json }));

const PAYLOADS: Record<string, Fields> = {
  run_created: {
    config: maybe(raw(objectText(json))),
    tags: maybe(fc.constantFrom([], ['a'], ['b', 'c'])),
    notes: maybe(fc.constantFrom('n1', 'n2')),
    resume: maybe(fc.boolean()),
    code: maybe(
      fc.constantFrom({}, { git_commit: 'c1' }, { git_dirty: true, cwd: '/x' }, { git_dirty: false }),
    ),
  },
  status_changed: {
    status: fc.constantFrom('pending', 'running', 'completed', 'failed', 'failed', 'timeout'),
    exit_code: maybe(fc.constantFrom(0, 1, 137)),
    reason: maybe(fc.constantFrom('r1', 'OUT_OF_MEMORY', 'TIMEOUT')),
    source: maybe(fc.constantFrom('job', 'wrapper', 'slurm')),
  },
  metric: {
    elapsed_seconds: number,
    epoch: maybe(position),
    step: maybe(position),
    loss: maybe(measure),
    f1: maybe(measure),
    fitness: maybe(measure),
    behavioral_comparison: maybe(measure),
    gpu_memory_mb: maybe(measure),
    extra: maybe(raw(objectText(fc.oneof(measure, fc.constant(null))))),
  },
  result: { results: raw(objectText(json)) },
  error: {
    exception_type: fc.constantFrom('ValueError', 'E'),
    message: fc.constantFrom('m', '\u001b[31m'),
    traceback: maybe(fc.constant('tb')),
  },
  slurm_info: {
    job_id: fc.constantFrom('7', 7, '8'),
    array_job_id: maybe(fc.constantFrom('7', 7)),
    array_task_id: maybe(fc.constantFrom('3', 4)),
    restart_count: maybe(fc.nat({ max: 2 })),
    state: maybe(fc.constantFrom('PENDING', 'RUNNING', 'COMPLETED', 'CANCELLED by 1000', 'FAILED')),
    reason: maybe(fc.constantFrom('Priority', 'BeginTime')),
    node_list: maybe(fc.constantFrom('n1', 'n2')),
    cpus: maybe(fc.nat({ max: 4 })),
    exit_code: maybe(fc.constantFrom(0, 9)),
    started_at: maybe(fc.constantFrom('2026-11-23T10:00:00Z', '2026-11-23T10:00:00.5+02:00')),
    source: fc.constantFrom('env', 'squeue', 'sacct'),
  },
  run_annotated: {
    tags: maybe(fc.constantFrom([], ['late'])),
    notes: maybe(fc.constant('by hand')),
    hidden: maybe(fc.boolean()),
  },
  resource_sample: { elapsed_seconds: number, rss_mb: maybe(number) },
  from_the_future: { anything: fc.constantFrom(1, null) },
};

const type = fc.constantFrom(
  ...Object.keys(PAYLOADS),
  ...Array.from({ length: 8 }, () => 'metric'),
  ...Array.from({ length: 4 }, () => 'run_created'),
  ...Array.from({ length: 3 }, () => 'status_changed'),
);

const eventLine = type.chain((kind) =>
  fc
    .record({
      ts: fc.oneof({ weight: 12, arbitrary: ts }, otherTs),
      run: fc.constantFrom(0, 0, 0, 1, 2),
      seq: fc.oneof(
        { weight: 14, arbitrary: fc.constant('next') },
        fc.constantFrom(2, 3, 4, 5, null, 0, 1.5),
      ),
      attempt: fc.option(fc.constantFrom(...ATTEMPTS), { nil: undefined, freq: 3 }),
      payload: fc.record(PAYLOADS[kind] ?? {}),
    })
    .map(({ ts: time, run, seq, attempt, payload }) => {
      const { id, key } = RUNS[run] ?? { id: '', key: {} };
      const keyFields = kind === 'run_created' ? key : {};
      return text({ type: kind, ts: time, seq, run_id: id, attempt, ...keyFields, ...payload });
    }),
);

function text(fields: Record<string, unknown>): string {
  const parts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const isRaw = typeof value === 'object' && value !== null && RAW in value;
      return `${JSON.stringify(key)}:${isRaw ? String(value[RAW]) : JSON.stringify(value)}`;
    });
  return `{${parts.join(',')}}`;
}

const closeLine = fc
  .record({ ts, events: fc.constantFrom('right', 'right', 'right', 3) })
  .map(({ ts: time, events }) => text({ type: 'writer_closed', ts: time, seq: 'next', events }));

const badLine = fc.constantFrom(
  'not json',
  '[1]',
  '{"type":7}',
  '{}',
  ' ',
  '\ufeff{}',
  `${'['.repeat(65)}${']'.repeat(65)}`,
  '{"type":"metric","ts":"2026-11-23T10:00:00Z","seq":"next","run_id":"UPPER","elapsed_seconds":1}',
  '{"type":"result","ts":"2026-11-23T10:00:00Z","seq":"next","run_id":"0000000000000000","results":{"a":1e999}}',
  '{"type":"writer_opened","format":2}',
);

export const line = fc.oneof(
  { weight: 20, arbitrary: eventLine },
  { weight: 1, arbitrary: closeLine },
  badLine,
);
const terminator = fc.constantFrom('\n', '\n', '\n', '\r\n', '\n\n');

/** The header of a writer's own file, or of another one's. */
function headerFor(file: number): fc.Arbitrary<string> {
  return fc
    .record({
      owner: fc.oneof({ weight: 8, arbitrary: fc.constant(file) }, fc.nat({ max: WRITER_PATHS - 1 })),
      attempt: fc.option(fc.constantFrom(...ATTEMPTS), { nil: undefined, freq: 3 }),
      seq: fc.constantFrom(1, 1, 1, 1, 1, 1, 2),
    })
    .map(({ owner, attempt, seq }) =>
      text({
        type: 'writer_opened',
        ts: new Date(START_MS).toISOString(),
        seq,
        format: 1,
        writer: WRITERS[Math.floor(owner / ORIGINS.length) % WRITERS.length],
        origin: ORIGINS[owner % ORIGINS.length],
        attempt,
        host: `h${owner}`,
        pid: 1,
        user: 'u',
        client: { name: 'test', version: '1' },
      }),
    );
}

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({ type: fc.constant('append' as const), file: anyFile, line, terminator }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('half' as const),
      file: anyFile,
      line,
      cut: fc.nat({ max: 60 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('finish' as const), file: anyFile }) },
  {
    weight: 8,
    arbitrary: anyFile.chain((file) =>
      fc.record({ type: fc.constant('open' as const), file: fc.constant(file), line: headerFor(file) }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('repeat' as const), file: anyFile, back: fc.nat({ max: 5 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('hole' as const),
      file: anyFile,
      line: fc.tuple(line, line).map((two) => two.join('\n')),
      from: fc.nat({ max: 80 }),
      length: fc.integer({ min: 1, max: 300 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('fill' as const), nth: fc.nat({ max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('copy' as const), file: anyFile, to: anyFile }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('rename' as const), file: anyFile }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('back' as const), file: anyFile }) },
  { weight: 10, arbitrary: fc.record({ type: fc.constant('pass' as const), thorough: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('hint' as const), file: anyFile }) },
  { weight: 3, arbitrary: fc.constant({ type: 'restart' as const }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('kill' as const), after: fc.nat({ max: 6 }) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('wait' as const), minutes: fc.nat({ max: 20 }) }) },
);

/** Most files begin with their header; then anything happens. */
export const history: fc.Arbitrary<Action[]> = fc
  .tuple(
    fc.uniqueArray(fc.nat({ max: WRITER_PATHS - 1 }), { minLength: 1, maxLength: 4 }),
    fc.array(action, { minLength: 5, maxLength: 60 }),
  )
  .chain(([files, rest]) =>
    fc
      .tuple(
        ...files.map((file) =>
          fc.record({ type: fc.constant('open' as const), file: fc.constant(file), line: headerFor(file) }),
        ),
      )
      .map((opens) => [...opens, ...rest]),
  );
