// The rows of a stretch of points, a page at a time.
import type { Statement } from 'better-sqlite3';
import type { Db } from '../db/open.ts';
import type { WantedMetrics } from './metric-names.ts';
import type { PointRow } from './metric-point.ts';
import { pointFilter, type PointFilter } from './point-filter.ts';
import type { Stretch } from './stretches.ts';

/** Points that are read at once: the database is free for others between two pages. */
const PAGE_POINTS = 1000;

/** What holds for all stretches. */
export interface Selection {
  runId: string;
  all: 0 | 1;
  from: number | null;
  to: number | null;
}

interface PageParameters extends Selection {
  writer: string;
  outOfView: 0 | 1;
  cutStep: number | null;
  cutEpoch: number | null;
  first: number;
  last: number;
  page: number;
}

/** A comparison with NULL, be it of the point or of the cut, supersedes nothing. */
export const IS_CUT =
  'ifnull(CASE WHEN step IS NOT NULL THEN step >= @cutStep ELSE epoch >= @cutEpoch END, 0)';
export const SUPERSEDED = `(@outOfView OR ${IS_CUT})`;

const pageSql = (filter: PointFilter): string => `SELECT *, ${SUPERSEDED} AS superseded FROM run_metrics
  WHERE run_id = @runId AND writer = @writer AND seq >= @first AND seq <= @last
    AND (@all OR NOT ${SUPERSEDED})
    AND (@from IS NULL OR ifnull(step, epoch) >= @from)
    AND (@to IS NULL OR ifnull(step, epoch) <= @to)
    AND ${filter.sql}
  ORDER BY seq LIMIT @page`;

/** Reads a page of rows. */
export type PageStatement = (parameters: PageParameters) => PointRow[];

/** Of points that have none of the wanted metrics nearly all are left out. */
export function preparePages(db: Db, wanted: WantedMetrics | undefined): PageStatement {
  const filter = pointFilter(wanted);
  const page = db.prepare<[object], PointRow>(pageSql(filter));
  return (parameters) => page.all({ ...parameters, ...filter.values });
}

/** The rows of a stretch that are selected, in the order of seq. */
export function* rowsOf(
  page: PageStatement,
  selection: Selection,
  { writer, first, last, inView, cutStep, cutEpoch }: Stretch,
): Generator<PointRow> {
  const outOfView = inView ? 0 : 1;
  let from = first;
  for (;;) {
    const rows = page({
      ...selection,
      writer,
      outOfView,
      cutStep,
      cutEpoch,
      first: from,
      last,
      page: PAGE_POINTS,
    });
    yield* rows;
    const final = rows.at(-1);
    if (final === undefined || rows.length < PAGE_POINTS) return;
    from = final.seq + 1;
  }
}

/** One row by its key, whether or not it is selected. */
export function prepareRow(db: Db): Statement<[runId: string, writer: string, seq: number], PointRow> {
  return db.prepare('SELECT *, 0 AS superseded FROM run_metrics WHERE run_id = ? AND writer = ? AND seq = ?');
}

/** The seq of the first point in a range of a writer that has a wanted metric, or seems to. */
export function prepareNextSeq(
  db: Db,
  wanted: WantedMetrics | undefined,
): (range: { runId: string; writer: string; first: number; last: number }) => number | undefined {
  const filter = pointFilter(wanted);
  const next = db
    .prepare<[object], number>(
      `SELECT seq FROM run_metrics
       WHERE run_id = @runId AND writer = @writer AND seq >= @first AND seq <= @last AND ${filter.sql}
       ORDER BY seq LIMIT 1`,
    )
    .pluck();
  return (range) => next.get({ ...range, ...filter.values });
}

/** Whether a point is not in the view, as `PAGE_SQL` says it. */
export function isSuperseded(
  { step, epoch }: Pick<PointRow, 'step' | 'epoch'>,
  { inView, cutStep, cutEpoch }: Stretch,
): boolean {
  if (!inView) return true;
  if (step !== null) return cutStep !== null && step >= cutStep;
  return epoch !== null && cutEpoch !== null && epoch >= cutEpoch;
}
