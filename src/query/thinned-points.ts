// A run's series made thin near the database: of a long one, blocks are read in the place of points.
import type { Db } from '../db/open.ts';
import { between } from './between.ts';
import { pieceOfBlock, type BlockPiece } from './digest-block.ts';
import { keepOnly, type WantedMetrics } from './metric-names.ts';
import {
  EXTRA_PREFIX,
  METRIC_COLUMNS,
  metricPoint,
  type MetricPoint,
  type PointRow,
} from './metric-point.ts';
import {
  isSuperseded,
  prepareNextSeq,
  preparePages,
  prepareRow,
  rowsOf,
  type Selection,
} from './point-rows.ts';
import { prepareSegments } from './segments.ts';
import type { Stretch } from './stretches.ts';
import { inOrder, Thinner, type Extremes, type Piece, type PointRef } from './thin.ts';

/** At most `limit` points of the stretches, as `getRunMetrics` says; the caller holds a transaction. */
export function thinnedPoints(
  db: Db,
  selection: Selection,
  stretches: readonly Stretch[],
  wanted: WantedMetrics | undefined,
  limit: number,
): MetricPoint[] {
  const { runId } = selection;
  const ranges = rangesOf(db, selection, stretches, wanted);
  const blocks = ranges.flatMap(({ block }) => block ?? []);
  const isRead = isReadWhole(blocks, limit);
  const thinner = new Thinner(limit);
  for (const piece of piecesOf(db, selection, ranges, wanted, isRead)) thinner.add(piece);
  const picks = thinner.picks();
  const next = prepareNextSeq(db, wanted);
  const others = between(isRead ? [] : blocks, picks, limit, ({ stretch, seq: first }, last) =>
    next({ runId, writer: stretches[stretch]?.writer ?? '', first, last }),
  );
  const point = preparePoint(db, runId, wanted);
  return inOrder([...picks, ...others]).flatMap(({ stretch, seq }) => point(stretches[stretch], seq) ?? []);
}

/** Of a shorter series all points are read: that is quick, and the curve is as exact as can be. */
const LONG_SERIES = 10_000;

/** Whether points are read in the place of blocks; so too where it may be that all of them are wanted. */
function isReadWhole(blocks: readonly BlockPiece[], limit: number): boolean {
  const points = blocks.reduce((sum, block) => sum + block.of, 0);
  return points < LONG_SERIES || blocks.reduce((sum, { fewest }) => sum + fewest, 0) <= limit;
}

/** Points of a stretch, from one seq to another. */
interface Range {
  stretch: Stretch;
  index: number;
  first: number;
  last: number;
  block?: BlockPiece;
}

/** Without the blocks that have no wanted metric. */
function rangesOf(
  db: Db,
  selection: Selection,
  stretches: readonly Stretch[],
  wanted: WantedMetrics | undefined,
): Range[] {
  const segmentsOf = prepareSegments(db);
  return stretches.flatMap((stretch, index) =>
    segmentsOf(selection, stretch).flatMap(({ first, last, block: digest }): Range[] => {
      if (digest === undefined) return [{ stretch, index, first, last }];
      const block = pieceOfBlock(digest, index, wanted);
      return block === undefined
        ? []
        : [{ stretch, index, first: block.first.seq, last: block.last.seq, block }];
    }),
  );
}

function* piecesOf(
  db: Db,
  selection: Selection,
  ranges: readonly Range[],
  wanted: WantedMetrics | undefined,
  isRead: boolean,
): Generator<Piece> {
  const page = preparePages(db, wanted);
  const point = preparePoint(db, selection.runId, wanted);
  const fullNameOf = fullNames();
  for (const { stretch, index, first, last, block } of ranges) {
    if (block !== undefined && !isRead) {
      yield block;
    } else if (block?.known !== undefined) {
      for (const seq of block.known) {
        const found = point(stretch, seq);
        if (found !== undefined) yield pieceOfPoint(found, index, fullNameOf);
      }
    } else {
      for (const row of rowsOf(page, selection, { ...stretch, first, last })) {
        const found = wantedPoint(row, stretch, wanted);
        if (found !== undefined) yield pieceOfPoint(found, index, fullNameOf);
      }
    }
  }
}

function pieceOfPoint(point: MetricPoint, stretch: number, fullNameOf: (extra: string) => string): Piece {
  const at = { stretch, seq: point.seq };
  const metrics = new Map<string, Extremes>();
  for (const column of METRIC_COLUMNS) {
    const value = point[column];
    if (value !== null) metrics.set(column, extremesOf(value, at));
  }
  const { extra } = point;
  if (extra !== null) {
    for (const name of Object.keys(extra)) {
      metrics.set(fullNameOf(name), extremesOf(extra[name] ?? Number.NaN, at));
    }
  }
  return { points: 1, first: at, last: at, metrics };
}

/** Each name is one string: to make it for every value, and to compare it, would take longer than all else. */
function fullNames(): (extra: string) => string {
  const names = new Map<string, string>();
  return (extra) => {
    const known = names.get(extra);
    if (known !== undefined) return known;
    const name = EXTRA_PREFIX + extra;
    names.set(extra, name);
    return name;
  };
}

function extremesOf(value: number, at: PointRef): Extremes {
  const isFinite = Number.isFinite(value);
  return {
    min: isFinite ? value : null,
    minAt: at,
    max: isFinite ? value : null,
    maxAt: at,
    nonfiniteAt: isFinite ? null : at,
  };
}

/** A point of a stretch by its seq; undefined if it is not wanted. */
function preparePoint(
  db: Db,
  runId: string,
  wanted: WantedMetrics | undefined,
): (stretch: Stretch | undefined, seq: number) => MetricPoint | undefined {
  const row = prepareRow(db);
  return (stretch, seq) => {
    const found = stretch === undefined ? undefined : row.get(runId, stretch.writer, seq);
    if (stretch === undefined || found === undefined) return undefined;
    return wantedPoint({ ...found, superseded: isSuperseded(found, stretch) ? 1 : 0 }, stretch, wanted);
  };
}

function wantedPoint(
  row: PointRow,
  { attempt }: Stretch,
  wanted: WantedMetrics | undefined,
): MetricPoint | undefined {
  const point = metricPoint(row, attempt);
  return wanted === undefined || keepOnly(point, wanted) ? point : undefined;
}
