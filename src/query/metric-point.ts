// One row of run_metrics as TypeScript sees it.
import type { NamedMetric, NonFinite } from '../events/event.ts';
import { orNull, parseObject } from './json.ts';

/** The metrics that have a column of their own. */
export type MetricColumn = NamedMetric | 'gpu_memory_mb';

/**
 * One logged point: a row of `run_metrics`, with the attempt it belongs to. A metric is null if the point
 * does not have it. One that was logged as not finite is NaN, Infinity or -Infinity, in its column or in
 * `extra`: it has diverged, it is not missing (`JSON.stringify` would make null of it).
 */
export interface MetricPoint extends Record<MetricColumn, number | null> {
  run_id: string;
  /** The process that logged it, and the number of the line in its file. */
  writer: string;
  seq: number;
  /** UTC, `2026-11-23T10:15:00.123Z`. */
  ts: string;
  /** Since the attempt's start, as the job counts it. */
  elapsed_seconds: number;
  epoch: number | null;
  step: number | null;
  /** Of the GPU, in MB. */
  gpu_memory_mb: number | null;
  /**
   * All other metrics by name, null if there is none. A name may be `__proto__`: ask with `Object.hasOwn`.
   */
  extra: Readonly<Record<string, number>> | null;
  attempt: string;
  /**
   * Not in the view: a later attempt has gone over this step or epoch again, or has started over. Always
   * false in the view itself.
   */
  superseded: boolean;
}

/** The row as SQLite gives it. */
export interface PointRow extends Omit<MetricPoint, 'extra' | 'attempt' | 'superseded'> {
  extra: string | null;
  nonfinite: string | null;
  superseded: 0 | 1;
}

export const METRIC_COLUMNS: readonly MetricColumn[] = [
  'loss',
  'f1',
  'fitness',
  'behavioral_comparison',
  'gpu_memory_mb',
];

export function isMetricColumn(name: string): name is MetricColumn {
  return (METRIC_COLUMNS as readonly string[]).includes(name);
}

/** How `nonfinite`, and a caller, name a metric without a column. */
export const EXTRA_PREFIX = 'extra.';

/** How a caller names an extra metric: with `extra.` before it where it would be taken for another. */
export function nameOfExtra(name: string): string {
  return isMetricColumn(name) || name.startsWith(EXTRA_PREFIX) ? EXTRA_PREFIX + name : name;
}

export function metricPoint(row: PointRow, attempt: string): MetricPoint {
  const point: MetricPoint = {
    run_id: row.run_id,
    writer: row.writer,
    seq: row.seq,
    ts: row.ts,
    elapsed_seconds: row.elapsed_seconds,
    epoch: row.epoch,
    step: row.step,
    loss: row.loss,
    f1: row.f1,
    fitness: row.fitness,
    behavioral_comparison: row.behavioral_comparison,
    gpu_memory_mb: row.gpu_memory_mb,
    extra: orNull(row.extra, parseObject<number>),
    attempt,
    superseded: row.superseded === 1,
  };
  if (row.nonfinite !== null) restoreNonFinite(point, row.nonfinite);
  return point;
}

function restoreNonFinite(point: MetricPoint, nonfinite: string): void {
  const extra = Object.entries(point.extra ?? {});
  for (const [name, word] of Object.entries(parseObject<NonFinite>(nonfinite))) {
    // the three words are what Number reads as the values they name
    const value = Number(word);
    if (isMetricColumn(name)) point[name] = value;
    else extra.push([name.slice(EXTRA_PREFIX.length), value]);
  }
  // fromEntries defines, where an assignment to __proto__ would be lost
  if (extra.length > 0) point.extra = Object.fromEntries(extra);
}
