// Random histories of two runs: attempts that resume or start over, and points that overlap.
import fc from 'fast-check';
import { runId } from '../../src/events/run-id.ts';
import { anyFile, created, keyOf, of, TestLedger, type Entry } from './ledger.ts';

export const RUNS = [keyOf(1), keyOf(2)] as const;
export const KEY = RUNS[0];
export const RUN = runId(KEY);
const ATTEMPTS = ['a', 'b', 'ÿ', '😀'] as const;
export const NAMES = ['acc', 'loss', '__proto__', '7', 'extra.x'] as const;

export const maybe = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(values, { nil: undefined });
const attempt = maybe(fc.constantFrom(...ATTEMPTS));
const position = maybe(fc.integer({ min: 0, max: 6 }));
const measure = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom('NaN', 'Infinity', '-Infinity'));
const extra = fc
  .uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 })
  .chain((names) => fc.tuple(...names.map((name) => measure.map((value) => [name, value] as const))))
  .map((entries) => Object.fromEntries(entries));

const metric = fc.record({
  attempt,
  elapsed_seconds: fc.nat({ max: 9 }),
  step: position,
  epoch: position,
  loss: maybe(measure),
  gpu_memory_mb: maybe(measure),
  extra: maybe(extra),
});
const entry: fc.Arbitrary<Entry> = fc
  .tuple(anyFile, fc.constantFrom(...RUNS), fc.nat({ max: 6 }))
  .chain(([file, key, at]) =>
    fc
      .oneof(
        { weight: 4, arbitrary: metric.map((fields) => of(key, 'metric', at, fields)) },
        {
          weight: 1,
          arbitrary: fc
            .record({ attempt, resume: maybe(fc.boolean()) })
            .map((fields) => created(key, at, fields)),
        },
      )
      .map((fields) => ({ file, fields })),
  );
export const history: fc.Arbitrary<History> = fc.record({
  headers: fc.tuple(attempt, attempt, attempt),
  batches: fc.array(fc.array(entry, { maxLength: 25 }), { minLength: 1, maxLength: 4 }),
});

export interface History {
  /** The default attempts of the writers. */
  headers: (string | undefined)[];
  /** What is appended between two passes. */
  batches: Entry[][];
}

export async function ledgerOf({ headers, batches }: History): Promise<TestLedger> {
  const built = new TestLedger(headers);
  for (const batch of batches) await built.add(batch);
  return built;
}
