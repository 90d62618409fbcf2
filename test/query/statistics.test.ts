import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairedT, summarize, tQuantile, twoSidedP } from '../../src/query/statistics.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
/** Halves add up exactly, so that a property may ask for equality. */
const half = fc.integer({ min: -1000, max: 1000 }).map((value) => value / 2);

/** Of Student's t but for its constant factor, which the integral over all of it gives. */
function density(x: number, df: number): number {
  return (1 + (x * x) / df) ** (-(df + 1) / 2);
}

/** From `from` to infinity by Simpson's rule, as x = u / (1 - u). */
function tail(from: number, df: number): number {
  const steps = 20_000;
  const start = from / (1 + from);
  const width = (1 - start) / steps;
  const at = (u: number): number => (u >= 1 ? 0 : density(u / (1 - u), df) / (1 - u) ** 2);
  let sum = 0;
  for (let index = 0; index <= steps; index += 1) {
    const weight = index === 0 || index === steps ? 1 : index % 2 === 1 ? 4 : 2;
    sum += weight * at(start + index * width);
  }
  return (sum * width) / 3;
}

describe("Student's t", () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: critical values, one-sided 0.975
  it.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [4, 2.776],
    [5, 2.571],
    [9, 2.262],
    [10, 2.228],
    [20, 2.086],
    [30, 2.042],
    [60, 2.0],
    [100, 1.984],
  ])('is below the value of the table for %i degrees of freedom', (df, critical) => {
    expect(tQuantile(0.975, df)).toBeCloseTo(critical, 3);
    expect(twoSidedP(critical, df)).toBeCloseTo(0.05, 4);
  });

  it('has the tail that integration gives', () => {
    const degrees = fc.integer({ min: 2, max: 200 });
    const distance = fc.double({ min: 0, max: 20, noNaN: true });
    fc.assert(
      fc.property(degrees, distance, (df, t) => {
        const expected = tail(t, df) / tail(0, df);
        expect(twoSidedP(t, df) / expected).toBeCloseTo(1, 6);
        expect(twoSidedP(-t, df)).toBe(twoSidedP(t, df));
      }),
      { numRuns: 100 },
    );
  });

  it('has quantiles that its tail leads back to', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), (df) => {
        expect(twoSidedP(tQuantile(0.975, df), df)).toBeCloseTo(0.05, 9);
      }),
    );
  });
});

describe('summarize', () => {
  // NIST StRD, univariate summary statistics, NumAcc3 and NumAcc4: certified values, exact
  it.each([
    ['NumAcc3', 1_000_000, 1_000_000.2],
    ['NumAcc4', 10_000_000, 10_000_000.2],
  ])('has the certified values of %s', (_, base, certified) => {
    const pairs = Array.from({ length: 500 }, () => [base + 0.1, base + 0.3]).flat();
    const { n, mean, std } = summarize([base + 0.2, ...pairs]);
    expect(n).toBe(1001);
    expect(mean).toBeCloseTo(certified, 8);
    expect(std).toBeCloseTo(0.1, 8);
  });

  it('has the interval of a published example', () => {
    // the increases of sleep of R's data set `sleep`; t.test(extra[11:20], extra[1:10], paired = TRUE)
    const { mean, ci95 } = summarize(SLEEP.map(([first, second]) => second - first));
    expect(mean).toBeCloseTo(1.58, 12);
    expect(ci95?.[0]).toBeCloseTo(0.7001142, 7);
    expect(ci95?.[1]).toBeCloseTo(2.4598858, 7);
  });

  it('does what the formulas say, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(half, { minLength: 2, maxLength: 30 }), (values) => {
        const n = values.length;
        const mean = values.reduce((sum, value) => sum + value, 0) / n;
        const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
        const summary = summarize(values);
        expect(summary).toMatchObject({ n, mean, min: Math.min(...values), max: Math.max(...values) });
        expect(summary.std).toBeCloseTo(Math.sqrt(squares / (n - 1)), 9);
        expect(summarize(values.toReversed()).mean).toBe(mean);
        const [low = Number.NaN, high = Number.NaN] = summary.ci95 ?? [];
        expect((low + high) / 2).toBeCloseTo(mean, 9);
      }),
    );
  });

  it('has a mean between the least and the greatest value, however large', () => {
    const any = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 10 }), (values) => {
        const { mean, min, max } = summarize(values);
        expect(mean).toBeGreaterThanOrEqual(min ?? Number.NaN);
        expect(mean).toBeLessThanOrEqual(max ?? Number.NaN);
      }),
    );
  });

  it('says that values that are the same do not spread', () => {
    fc.assert(
      fc.property(finite, fc.integer({ min: 2, max: 20 }), (value, n) => {
        // negative zero is zero
        const mean = value + 0;
        expect(summarize(Array.from({ length: n }, () => value))).toMatchObject({
          mean,
          std: 0,
          ci95: [mean, mean],
        });
      }),
    );
  });

  it('knows neither very large nor very small numbers as infinite or as nothing', () => {
    expect((summarize([1e200, 3e200]).std ?? 0) / 1e200).toBeCloseTo(Math.SQRT2, 12);
    expect((summarize([1e-200, 3e-200]).std ?? 0) / 1e-200).toBeCloseTo(Math.SQRT2, 12);
    expect(summarize([1.7e308, 1.7e308, 1.6e308]).mean).toBeGreaterThan(1.6e308);
  });

  it('says nothing of no value, and no spread of one', () => {
    expect(summarize([])).toEqual({ n: 0, mean: null, std: null, ci95: null, min: null, max: null });
    expect(summarize([2])).toEqual({ n: 1, mean: 2, std: null, ci95: null, min: 2, max: 2 });
  });
});

/** Student, The probable error of a mean (1908): hours of sleep gained by two drugs, as R's data set `sleep`. */
const SLEEP: [number, number][] = [
  [0.7, 1.9],
  [-1.6, 0.8],
  [-0.2, 1.1],
  [-1.2, 0.1],
  [-0.1, -0.1],
  [3.4, 4.4],
  [3.7, 5.5],
  [0.8, 1.6],
  [0.0, 4.6],
  [2.0, 3.4],
];

describe('pairedT', () => {
  it('has the values that are published for the sleep data', () => {
    // R: t = -4.0621, df = 9, p-value = 0.002833, mean difference -1.58
    const test = pairedT(SLEEP);
    expect(test).toMatchObject({ pairs: 10, df: 9 });
    expect(test?.t).toBeCloseTo(-4.0621, 4);
    expect(test?.p).toBeCloseTo(0.002833, 6);
    expect(test?.meanDifference).toBeCloseTo(-1.58, 12);
  });

  it('turns its sign, and nothing else, when the two change places', () => {
    const pairs = fc.array(fc.tuple(finite, finite), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(pairs, (given) => {
        const test = pairedT(given);
        const turned = pairedT(given.map(([a, b]) => [b, a]));
        expect(turned?.p).toBe(test?.p);
        expect(turned?.t ?? null).toBe(test?.t === null || test === null ? null : 0 - test.t);
        expect(test?.p ?? 0).toBeGreaterThanOrEqual(0);
        expect(test?.p ?? 0).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('is none for fewer than two pairs', () => {
    expect(pairedT([])).toBeNull();
    expect(pairedT([[1, 2]])).toBeNull();
  });

  it('has p 1 where nothing differs, and none where all differ by the same', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 2, maxLength: 20 }), (values) => {
        expect(pairedT(values.map((value) => [value, value]))).toMatchObject({
          meanDifference: 0,
          t: null,
          p: 1,
        });
      }),
    );
    const tenths: [number, number][] = [
      [0.8, 0.9],
      [0.7, 0.8],
      [0.1, 0.2],
    ];
    const test = pairedT(tenths);
    expect(test).toMatchObject({ t: null, p: null });
    expect(test?.meanDifference).toBeCloseTo(-0.1, 12);
  });
});
