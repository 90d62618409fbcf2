// A metric, an error, a sample -> the values of its one row.
import { NAMED_METRICS, type EventOf, type Measure } from '../events/event.ts';
import type { Point } from './series.ts';

/** A row of `run_metrics` in the order of the table, and what the run's results need of it. */
export interface MetricRow {
  row: (string | number | null)[];
  point: Point;
}

/** The measures that may be not finite, in the order of the columns. */
const MEASURES = [...NAMED_METRICS, 'gpu_memory_mb'] as const;

/** `extraJson` is given if all values are known to be finite: `extra` as JSON, or null if there is none. */
export function metricRow(
  event: EventOf<'metric'>,
  writer: string,
  seq: number,
  extraJson?: string | null,
): MetricRow {
  const isFinite = extraJson !== undefined;
  const extra = event.extra ? finiteExtra(event.extra, isFinite) : null;
  const point: Point = {
    seq,
    elapsedSeconds: event.elapsed_seconds + 0,
    epoch: finite(event.epoch),
    step: finite(event.step),
    loss: finite(event.loss),
    f1: finite(event.f1),
    fitness: finite(event.fitness),
    behavioral_comparison: finite(event.behavioral_comparison),
    gpuMemoryMb: finite(event.gpu_memory_mb),
    extra,
  };
  const row = [
    event.run_id,
    writer,
    seq,
    event.ts,
    point.elapsedSeconds,
    point.epoch,
    point.step,
    point.loss,
    point.f1,
    point.fitness,
    point.behavioral_comparison,
    point.gpuMemoryMb,
    isFinite || extra === null ? (extraJson ?? null) : JSON.stringify(extra),
    isFinite ? null : nonfiniteJson(event),
  ];
  return { row, point };
}

/** Negative zero becomes zero: SQLite would make it so, and the summary must say the same. */
function finite(value: Measure | null | undefined): number | null {
  return typeof value === 'number' ? value + 0 : null;
}

function nonfiniteJson(event: EventOf<'metric'>): string | null {
  let values: Record<string, string> | undefined;
  for (const name of MEASURES) {
    const value = event[name];
    if (typeof value === 'string') (values ??= {})[name] = value;
  }
  const { extra } = event;
  for (const name in extra) {
    const value = extra[name];
    if (typeof value === 'string') (values ??= {})[`extra.${name}`] = value;
  }
  return values === undefined ? null : JSON.stringify(values);
}

/** The object itself if all of it is finite, as nearly always. */
function finiteExtra(
  extra: Readonly<Record<string, Measure | null>>,
  isFinite: boolean,
): Readonly<Record<string, number>> | null {
  if (isFinite) return extra as Readonly<Record<string, number>>;
  const entries = Object.entries(extra);
  const numbers = entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  if (numbers.length === 0) return null;
  if (numbers.length === entries.length) return extra as Readonly<Record<string, number>>;
  // fromEntries defines own properties, so that a metric named __proto__ is a metric like any other
  return Object.fromEntries(numbers);
}

/** The point back from a row of `run_metrics`. */
export function pointOf(row: {
  seq: number;
  elapsed_seconds: number;
  epoch: number | null;
  step: number | null;
  loss: number | null;
  f1: number | null;
  fitness: number | null;
  behavioral_comparison: number | null;
  gpu_memory_mb: number | null;
  extra: string | null;
}): Point {
  return {
    seq: row.seq,
    elapsedSeconds: row.elapsed_seconds,
    epoch: row.epoch,
    step: row.step,
    loss: row.loss,
    f1: row.f1,
    fitness: row.fitness,
    behavioral_comparison: row.behavioral_comparison,
    gpuMemoryMb: row.gpu_memory_mb,
    extra: row.extra === null ? null : (JSON.parse(row.extra) as Record<string, number>),
  };
}
