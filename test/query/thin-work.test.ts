// What thinning costs, in operations: of what it is given, not of how often it looks.
import { expect, test } from 'vitest';
import { Thinner, type Piece } from '../../src/query/thin.ts';

/** Points that each have the metrics, every metric lowest and highest somewhere else. */
function pieces(points: number, metrics: number): Piece[] {
  return Array.from({ length: points }, (_, seq) => {
    const at = { stretch: 0, seq };
    const values = Array.from({ length: metrics }, (__, metric) => {
      const value = ((seq + 1) * (metric + 1) * 7919) % 10_007;
      return [`m${metric}`, { min: value, minAt: at, max: value, maxAt: at, nonfiniteAt: null }] as const;
    });
    return { points: 1, first: at, last: at, metrics: new Map(values) };
  });
}

/** How often a map or a set is asked or changed meanwhile. */
function operations(act: () => void): number {
  const restored: (() => void)[] = [];
  let count = 0;
  for (const [prototype, name] of [
    [Map.prototype, 'get'],
    [Map.prototype, 'set'],
    [Set.prototype, 'add'],
  ] as const) {
    const original = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
    Reflect.set(prototype, name, function counted(this: unknown, ...args: unknown[]): unknown {
      count += 1;
      return original.apply(this, args);
    });
    restored.push(() => Reflect.set(prototype, name, original));
  }
  try {
    act();
  } finally {
    for (const restore of restored) restore();
  }
  return count;
}

test.each([
  { points: 300, metrics: 100, limit: 10 },
  { points: 300, metrics: 100, limit: 299 },
  { points: 300, metrics: 10, limit: 250 },
  { points: 1200, metrics: 10, limit: 1000 },
  { points: 3000, metrics: 3, limit: 500 },
  { points: 2000, metrics: 0, limit: 100 },
])('$points points of $metrics metrics, thinned to $limit', ({ points, metrics, limit }) => {
  const given = pieces(points, metrics);
  let picked = 0;
  const count = operations(() => {
    const thinner = new Thinner(limit);
    for (const piece of given) thinner.add(piece);
    picked = thinner.picks().length;
  });
  expect(picked).toBeLessThanOrEqual(limit);
  expect(picked).toBeGreaterThan(metrics === 0 ? 1 : 0.6 * limit);
  // a value is merged once for each time that parts are halved or tried in another number
  expect(count).toBeLessThan(30 * points * (metrics + 1));
});

test('metrics that are in few points each are not looked at again with every point', () => {
  const count = operations(() => {
    const thinner = new Thinner(4);
    for (let seq = 0; seq < 3000; seq += 1) {
      const at = { stretch: 0, seq };
      const value = { min: 1, minAt: at, max: 1, maxAt: at, nonfiniteAt: null };
      thinner.add({ points: 1, first: at, last: at, metrics: new Map([[`m${seq}`, value]]) });
    }
    expect(thinner.picks()).toHaveLength(4);
  });
  expect(count).toBeLessThan(30 * 3000);
});
