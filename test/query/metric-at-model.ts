// The value of a metric at a place of a run's curve, from all points and word by word.
import type { Db } from '../../src/db/open.ts';
import type { CurveMetric, Place } from '../../src/query/metric-at.ts';
import { getRunMetrics, type MetricPoint } from '../../src/query/index.ts';

export function metricAtByTheRule(db: Db, runId: string, metric: CurveMetric, place: Place): number | null {
  const points = getRunMetrics(db, runId);
  const having = points.filter((point) => isFiniteNumber(valueOf(point, metric)));
  if (place === 'final') return finite(having.at(-1), metric);
  const chooser = 'best' in place ? metric : place.bestOf;
  const goal = 'best' in place ? place.best : place.goal;
  const values = points.map((point) => valueOf(point, chooser)).filter(isFiniteNumber);
  const best = goal === 'min' ? Math.min(...values) : Math.max(...values);
  if (values.length === 0) return null;
  const chosen = points.find((point) => valueOf(point, chooser) === best);
  if (chosen === undefined) return null;
  const isOf = (axis: 'step' | 'epoch') => (point: MetricPoint) =>
    chosen[axis] !== null && point[axis] === chosen[axis] && valueOf(point, metric) !== null;
  if (valueOf(chosen, metric) !== null) return finite(chosen, metric);
  return finite(points.findLast(isOf('step')) ?? points.findLast(isOf('epoch')), metric);
}

function isFiniteNumber(value: number | null): value is number {
  return Number.isFinite(value);
}

function finite(point: MetricPoint | undefined, metric: CurveMetric): number | null {
  const value = point === undefined ? null : valueOf(point, metric);
  return isFiniteNumber(value) ? value : null;
}

function valueOf(point: MetricPoint, { kind, name }: CurveMetric): number | null {
  if (kind === 'column') return point[name];
  return new Map(Object.entries(point.extra ?? {})).get(name) ?? null;
}
