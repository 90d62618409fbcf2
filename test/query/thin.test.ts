import fc from 'fast-check';
import { expect, test } from 'vitest';
import { getRunMetrics, type MetricPoint } from '../../src/query/index.ts';
import { runId } from '../../src/events/run-id.ts';
import { created, keyOf, of, TestLedger, type Entry } from './ledger.ts';
import { ledgerOfLong, longRun, LONG_RUN } from './long-runs.ts';
import { expectThinned } from './thinned.ts';

const KEY = keyOf(1);
const ID = runId(KEY);

const number = fc.oneof(
  fc.constantFrom(0, 1, -1, 0.5),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -10, max: 10 }),
);
const measure = fc.oneof({ weight: 8, arbitrary: number }, fc.constantFrom('NaN', 'Infinity', '-Infinity'));
const point = fc.record(
  {
    step: fc.nat({ max: 60 }),
    loss: measure,
    f1: number,
    extra: fc.dictionary(fc.constantFrom('acc', '__proto__', 'a.b', '"'), measure, { maxKeys: 2 }),
  },
  { requiredKeys: ['loss'], noNullPrototype: true },
);

test('few points, and the extremes among them, whatever the series', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(point, { maxLength: 120 }),
      fc.array(point, { maxLength: 40 }),
      fc.boolean(),
      fc.array(fc.integer({ min: 2, max: 60 }), { minLength: 5, maxLength: 10 }),
      async (first, second, resume, limits) => {
        const built = new TestLedger(['a1', 'a2']);
        const entries: Entry[] = [
          { file: 0, fields: created(KEY, 0) },
          ...first.map((each, at) => ({
            file: 0,
            fields: of(KEY, 'metric', at, { elapsed_seconds: at, ...each }),
          })),
          { file: 1, fields: created(KEY, 200, { resume }) },
          ...second.map((each, at) => ({
            file: 1,
            fields: of(KEY, 'metric', 201 + at, { elapsed_seconds: at, ...each }),
          })),
        ];
        await built.add(entries);
        for (const limit of limits) {
          for (const options of [
            {},
            { view: 'all' as const },
            { names: ['loss', 'acc'] },
            { from: 10, to: 40 },
          ]) {
            const full = getRunMetrics(built.db, ID, options);
            expectThinned(getRunMetrics(built.db, ID, { ...options, points: limit }), full, limit);
          }
        }
        built.db.close();
      },
    ),
    { numRuns: 60 },
  );
});

/** A series that is not all the same, without a random number that a failure would not show again. */
function wave(count: number, start = 0): object[] {
  return Array.from({ length: count }, (_, index) => {
    const at = start + index;
    return {
      elapsed_seconds: at,
      step: at,
      loss: at === 7777 ? 'NaN' : Math.round(1000 * Math.sin(at / 500)) / 1000 + (at % 7) / 1e4,
      ...(at % 3 === 0 && { f1: at === 5001 ? 9 : Math.cos(at) }),
      extra: at % 5 === 0 ? { acc: at % 1013, ['__proto__']: -at } : { acc: at % 1013 },
    };
  });
}

const LONG = 12_345;

async function waves(options: { resume: boolean; at: number }): Promise<TestLedger> {
  const built = new TestLedger(['a1', 'a2']);
  const lines = (file: number, points: readonly object[]): Entry[] =>
    points.map((each) => ({ file, fields: of(KEY, 'metric', 1, { ...each }) }));
  await built.add([{ file: 0, fields: created(KEY, 0) }, ...lines(0, wave(LONG))]);
  await built.add([
    { file: 1, fields: created(KEY, 5, { resume: options.resume }) },
    ...lines(1, wave(400, options.at)),
  ]);
  return built;
}

test.each([
  ['all of it', { resume: true, at: LONG }, LONG + 400],
  ['a resumed run, cut within a block', { resume: true, at: 9_500 }, 9_500 + 400],
  ['a run that started over', { resume: false, at: 0 }, 400],
])('of a long series blocks are read in the place of points: %s', async (_, options, length) => {
  const { db } = await waves(options);
  expect(db.prepare('SELECT count(*) FROM _digests').pluck().get()).toBe(13);
  expect(getRunMetrics(db, ID)).toHaveLength(length);
  const cases = [
    {},
    { view: 'all' as const },
    { names: ['f1'] },
    { names: ['acc', '__proto__'] },
    { names: ['nothing'] },
    { from: 1500, to: 8200 },
    { from: 3000, to: 3010 },
    { from: 50_000 },
  ];
  for (const each of cases) {
    const full = getRunMetrics(db, ID, each);
    const withBlocks = [10, 50, 500, 3000].map((points) => getRunMetrics(db, ID, { ...each, points }));
    for (const [index, points] of [10, 50, 500, 3000].entries()) {
      expectThinned(withBlocks[index] as MetricPoint[], full, points);
    }
  }
  // as fine as it was asked for, although blocks are coarse
  if (length > 9_000)
    expect(getRunMetrics(db, ID, { names: ['loss'], points: 1000 }).length).toBeGreaterThan(800);
  // and without them, point by point
  db.exec('DELETE FROM _digests');
  for (const each of cases) {
    for (const points of [10, 500]) {
      expectThinned(getRunMetrics(db, ID, { ...each, points }), getRunMetrics(db, ID, each), points);
    }
  }
});

const AROUND = [10, 77, 1000, 14_000];

test('of a long series too, with many metrics or sparse ones, and lines that came late', async () => {
  await fc.assert(
    fc.asyncProperty(
      longRun,
      fc.array(
        fc.record(
          {
            view: fc.constantFrom('all', 'view'),
            from: fc.nat({ max: 14_000 }),
            names: fc.subarray(['loss', 'val', 'a"b', 'extra.loss', 'nothing'], {
              minLength: 1,
              maxLength: 2,
            }),
          },
          { requiredKeys: [] },
        ),
        { minLength: 3, maxLength: 3 },
      ),
      async (given, asked) => {
        const { db } = await ledgerOfLong(given);
        for (const options of [{}, ...given.metrics.map(({ name }) => ({ names: [name] })), ...asked]) {
          const full = getRunMetrics(db, LONG_RUN, options);
          for (const points of AROUND) {
            const thinned = getRunMetrics(db, LONG_RUN, { ...options, points });
            expectThinned(thinned, full, points);
            const isOfOne = 'names' in options && options.names?.length === 1;
            if (isOfOne && points >= 77) {
              expect(thinned.length, 'as fine as asked').toBeGreaterThan(
                0.85 * Math.min(points, full.length) - 1,
              );
            }
          }
        }
        db.close();
      },
    ),
    { numRuns: 6 },
  );
});

/** How many points of the metric there are, thinned to each. */
async function fineness(
  points: readonly object[],
  name: string,
  limits: readonly number[],
): Promise<number[]> {
  const built = new TestLedger();
  const lines = points.map((each) => ({ file: 0, fields: of(KEY, 'metric', 1, { ...each }) }));
  await built.add([{ file: 0, fields: created(KEY, 0) }, ...lines]);
  return limits.map((limit) => getRunMetrics(built.db, ID, { names: [name], points: limit }).length);
}

test('a metric that is in few points is as fine as was asked for', async () => {
  const at = (step: number, value: number): object => ({
    elapsed_seconds: step,
    step,
    loss: 1 / (step + 1),
    ...(step % 10 === 0 && { extra: { val: value } }),
  });
  const points = Array.from({ length: 20_000 }, (_, step) => at(step, (step * 7919) % 1000));
  const [few = 0, more = 0, many = 0, all] = await fineness(points, 'val', [100, 500, 1000, 2000]);
  expect(few).toBeGreaterThan(90);
  expect(more).toBeGreaterThan(480);
  expect(many).toBeGreaterThan(980);
  expect(all).toBe(2000);
});

test('all points are there if there is room for all, and nearly all if there is nearly room', async () => {
  const [less = 0, enough, more] = await fineness(wave(15_000), 'loss', [14_000, 15_000, 20_000]);
  expect(less).toBeGreaterThan(13_900);
  expect([enough, more]).toEqual([15_000, 15_000]);
});

test.each([1, 0, -5, 2.5, Number.NaN, '10'])('points: %j is refused', (points) => {
  const { db } = new TestLedger();
  expect(() => getRunMetrics(db, ID, { points: points as number })).toThrow(
    expect.objectContaining({ code: 'usage' }),
  );
});

test('a run without points has none', () => {
  expect(getRunMetrics(new TestLedger().db, ID, { points: 10 })).toEqual([]);
});
