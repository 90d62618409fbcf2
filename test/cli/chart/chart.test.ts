// Pictures of curves: what they look like, and that nothing in them acts or is out of line.
import fc from 'fast-check';
import * as fs from 'node:fs';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { chart, type ChartCurve, type ChartOptions } from '../../../src/cli/chart/chart.ts';
import { cutText } from '../../../src/cli/cut-text.ts';
import { LABEL_WIDTH, scaleOf } from '../../../src/cli/chart/scale.ts';
import { linearTicks, logTicks } from '../../../src/cli/chart/ticks.ts';
import type { CurvePoint } from '../../../src/query/curve-band.ts';
import { withoutJoined } from '../format/hostile-tables.ts';

const OPTIONS: ChartOptions = { width: 60, height: 12, log: false, logX: false, isColoured: false };

function curve(label: string, y: (x: number) => number, length: number, half: number | null): ChartCurve {
  const points = Array.from({ length }, (_, index): CurvePoint => {
    const mean = y(index + 1);
    const band = half === null ? { low: null, high: null } : { low: mean - half, high: mean + half };
    return { x: index + 1, mean, ...band, n: index > 30 ? 2 : 3 };
  });
  return { label, runs: 3, points };
}

function points(...values: [number, number][]): ChartCurve[] {
  const all = values.map(([x, mean]) => ({ x, mean, low: null, high: null, n: 1 }));
  return [{ label: 'one', runs: 1, points: all }];
}

const two = [
  curve('mlp (3 runs)', (x) => 1 / x + 0.1, 47, 0.05),
  curve('cnn (3 runs)', (x) => Math.exp(-x / 10), 40, null),
];
const decay = [curve('rnn', (x) => 10 ** (-x / 10), 47, null)];

test.each<[string, ChartCurve[], Partial<ChartOptions>]>([
  ['two-curves', two, {}],
  ['logarithms', decay, { log: true, logX: true }],
  ['one-point', points([3, 5]), {}],
  ['few-points', points([1, 0.9101], [2, 0.9102], [3, 0.9101]), { height: 8 }],
  ['constant', points([1, 0.25], [2, 0.25], [3, 0.25]), { height: 8 }],
  ['zero', points([0, 0], [10, 0]), { height: 8 }],
  ['negative', points([0, -1], [50, -80], [100, -20]), { height: 8 }],
  ['narrow', points([100_000, 1e7], [200_000, 3e7]), { width: 24, height: 6 }],
])('%s looks as it did', async (name, curves, options) => {
  const lines = chart(name, 'epoch', curves, { ...OPTIONS, ...options });
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`../../fixtures/plots/${name}.txt`);
});

test('every picture of the fixtures is one that a test draws', () => {
  const names = fs.readdirSync(new URL('../../fixtures/plots', import.meta.url)).toSorted();
  expect(names).toEqual(
    [
      'constant.txt',
      'few-points.txt',
      'logarithms.txt',
      'narrow.txt',
      'negative.txt',
      'one-point.txt',
      'two-curves.txt',
      'zero.txt',
    ].toSorted(),
  );
});

test('with colours it is the same picture; without there is no escape in it', () => {
  const plain = chart('loss', 'step', two, OPTIONS).join('\n');
  const coloured = chart('loss', 'step', two, { ...OPTIONS, isColoured: true }).join('\n');
  expect(plain).not.toContain('\u001b');
  expect(coloured).toContain('\u001b[36m');
  // oxlint-disable-next-line no-control-regex
  expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain);
});

const anyNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
  fc.integer(),
);
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.constantFrom('\u001b[2J\u202e\r\n', '👩‍👩‍👧'.repeat(50), 'a'.repeat(5000), '损失'),
);
const anyCurve = fc.record({
  label: anyText,
  runs: fc.constant(2),
  points: fc.array(
    fc.record({
      x: anyNumber,
      mean: anyNumber,
      low: fc.constant(null),
      high: fc.constant(null),
      n: fc.integer({ min: 1, max: 2 }),
    }),
    { maxLength: 20 },
  ),
});

test('whatever is drawn, it is within its width and height, nothing in it acts, and no line ends in a blank', () => {
  fc.assert(
    fc.property(
      fc.array(anyCurve, { maxLength: 8 }),
      anyText,
      fc.integer({ min: 25, max: 120 }),
      fc.integer({ min: 5, max: 30 }),
      fc.boolean(),
      fc.boolean(),
      (curves, title, width, height, log, logX) => {
        const lines = chart(title, 'epoch', curves, { width, height, log, logX, isColoured: false });
        for (const line of lines) {
          expect(withoutJoined(line)).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/u);
          expect(stringWidth(line)).toBeLessThanOrEqual(width);
          expect(line).toBe(line.trimEnd());
        }
        // title, arrow, curves, axis, one or two lines of its labels, its name, legend
        expect(lines.length - curves.length - height).toBeGreaterThanOrEqual(5);
        expect(lines.length - curves.length - height).toBeLessThanOrEqual(6);
      },
    ),
    { numRuns: 300 },
  );
});

test('ticks are finite, ascending and few, and enclose all', () => {
  fc.assert(
    fc.property(anyNumber, anyNumber, fc.integer({ min: 1, max: 12 }), (a, b, count) => {
      fc.pre(a !== b);
      const [least, greatest] = [Math.min(a, b), Math.max(a, b)];
      const ticks = linearTicks(least, greatest, count);
      expect(ticks.every(Number.isFinite)).toBe(true);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(4 * count + 2);
      const rounding = Math.max((greatest - least) / 1e9, Number.MIN_VALUE);
      expect(ticks[0]).toBeLessThanOrEqual(least + rounding);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(greatest - rounding);
      expect(ticks).toEqual(ticks.toSorted((x, y) => x - y));
    }),
    { numRuns: 2000 },
  );
  expect(linearTicks(1.7976931348622834e308, 1.7976931348622838e308, 1)).toEqual([
    1.7976931348622834e308, 1.7976931348622838e308,
  ]);
  expect(linearTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(linearTicks(3, 98, 5)).toEqual([0, 20, 40, 60, 80, 100]);
  expect(logTicks(0.003, 400, 6)).toEqual([0.001, 0.01, 0.1, 1, 10, 100, 1000]);
  expect(logTicks(0.3, 4, 6)).toEqual([0.2, 0.5, 1, 2, 5]);
});

test('on a scale greater is further, and labels are short', () => {
  fc.assert(
    fc.property(
      fc.array(anyNumber, { minLength: 1 }),
      fc.boolean(),
      fc.constantFrom('round' as const, 'data' as const),
      (values, log, ends) => {
        const { ticks, placeOf } = scaleOf(values, { count: 5, log, ends });
        let before = 0;
        for (const value of values.toSorted((a, b) => a - b)) {
          const place = placeOf(value);
          if (log && value <= 0) expect(place).toBeNull();
          else {
            expect(place).toBeGreaterThanOrEqual(before);
            expect(place).toBeLessThanOrEqual(1);
            before = place ?? before;
          }
        }
        expect(ticks.length).toBeGreaterThanOrEqual(1);
        for (const { at, label } of ticks) {
          expect(at).toBeGreaterThanOrEqual(0);
          expect(at).toBeLessThanOrEqual(1);
          expect(label.length).toBeLessThanOrEqual(LABEL_WIDTH);
        }
      },
    ),
  );
});

test('text is cut to its width, in columns of the terminal', () => {
  expect(cutText('validation', 20)).toBe('validation');
  expect(cutText('validation', 5)).toBe('vali…');
  expect(cutText('损失损失', 6)).toBe('损失…');
  expect(cutText('\u001b[2J', 20)).toBe(String.raw`\x1b[2J`);
});
