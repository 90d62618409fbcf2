// As many points of a run as a curve needs.
import type { Db } from '../db/open.ts';
import type { MetricPoint } from './metric-point.ts';
import { getRunMetrics, iterateRunMetrics, type MetricsOptions } from './metrics.ts';

/** Up to so many are read one by one: a mean of all of them is worth the time that it takes. */
const READ_WHOLE = 100_000;
/** Of more, the lowest and the highest of each of some thousand parts will do. */
const READ_THIN = 10_000;

export function somePoints(
  db: Db,
  runId: string,
  options: Omit<MetricsOptions, 'points'>,
): Iterable<MetricPoint> {
  const points = db.prepare<[string], number>('SELECT points FROM run_results WHERE run_id = ?').pluck();
  if ((points.get(runId) ?? 0) <= READ_WHOLE) return iterateRunMetrics(db, runId, options);
  return getRunMetrics(db, runId, { ...options, points: READ_THIN });
}
