// Which metrics of a point are wanted.
import { wrongArgument } from './arguments.ts';
import {
  EXTRA_PREFIX,
  isMetricColumn,
  METRIC_COLUMNS,
  type MetricColumn,
  type MetricPoint,
} from './metric-point.ts';

export interface WantedMetrics {
  columns: ReadonlySet<MetricColumn>;
  extra: ReadonlySet<string>;
}

/**
 * A name is that of a column, or else that of an extra metric, with or without `extra.` before it (which
 * tells `extra.loss` from the column).
 *
 * @throws RunfoldError `usage` if `names` is not an array of strings.
 */
export function wantedMetrics(names: readonly string[]): WantedMetrics {
  if (!Array.isArray(names)) throw wrongArgument('names', 'an array of metric names', names);
  const columns = new Set<MetricColumn>();
  const extra = new Set<string>();
  for (const name of names as readonly unknown[]) {
    if (typeof name !== 'string') throw wrongArgument('a metric name', 'a string', name);
    if (isMetricColumn(name)) columns.add(name);
    else extra.add(name.startsWith(EXTRA_PREFIX) ? name.slice(EXTRA_PREFIX.length) : name);
  }
  return { columns, extra };
}

/** Leaves out all but the wanted metrics; false if the point has none of them. */
export function keepOnly(point: MetricPoint, { columns, extra }: WantedMetrics): boolean {
  let hasAny = false;
  for (const column of METRIC_COLUMNS) {
    if (!columns.has(column)) point[column] = null;
    else if (point[column] !== null) hasAny = true;
  }
  if (extra.size === 0) point.extra = null;
  if (point.extra === null) return hasAny;
  const kept = Object.entries(point.extra).filter(([name]) => extra.has(name));
  point.extra = kept.length === 0 ? null : Object.fromEntries(kept);
  return hasAny || kept.length > 0;
}
