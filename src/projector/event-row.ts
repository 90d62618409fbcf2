// A metric, an error, a sample -> the values of its one row.
import { isNonFinite, type EventOf, type Measure } from '../events/event.ts';
import type { Point } from './series.ts';

/** A row of `run_metrics` in the order of the table, and what the run's results need of it. */
export interface MetricRow {
  row: (string | number | null)[];
  point: Point;
}

/** Negative zero becomes zero: SQLite would make it so, and the summary must say the same. */
function plain(value: number | null | undefined): number | null {
  return value === null || value === undefined ? null : value + 0;
}

export function metricRow(event: EventOf<'metric'>, writer: string, seq: number): MetricRow {
  const nonfinite = new NonFiniteValues();
  // in the order of the columns, so that `nonfinite` is too
  const point: Point = {
    seq,
    elapsedSeconds: event.elapsed_seconds + 0,
    epoch: plain(event.epoch),
    step: plain(event.step),
    loss: nonfinite.takeOut('loss', event.loss),
    f1: nonfinite.takeOut('f1', event.f1),
    fitness: nonfinite.takeOut('fitness', event.fitness),
    behavioral_comparison: nonfinite.takeOut('behavioral_comparison', event.behavioral_comparison),
    gpuMemoryMb: nonfinite.takeOut('gpu_memory_mb', event.gpu_memory_mb),
    extra: event.extra ? finiteExtra(event.extra, nonfinite) : null,
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
    point.extra === null ? null : JSON.stringify(point.extra),
    nonfinite.json(),
  ];
  return { row, point };
}

/** Collects what is not finite, by name. */
class NonFiniteValues {
  #values: Record<string, string> | undefined;

  /** The value if it is a number; else null, and noted if it is not finite. */
  takeOut(name: string, value: Measure | null | undefined): number | null {
    if (typeof value === 'number') return value + 0;
    if (isNonFinite(value)) {
      this.#values ??= {};
      this.#values[name] = value;
    }
    return null;
  }

  json(): string | null {
    return this.#values === undefined ? null : JSON.stringify(this.#values);
  }
}

function finiteExtra(
  extra: Readonly<Record<string, Measure | null>>,
  nonfinite: NonFiniteValues,
): Readonly<Record<string, number>> | null {
  const names = Object.keys(extra);
  if (names.length > 0 && names.every((name) => typeof extra[name] === 'number')) {
    return extra as Readonly<Record<string, number>>;
  }
  const finite: [string, number][] = [];
  for (const name of names) {
    const value = nonfinite.takeOut(`extra.${name}`, extra[name]);
    if (value !== null) finite.push([name, value]);
  }
  // fromEntries defines own properties, so that a metric named __proto__ is a metric like any other
  return finite.length === 0 ? null : Object.fromEntries(finite);
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
