// As many points of a run as somebody will look at.
import type { Db } from '../db/open.ts';
import type { MetricPoint } from './metric-point.ts';
import { iterateRunMetrics, type MetricsOptions } from './metrics.ts';

export interface SomePointsOptions extends MetricsOptions {
  /** More than these are of no use; there may be more all the same. */
  points: number;
}

export function somePoints(db: Db, runId: string, options: SomePointsOptions): Iterable<MetricPoint> {
  return iterateRunMetrics(db, runId, options);
}
