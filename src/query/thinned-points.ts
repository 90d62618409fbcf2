// A run's series made thin near the database: of a long one, blocks are read in the place of points.
import type { Db } from '../db/open.ts';
import { pieceOfBlock, wantedPart, type Bounds, type DigestBlock } from './digest-block.ts';
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
  preparePages,
  prepareNextSeq,
  prepareRow,
  rowsOf,
  type PageStatement,
  type Selection,
} from './point-rows.ts';
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
  const page = preparePages(db);
  const thinner = new Thinner(limit);
  const blocks: Piece[] = [];
  for (const piece of piecesOf(db, page, selection, stretches, wanted)) {
    thinner.add(piece);
    if (piece.points > 1) blocks.push(piece);
  }
  const picks = thinner.picks();
  const row = prepareRow(db);
  const next = prepareNextSeq(db);
  const others = between(blocks, limit - picks.length).flatMap(({ stretch, seq }) => {
    const found = next.get(selection.runId, stretches[stretch]?.writer ?? '', seq);
    return found === undefined ? [] : { stretch, seq: found };
  });
  return inOrder([...picks, ...others]).flatMap(({ stretch, seq }) =>
    pointAt(row, selection.runId, stretches[stretch], wanted, seq),
  );
}

/**
 * Of few blocks not many points are extremes. What room there is goes to points in between, evenly, so that the curve
 * is as fine as one of a series without blocks. Where there is no point of that seq the next one is meant.
 */
function between(blocks: readonly Piece[], room: number): PointRef[] {
  const each = blocks.length === 0 ? 0 : Math.floor(room / blocks.length);
  return blocks.flatMap(({ first: { stretch, seq: from }, last: { seq: to } }) =>
    Array.from({ length: each }, (_, index) => ({
      stretch,
      seq: from + Math.floor(((to - from) * (index + 1)) / (each + 1)),
    })),
  );
}

function* piecesOf(
  db: Db,
  page: PageStatement,
  selection: Selection,
  stretches: readonly Stretch[],
  wanted: WantedMetrics | undefined,
): Generator<Piece> {
  for (const [index, stretch] of stretches.entries()) {
    let from = stretch.first;
    const rows = function* (last: number): Generator<Piece> {
      if (from > last) return;
      for (const row of rowsOf(page, selection, { ...stretch, first: from, last })) {
        const piece = pieceOfRow(row, index, stretch.attempt, wanted);
        if (piece !== undefined) yield piece;
      }
    };
    for (const { block, isTaken } of blocksFor(db, selection, stretch)) {
      yield* rows(block.first_seq - 1);
      const piece = isTaken ? pieceOfBlock(block, index, wanted) : undefined;
      if (piece !== undefined) yield piece;
      from = block.last_seq + 1;
    }
    yield* rows(stretch.last);
  }
}

/** Of a shorter series all points are read: that is quick, and the curve is as exact as can be. */
const LONG_SERIES = 10_000;

/** The blocks of which no point has to be read: all of it is taken, or nothing. None of a series that is not long. */
function blocksFor(
  db: Db,
  { runId, all, from, to }: Selection,
  stretch: Stretch,
): { block: DigestBlock; isTaken: boolean }[] {
  const blocks = db
    .prepare<unknown[], DigestBlock>(
      `SELECT * FROM _digests WHERE run_id = ? AND writer = ? AND first_seq >= ? AND last_seq <= ? ORDER BY block`,
    )
    .all(runId, stretch.writer, stretch.first, stretch.last);
  const points = blocks.reduce((sum, block) => sum + block.points, 0);
  if (points < LONG_SERIES) return [];
  const isCut = all === 0 && stretch.inView;
  const bounds: Bounds = {
    cutStep: isCut ? stretch.cutStep : null,
    cutEpoch: isCut ? stretch.cutEpoch : null,
    from,
    to,
  };
  return blocks
    .map((block) => ({ block, part: wantedPart(block, bounds) }))
    .filter(({ part }) => part !== 'some')
    .map(({ block, part }) => ({ block, isTaken: part === 'all' }));
}

function pieceOfRow(
  row: PointRow,
  stretch: number,
  attempt: string,
  wanted: WantedMetrics | undefined,
): Piece | undefined {
  const point = metricPoint(row, attempt);
  if (wanted !== undefined && !keepOnly(point, wanted)) return undefined;
  const at = { stretch, seq: point.seq };
  const metrics = new Map<string, Extremes>();
  for (const column of METRIC_COLUMNS) {
    const value = point[column];
    if (value !== null) metrics.set(column, extremesOf(value, at));
  }
  const { extra } = point;
  if (extra !== null) {
    for (const name of Object.keys(extra)) {
      metrics.set(EXTRA_PREFIX + name, extremesOf(extra[name] ?? Number.NaN, at));
    }
  }
  return { points: 1, first: at, last: at, metrics };
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

type RowStatement = ReturnType<typeof prepareRow>;

function pointAt(
  row: RowStatement,
  runId: string,
  stretch: Stretch | undefined,
  wanted: WantedMetrics | undefined,
  seq: number,
): MetricPoint[] {
  const found = stretch === undefined ? undefined : row.get(runId, stretch.writer, seq);
  if (stretch === undefined || found === undefined) return [];
  const superseded = isSuperseded(found, stretch) ? 1 : 0;
  const point = metricPoint({ ...found, superseded }, stretch.attempt);
  return wanted === undefined || keepOnly(point, wanted) ? [point] : [];
}
