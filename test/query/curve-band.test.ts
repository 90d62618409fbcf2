// The arithmetic of curves: bins, means, bands, moving averages.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BANDS, bandOf, type Band, type CurvePoint } from '../../src/query/curve-band.ts';
import { binned, binOf, type Grid, type Series } from '../../src/query/curve-bins.ts';
import { smooth } from '../../src/query/smoothing.ts';
import { deviationOf, meanOf } from '../../src/query/spread.ts';

const GRID: Grid = { from: 0, to: 99, bins: 10, log: false };
const anyValue = fc
  .oneof(
    { weight: 8, arbitrary: fc.double({ noNaN: true, min: -1e6, max: 1e6 }) },
    { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  )
  // -0 is not worth telling apart
  .map((value) => value + 0);
const anyPoint = fc.tuple(
  fc.nat({ max: 99 }),
  fc.oneof({ weight: 9, arbitrary: anyValue }, fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY)),
);
const anyRun: fc.Arbitrary<Series> = fc.array(anyPoint, { maxLength: 40 }).map((points) => {
  const sorted = points.toSorted(([a], [b]) => a - b);
  return { x: sorted.map(([x]) => x), y: sorted.map(([, y]) => y) };
});
const anyBand = fc.constantFrom(...BANDS);

function curveOf(runs: readonly Series[], band: Band = 'std', grid: Grid = GRID): CurvePoint[] {
  return bandOf(
    runs.map((run) => binned(run, grid)),
    band,
  );
}

function line(from: number, to: number, y: (x: number) => number): Series {
  const x = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return { x, y: x.map(y) };
}

test('a mean lies between the least and the greatest value, whatever their order and size', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), (values) => {
      const mean = meanOf(values);
      expect(mean).toBeGreaterThanOrEqual(Math.min(...values));
      expect(mean).toBeLessThanOrEqual(Math.max(...values));
      expect(meanOf(values.toReversed())).toBe(mean);
      const deviation = deviationOf(values, mean);
      expect(deviation === null || deviation >= 0).toBe(true);
    }),
  );
  expect(meanOf([1, 2, 6])).toBe(3);
  expect(deviationOf([1, 2, 6], 3)).toBeCloseTo(Math.sqrt(7), 12);
  expect(deviationOf([5], 5)).toBeNull();
  expect(meanOf([0.1, 0.1, 0.1])).toBe(0.1);
});

test('of whatever runs: means within the values, bands around means, n at most the runs, x ascending', () => {
  fc.assert(
    fc.property(fc.array(anyRun, { maxLength: 6 }), anyBand, (runs, band) => {
      const points = curveOf(runs, band);
      const values = runs.flatMap(({ y }) => y).filter(Number.isFinite);
      expect(points.length > 0).toBe(values.length > 0);
      for (const [index, { x, mean, low, high, n }] of points.entries()) {
        expect(mean).toBeGreaterThanOrEqual(Math.min(...values));
        expect(mean).toBeLessThanOrEqual(Math.max(...values));
        expect(low ?? mean).toBeLessThanOrEqual(mean);
        expect(high ?? mean).toBeGreaterThanOrEqual(mean);
        expect((low === null) === (high === null)).toBe(true);
        expect(n).toBeGreaterThanOrEqual(1);
        expect(n).toBeLessThanOrEqual(runs.length);
        if (index > 0) expect(x).toBeGreaterThan(points[index - 1]?.x ?? Number.NaN);
      }
    }),
  );
});

test('the order of the runs is of no account', () => {
  fc.assert(
    fc.property(
      fc
        .array(anyRun, { minLength: 1, maxLength: 6 })
        .chain((runs) =>
          fc.tuple(
            fc.constant(runs),
            fc.shuffledSubarray(runs, { minLength: runs.length, maxLength: runs.length }),
          ),
        ),
      anyBand,
      ([runs, shuffled], band) => {
        expect(curveOf(shuffled, band)).toEqual(curveOf(runs, band));
      },
    ),
  );
});

test('runs that all log at the same places: the mean at each, without anything in between', () => {
  fc.assert(
    fc.property(fc.array(anyValue, { minLength: 1, maxLength: 9 }), (offsets) => {
      const runs = offsets.map((offset) => ({ x: [5, 15, 95], y: [offset, offset, offset] }));
      const mean = meanOf(offsets);
      expect(curveOf(runs, 'minmax')).toEqual(
        [5, 15, 95].map((x) => ({
          x,
          mean,
          low: offsets.reduce((a, b) => Math.min(a, b)),
          high: offsets.reduce((a, b) => Math.max(a, b)),
          n: offsets.length,
        })),
      );
    }),
  );
});

test('a run that logs more often weighs the same', () => {
  const often = line(0, 99, () => 1);
  const seldom = line(0, 99, () => 0);
  const every10th = { x: seldom.x.filter((x) => x % 10 === 0), y: seldom.x.slice(0, 10).map(() => 0) };
  expect(curveOf([often, every10th]).map(({ mean }) => mean)).toEqual(Array.from({ length: 10 }, () => 0.5));
});

test('a run that ends early leaves the mean: it is not carried on', () => {
  const points = curveOf([line(0, 99, () => 1), line(0, 39, () => 0)]);
  expect(points.map(({ n }) => n)).toEqual([2, 2, 2, 2, 1, 1, 1, 1, 1, 1]);
  expect(points.map(({ mean }) => mean)).toEqual([0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1, 1, 1]);
  expect(points.at(-1)).toMatchObject({ low: null, high: null });
});

test('between two of its values a run counts by the line between them, but not across what is not finite', () => {
  const whole = line(0, 99, (x) => x);
  const ends = { x: [4.5, 94.5], y: [4.5, 94.5] };
  const middle = curveOf([whole, ends])[5];
  expect(middle?.n).toBe(2);
  expect(middle?.mean).toBeCloseTo(54.5, 9);
  const broken = { x: [4.5, 34.5, 94.5], y: [4.5, Number.NaN, 94.5] };
  expect(curveOf([whole, broken]).map(({ n }) => n)).toEqual([2, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
});

test('bins have the same width, of positions or of their logarithms', () => {
  expect([0, 9, 9.8, 10, 50, 99].map((x) => binOf(GRID, x))).toEqual([0, 0, 0, 1, 5, 9]);
  const log = { from: 1, to: 1000, bins: 3, log: true };
  expect([1, 9, 11, 99, 101, 1000].map((x) => binOf(log, x))).toEqual([0, 0, 1, 1, 2, 2]);
  expect(binOf({ from: 7, to: 7, bins: 10, log: false }, 7)).toBe(0);
});

const anyWeight = fc.double({ min: 0, max: 0.999, noNaN: true });

test('the moving average of a constant is the constant; it stays within the values, and weight 0 leaves them', () => {
  fc.assert(
    fc.property(anyValue, fc.nat({ max: 50 }), anyWeight, (value, length, weight) => {
      const values = Array.from({ length }, () => value);
      expect(smooth(values, weight)).toEqual(values);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.double()), anyWeight, (values, weight) => {
      const smoothed = smooth(values, weight);
      const finite = values.filter(Number.isFinite);
      for (const [index, value] of smoothed.entries()) {
        if (!Number.isFinite(values[index])) expect(value).toBe(values[index]);
        else {
          expect(value).toBeGreaterThanOrEqual(Math.min(...finite));
          expect(value).toBeLessThanOrEqual(Math.max(...finite));
        }
      }
      expect(smooth(values, 0)).toEqual(values);
    }),
  );
});

test('the moving average is that of its formula', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1000, max: 1000, noNaN: true })),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      (values, weight) => {
        let sum = 0;
        const expected = values.map((value, index) => {
          sum = weight * sum + (1 - weight) * value;
          return sum / (1 - weight ** (index + 1));
        });
        for (const [index, value] of smooth(values, weight).entries()) {
          expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 6);
        }
      },
    ),
  );
});

test.each([1, -0.1, Number.NaN, '0.5'])('a weight of %s is refused', (weight) => {
  expect(() => smooth([1], weight as number)).toThrow(/smooth must be a number from 0 and below 1/);
});
