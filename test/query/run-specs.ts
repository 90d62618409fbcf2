// Random runs, and random filters that often meet them.
import fc from 'fast-check';
import type { RunKey } from '../../src/events/run-id.ts';
import type { RunQuery } from '../../src/query/index.ts';
import { created, of, TestLedger, type Entry } from './ledger.ts';

const STATUSES = ['pending', 'running', 'completed', 'failed', 'timeout'] as const;
export const HOSTILE = [
  "' OR '1'='1",
  '%',
  '_',
  'a"; DROP TABLE experiment_runs; --',
  'nul\0byte',
  '😀',
  'NULL',
  '',
] as const;

const text = fc.oneof({ weight: 3, arbitrary: fc.constant('iris') }, fc.constantFrom(...HOSTILE));
const whole = fc.constantFrom(0, 1, -3, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER);
const key: fc.Arbitrary<RunKey> = fc.record({
  experiment_number: whole,
  dataset: text,
  method: text,
  subject: fc.option(text),
  cl_info: fc.option(text),
  seed: fc.option(whole),
});
const run = fc.record({
  key,
  at: fc.nat({ max: 4 }),
  status: fc.option(fc.constantFrom(...STATUSES)),
  hidden: fc.boolean(),
  more: fc.record({
    config: fc.constantFrom(
      undefined,
      { lr: 0.1, deep: { a: [null, 'x'] } },
      JSON.parse('{"__proto__":1}') as unknown,
    ),
    tags: fc.constantFrom(undefined, [], ['a', "'"]),
    code: fc.constantFrom(undefined, { git_dirty: true }, { git_dirty: false, cwd: '/x' }),
  }),
});
export const runs = fc.array(run, { minLength: 1, maxLength: 25 });

export type RunSpec = typeof run extends fc.Arbitrary<infer Spec> ? Spec : never;

function entriesOf({ key: of_, at, status, hidden, more }: RunSpec): Entry[] {
  const fields = [
    created(of_, at, more),
    ...(status === null ? [] : [of(of_, 'status_changed', at, { status })]),
    ...(hidden ? [of(of_, 'run_annotated', at, { hidden })] : []),
  ];
  return fields.map((line) => ({ file: 0, fields: line }));
}

export async function ledgerOfRuns(specs: readonly RunSpec[]): Promise<TestLedger> {
  const built = new TestLedger();
  await built.add(specs.flatMap(entriesOf));
  return built;
}

export const anyFilter: fc.Arbitrary<RunQuery> = fc.record(
  {
    experiment_number: whole,
    dataset: text,
    method: text,
    subject: fc.option(text),
    cl_info: fc.option(text),
    seed: fc.option(whole),
    status: fc.oneof(fc.constantFrom(...STATUSES), fc.array(fc.constantFrom(...STATUSES), { maxLength: 4 })),
    includeHidden: fc.constantFrom(true, false, undefined),
    limit: fc.option(fc.nat({ max: 10 }), { nil: undefined }),
    offset: fc.option(fc.nat({ max: 10 }), { nil: undefined }),
  },
  { requiredKeys: [] },
);
