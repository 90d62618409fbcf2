// Metrics whose last value is not finite: the results keep the last finite one, which would hide that a run diverged.
import type { Db } from '../db/open.ts';
import type { NonFinite } from '../events/event.ts';
import { parseObject } from './json.ts';
import { EXTRA_PREFIX, METRIC_COLUMNS } from './metric-point.ts';
import { stretchesOf } from './stretches.ts';

/** A metric that was not logged in so many points before the end has no last value worth telling. */
const LAST_POINTS = 100;

interface LastPoint extends Record<string, unknown> {
  extra: string | null;
  nonfinite: string | null;
}

/**
 * The metrics of a run whose last value in the view is NaN or infinite, looked for in its last 100 points: by the name
 * of the column, or of the extra metric with `extra.` before it.
 */
export function divergedMetrics(db: Db, runId: string): Map<string, NonFinite> {
  const diverged = new Map<string, NonFinite>();
  const last = stretchesOf(db, runId).findLast(({ inView }) => inView);
  if (last === undefined) return diverged;
  const points = db
    .prepare<unknown[], LastPoint>(
      `SELECT ${METRIC_COLUMNS.join(', ')}, extra, nonfinite FROM run_metrics
       WHERE run_id = ? AND writer = ? AND seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT ?`,
    )
    .all(runId, last.writer, last.first, last.last, LAST_POINTS);
  if (points.every(({ nonfinite }) => nonfinite === null)) return diverged;
  const finite = new Set<string>();
  for (const point of points) {
    for (const name of finiteNames(point)) finite.add(name);
    for (const [name, word] of Object.entries(parseObject<NonFinite>(point.nonfinite ?? '{}'))) {
      if (!finite.has(name) && !diverged.has(name)) diverged.set(name, word);
    }
  }
  return diverged;
}

function finiteNames(point: LastPoint): string[] {
  const named = METRIC_COLUMNS.filter((column) => point[column] !== null);
  return [...named, ...Object.keys(parseObject(point.extra ?? '{}')).map((name) => EXTRA_PREFIX + name)];
}
