// One number of a run's curve that its results do not keep, from its points.
import type { Db } from '../db/open.ts';
import { getRunMetrics } from './metrics.ts';
import { EXTRA_PREFIX, type MetricColumn, type MetricPoint } from './metric-point.ts';

export type Goal = 'min' | 'max';

export type CurveMetric = { kind: 'column'; name: MetricColumn } | { kind: 'extra'; name: string };

/** Which point of the curve: the last, the best, or the one where another metric is best. */
export type Place = 'final' | { best: Goal } | { bestOf: CurveMetric; goal: Goal };

/**
 * The metric at that place of the run's view. Where another metric is best for the first time: its value in that same
 * point, else in the last point of the same step, else in the last one of the same epoch. null: there is none that is
 * finite.
 */
export function metricAt(db: Db, runId: string, metric: CurveMetric, place: Place): number | null {
  const others = typeof place === 'object' && 'bestOf' in place ? [place.bestOf] : [];
  const names = [metric, ...others].map(({ kind, name }) => (kind === 'column' ? name : EXTRA_PREFIX + name));
  const points = getRunMetrics(db, runId, { names });
  if (place === 'final')
    return finite(
      points.findLast((point) => isFinitePoint(point, metric)),
      metric,
    );
  if ('best' in place) return finite(bestPoint(points, metric, place.best), metric);
  return atSamePlace(points, metric, bestPoint(points, place.bestOf, place.goal));
}

/** The first of the best ones. */
function bestPoint(points: readonly MetricPoint[], metric: CurveMetric, goal: Goal): MetricPoint | undefined {
  let best: MetricPoint | undefined;
  let bestValue = 0;
  for (const point of points) {
    const value = finite(point, metric);
    if (value === null) continue;
    if (best !== undefined && !isBetter(value, bestValue, goal)) continue;
    best = point;
    bestValue = value;
  }
  return best;
}

export function isBetter(a: number, b: number, goal: Goal): boolean {
  return goal === 'min' ? a < b : a > b;
}

/** A value that is there but not finite is the answer, and no other point's is taken for it. */
function atSamePlace(
  points: readonly MetricPoint[],
  metric: CurveMetric,
  chosen: MetricPoint | undefined,
): number | null {
  if (chosen === undefined) return null;
  if (valueOf(chosen, metric) !== null) return finite(chosen, metric);
  for (const axis of ['step', 'epoch'] as const) {
    if (chosen[axis] === null) continue;
    const found = points.findLast((point) => point[axis] === chosen[axis] && valueOf(point, metric) !== null);
    if (found !== undefined) return finite(found, metric);
  }
  return null;
}

function isFinitePoint(point: MetricPoint, metric: CurveMetric): boolean {
  return finite(point, metric) !== null;
}

function finite(point: MetricPoint | undefined, metric: CurveMetric): number | null {
  const value = point === undefined ? null : valueOf(point, metric);
  // + 0, because negative zero is zero
  return value !== null && Number.isFinite(value) ? value + 0 : null;
}

function valueOf(point: MetricPoint, { kind, name }: CurveMetric): number | null {
  if (kind === 'column') return point[name];
  return point.extra !== null && Object.hasOwn(point.extra, name) ? (point.extra[name] ?? null) : null;
}
