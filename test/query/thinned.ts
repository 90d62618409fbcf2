// What must hold of a series that was made thin.
import { expect } from 'vitest';
import type { MetricPoint } from '../../src/query/index.ts';

const COLUMNS = ['loss', 'f1', 'fitness', 'behavioral_comparison', 'gpu_memory_mb'] as const;

/** The values of a point by metric. */
export function valuesOf(point: MetricPoint): [string, number][] {
  const named = COLUMNS.flatMap((name): [string, number][] => {
    const value = point[name];
    return value === null ? [] : [[name, value]];
  });
  return [
    ...named,
    ...Object.entries(point.extra ?? {}).map(([name, value]): [string, number] => [`extra.${name}`, value]),
  ];
}

/** `full` are all points that are asked for, in order. */
export function expectThinned(
  thinned: readonly MetricPoint[],
  full: readonly MetricPoint[],
  limit: number,
): void {
  expect(thinned.length).toBeLessThanOrEqual(limit);
  if (full.length <= limit) {
    expect(thinned).toEqual(full);
    return;
  }
  const placeOf = new Map(full.map((point, index) => [`${point.writer}/${point.seq}`, index]));
  const places = thinned.map((point) => placeOf.get(`${point.writer}/${point.seq}`) ?? -1);
  expect(
    places.every((place, index) => place > (places[index - 1] ?? -1)),
    'points of the series, in order',
  ).toBe(true);
  expect(thinned).toEqual(places.map((place) => full[place]));
  expect([places[0], places.at(-1)], 'the first and the last').toEqual([0, full.length - 1]);

  const metrics = new Set(full.flatMap((point) => valuesOf(point).map(([name]) => name)));
  if (limit < 2 + 3 * metrics.size) return;
  for (const name of metrics) expect(extremesOf(thinned, name), name).toEqual(extremesOf(full, name));
}

/** The place of each: of equal values the earlier one. */
function extremesOf(points: readonly MetricPoint[], metric: string): object {
  const values = points.flatMap((point) =>
    valuesOf(point)
      .filter(([name]) => name === metric)
      .map(([, value]) => ({ value, at: `${point.writer}/${point.seq}` })),
  );
  const finite = values.filter(({ value }) => Number.isFinite(value));
  const first = (better: (a: number, b: number) => boolean): object | undefined =>
    finite.reduce<(typeof finite)[number] | undefined>(
      (best, each) => (best === undefined || better(each.value, best.value) ? each : best),
      undefined,
    );
  return {
    lowest: first((a, b) => a < b),
    highest: first((a, b) => a > b),
    diverged: values.find(({ value }) => !Number.isFinite(value)),
  };
}
