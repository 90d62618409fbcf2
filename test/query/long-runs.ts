// Random runs that are long enough for blocks: metrics in every point or in few, lines that come late, a second attempt.
import fc from 'fast-check';
import { runId } from '../../src/events/run-id.ts';
import { created, keyOf, of, TestLedger, type Entry, type Fields } from './ledger.ts';

const KEY = keyOf(1);
export const LONG_RUN = runId(KEY);

interface Metric {
  name: string;
  /** In every so many-th point, or in as many points of every thousand as are one after the other. */
  every: number;
  isClumped: boolean;
  /** The values repeat after so many, and are not finite at multiples of `badEvery`. */
  period: number;
  badEvery: number | null;
}

export interface LongRun {
  points: number;
  metrics: Metric[];
  /** How many steps are of one epoch; null: points have no step but their number as epoch. */
  epoch: number | null;
  /** A second attempt, from this part of the steps on; null: there is none. */
  again: { from: number; points: number; resume: boolean } | null;
  /** In which order parts of the first file come. */
  order: number[];
}

const NAMES = [
  'loss',
  'gpu_memory_mb',
  'extra.val',
  'extra.__proto__',
  'extra.a"b',
  'extra.é\n',
  'extra.loss',
];

export const longRun: fc.Arbitrary<LongRun> = fc.record({
  points: fc.oneof(fc.integer({ min: 2_500, max: 5_000 }), {
    weight: 2,
    arbitrary: fc.integer({ min: 10_500, max: 13_500 }),
  }),
  metrics: fc
    .subarray(NAMES, { minLength: 1 })
    .chain((names) => fc.tuple(...names.map((name) => metricNamed(name)))),
  epoch: fc.constantFrom(null, 7, 1000),
  again: fc.option(
    fc.record({
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      points: fc.nat({ max: 1500 }),
      resume: fc.boolean(),
    }),
  ),
  order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
});

function metricNamed(name: string): fc.Arbitrary<Metric> {
  return fc.record({
    name: fc.constant(name),
    every: fc.constantFrom(1, 1, 3, 10, 100, 997),
    isClumped: fc.boolean(),
    period: fc.constantFrom(1, 13, 4999, 100_003),
    badEvery: fc.constantFrom(null, 11, 4000),
  });
}

export async function ledgerOfLong({ points, metrics, epoch, again, order }: LongRun): Promise<TestLedger> {
  const built = new TestLedger(['a1', 'a2']);
  const point = (step: number): Fields => {
    const place = epoch === null ? { epoch: step } : { step, epoch: Math.floor(step / epoch) };
    return of(KEY, 'metric', 1, { elapsed_seconds: step, ...place, ...valuesAt(metrics, step) });
  };
  await built.add([{ file: 0, fields: created(KEY, 0) }]);
  for (const part of order) {
    const [from, to] = [part, part + 1].map((quarter) => Math.floor((points * quarter) / 4));
    const steps = Array.from({ length: (to ?? 0) - (from ?? 0) }, (_, index) => (from ?? 0) + index);
    await built.add(steps.map((step): Entry => ({ file: 0, fields: { ...point(step), seq: step + 3 } })));
  }
  if (again !== null) {
    const start = Math.floor(again.from * points);
    const steps = Array.from({ length: again.points }, (_, index) => start + index);
    await built.add([
      { file: 1, fields: created(KEY, 5, { resume: again.resume }) },
      ...steps.map((step): Entry => ({ file: 1, fields: point(step) })),
    ]);
  }
  return built;
}

function valuesAt(metrics: readonly Metric[], step: number): Fields {
  const present = metrics.filter(({ every, isClumped }) =>
    isClumped ? step % 1000 < Math.ceil(1000 / every) : step % every === 0,
  );
  const values = present.map(({ name, period, badEvery }): [string, number | string] => {
    const isBad = badEvery !== null && step > 0 && step % badEvery === 0;
    return [name, isBad ? 'NaN' : ((step % period) * 7919) % 1009];
  });
  const isExtra = ([name]: [string, unknown]): boolean => name.startsWith('extra.');
  const extra = values.filter(isExtra).map(([name, value]) => [name.slice('extra.'.length), value] as const);
  return {
    ...Object.fromEntries(values.filter((entry) => !isExtra(entry))),
    ...(extra.length > 0 && { extra: Object.fromEntries(extra) }),
  };
}
