// One number of a run's curve that its results do not keep. SQLite finds the point, or the blocks of a long series
// say it, so that not every point has to be parsed.
import type { Db } from '../db/open.ts';
import { pieceOfBlock } from './digest-block.ts';
import { wantedMetrics } from './metric-names.ts';
import { EXTRA_PREFIX, metricPoint, type MetricColumn, type PointRow } from './metric-point.ts';
import { pointFilter } from './point-filter.ts';
import { prepareRow, SUPERSEDED, type Selection } from './point-rows.ts';
import { prepareSegments, type Segment } from './segments.ts';
import { prepareStretches, type Stretch } from './stretches.ts';

export type Goal = 'min' | 'max';

export type CurveMetric = { kind: 'column'; name: MetricColumn } | { kind: 'extra'; name: string };

/** Which point of the curve: the last, the best, or the one where another metric is best. */
export type Place = 'final' | { best: Goal } | { bestOf: CurveMetric; goal: Goal };

/**
 * For many runs: the metric at that place of the run's view. Where another metric is best for the first time: its value
 * in that same point, else in the last point of the same step, else in the last one of the same epoch. null: there is
 * none that is finite.
 */
export function prepareMetricAt(db: Db, metric: CurveMetric, place: Place): (runId: string) => number | null {
  const partsOf = prepareParts(db);
  if (place === 'final') {
    const lastIn = prepareLast(db, metric);
    return (runId) => firstOf(partsOf(runId).toReversed(), lastIn) ?? null;
  }
  if ('best' in place) {
    const bestIn = prepareBest(db, metric, place.best);
    return (runId) => bestOf(partsOf(runId), bestIn, place.best)?.value ?? null;
  }
  const bestIn = prepareBest(db, place.bestOf, place.goal);
  const samePlace = prepareSamePlace(db, metric);
  return (runId) => {
    const parts = partsOf(runId);
    const best = bestOf(parts, bestIn, place.goal);
    return best === undefined ? null : samePlace(parts, best);
  };
}

/** Consecutive points of a run's view; without a block, those that are not superseded. */
interface Part extends Segment {
  runId: string;
  stretch: Stretch;
}

interface Found {
  part: Part;
  seq: number;
  value: number;
}

function prepareParts(db: Db): (runId: string) => Part[] {
  const stretchesOf = prepareStretches(db);
  const segmentsOf = prepareSegments(db);
  return (runId) => {
    const selection: Selection = { runId, all: 0, from: null, to: null };
    const stretches = stretchesOf(runId).filter(({ inView }) => inView);
    return stretches.flatMap((stretch) =>
      segmentsOf(selection, stretch).map((segment) => ({ ...segment, runId, stretch })),
    );
  };
}

/** The first of the best ones. */
function bestOf(
  parts: readonly Part[],
  bestIn: (part: Part) => Found | undefined,
  goal: Goal,
): Found | undefined {
  let best: Found | undefined;
  for (const part of parts) {
    const found = bestIn(part);
    if (found !== undefined && (best === undefined || isBetter(found.value, best.value, goal))) best = found;
  }
  return best;
}

export function isBetter(a: number, b: number, goal: Goal): boolean {
  return goal === 'min' ? a < b : a > b;
}

const IN_PART = `run_id = @runId AND writer = @writer AND seq >= @first AND seq <= @last AND NOT ${SUPERSEDED}`;

function parametersOf({ runId, stretch, first: from, last }: Part): object {
  const { writer, cutStep, cutEpoch } = stretch;
  return { runId, writer, cutStep, cutEpoch, outOfView: 0, first: from, last };
}

interface ValueRow {
  seq: number;
  value: number | null;
}

function prepareBest(db: Db, metric: CurveMetric, goal: Goal): (part: Part) => Found | undefined {
  const { sql, values } = finiteValue(metric);
  const wanted = wantedMetrics([fullName(metric)]);
  const statement = db.prepare<[object], ValueRow>(
    `SELECT seq, ${sql} AS value FROM run_metrics WHERE ${IN_PART}
     ORDER BY value ${goal === 'min' ? 'ASC' : 'DESC'} NULLS LAST, seq LIMIT 1`,
  );
  return (part) => {
    if (part.block === undefined) {
      const row = statement.get({ ...parametersOf(part), ...values });
      return row === undefined ? undefined : foundIn(part, row.seq, row.value);
    }
    const extremes = pieceOfBlock(part.block, 0, wanted)?.metrics.get(fullName(metric));
    if (extremes === undefined) return undefined;
    const { min, minAt, max, maxAt } = extremes;
    return goal === 'min' ? foundIn(part, minAt.seq, min) : foundIn(part, maxAt.seq, max);
  };
}

function foundIn(part: Part, seq: number, value: number | null): Found | undefined {
  // + 0, because negative zero is zero
  return value === null ? undefined : { part, seq, value: value + 0 };
}

/** The last finite value in a part. */
function prepareLast(db: Db, metric: CurveMetric): (part: Part) => number | undefined {
  const { sql, values } = finiteValue(metric);
  const wanted = wantedMetrics([fullName(metric)]);
  const statement = db.prepare<[object], ValueRow>(
    `SELECT seq, ${sql} AS value FROM run_metrics WHERE ${IN_PART} AND ${sql} IS NOT NULL
     ORDER BY seq DESC LIMIT 1`,
  );
  return (part) => {
    const isWithout = part.block !== undefined && pieceOfBlock(part.block, 0, wanted) === undefined;
    const row = isWithout ? undefined : statement.get({ ...parametersOf(part), ...values });
    return row === undefined ? undefined : foundIn(part, row.seq, row.value)?.value;
  };
}

/** A value that is there but not finite is the answer, and no other point's is taken for it. */
function prepareSamePlace(
  db: Db,
  metric: CurveMetric,
): (parts: readonly Part[], chosen: Found) => number | null {
  const chosenRow = prepareRow(db);
  const lastAt = { step: prepareLastAt(db, metric, 'step'), epoch: prepareLastAt(db, metric, 'epoch') };
  return (parts, { part, seq }) => {
    const row = chosenRow.get(part.runId, part.stretch.writer, seq);
    if (row === undefined) return null;
    let value = valueOf(row, metric);
    for (const axis of ['step', 'epoch'] as const) {
      const at = row[axis];
      if (value === null && at !== null) value = firstOf(parts.toReversed(), lastAt[axis](at)) ?? null;
    }
    return value === null || !Number.isFinite(value) ? null : value + 0;
  };
}

/** The last value in a part that is of that step or epoch, finite or not. */
function prepareLastAt(
  db: Db,
  metric: CurveMetric,
  axis: 'step' | 'epoch',
): (at: number) => (part: Part) => number | undefined {
  const wanted = wantedMetrics([fullName(metric)]);
  const { sql, values } = pointFilter(wanted);
  const statement = db.prepare<[object], PointRow>(
    `SELECT *, 0 AS superseded FROM run_metrics WHERE ${IN_PART} AND ${axis} = @at AND ${sql} ORDER BY seq DESC`,
  );
  return (at) => (part) => {
    const { block } = part;
    if (block !== undefined) {
      const isBeside = at < (block.min_step ?? Infinity) || at > (block.max_step ?? -Infinity);
      if (axis === 'step' && isBeside) return undefined;
      if (pieceOfBlock(block, 0, wanted) === undefined) return undefined;
    }
    for (const row of statement.iterate({ ...parametersOf(part), ...values, at })) {
      const value = valueOf(row, metric);
      if (value !== null) return value;
    }
    return undefined;
  };
}

function firstOf<Value>(
  parts: readonly Part[],
  valueIn: (part: Part) => Value | undefined,
): Value | undefined {
  for (const part of parts) {
    const value = valueIn(part);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** SQL for the value in a row of `run_metrics`, NULL where it is not finite, and its parameters. */
function finiteValue({ kind, name }: CurveMetric): { sql: string; values: Record<string, string> } {
  if (kind === 'column') return { sql: name, values: {} };
  // a JSON path has no way to write these in a name
  if (/["\\\0]/.test(name)) {
    return { sql: '(SELECT value FROM json_each(extra) WHERE key = @name)', values: { name } };
  }
  return { sql: 'json_extract(extra, @path)', values: { path: `$."${name}"` } };
}

function fullName({ kind, name }: CurveMetric): string {
  return kind === 'column' ? name : EXTRA_PREFIX + name;
}

function valueOf(row: PointRow, { kind, name }: CurveMetric): number | null {
  const point = metricPoint(row, '');
  if (kind === 'column') return point[name];
  return point.extra !== null && Object.hasOwn(point.extra, name) ? (point.extra[name] ?? null) : null;
}
