// The points of a run: a curve without zigzag, or all that was ever logged.
import type { Statement } from 'better-sqlite3';
import type { Db } from '../db/open.ts';
import { wrongArgument } from './arguments.ts';
import { keepOnly, wantedMetrics, type WantedMetrics } from './metric-names.ts';
import { metricPoint, type MetricPoint, type PointRow } from './metric-point.ts';
import { stretchesOf, type Stretch } from './stretches.ts';

export interface MetricsOptions {
  /**
   * `view` (the default): from the last attempt that started over on, without what a resumed attempt went
   * over again. `all`: every point, with `superseded` telling which are not in the view.
   */
  view?: 'view' | 'all' | undefined;
  /**
   * Only points that have at least one of these metrics; all other metrics of them are left out (null, or not
   * in `extra`). `loss` is the column, `acc` or `extra.acc` a metric in `extra`. `[]` matches nothing.
   */
  names?: readonly string[] | undefined;
  /** Only points from here on: by their `step`, or by their `epoch` if they have no step. */
  from?: number | undefined;
  /** Only points up to here, inclusive. A point with neither step nor epoch is in no range. */
  to?: number | undefined;
}

/** Points that are read at once: the database is free for others between two pages. */
const PAGE_POINTS = 1000;

/**
 * The points of a run in their order: attempts in order, those of no attempt last, then by writer and seq.
 * Empty if the run has none or is unknown; a run whose `run_created` is missing has its points all the same.
 * All are of one moment.
 *
 * @throws RunfoldError `usage` if an option has a wrong type or value.
 */
export function getRunMetrics(db: Db, runId: string, options: MetricsOptions = {}): MetricPoint[] {
  return db.transaction(() => [...iterateRunMetrics(db, runId, options)])();
}

/**
 * `getRunMetrics` for series that are too long to hold: reads as it is iterated, a page at a time, and holds
 * neither a transaction nor the connection in between, so it may be slow or left unfinished. What is appended
 * after the call is not in it; a file that is taken back or read anew meanwhile may be missing in part.
 *
 * @throws RunfoldError `usage`, when it is called.
 */
export function iterateRunMetrics(
  db: Db,
  runId: string,
  options: MetricsOptions = {},
): IterableIterator<MetricPoint> {
  const { view = 'view', names, from, to } = options;
  if (view !== 'view' && view !== 'all') throw wrongArgument('view', '"view" or "all"', view);
  const wanted = names === undefined ? undefined : wantedMetrics(names);
  const range = { from: boundOf('from', from), to: boundOf('to', to) };
  const stretches = stretchesOf(db, runId).filter((stretch) => view === 'all' || stretch.inView);
  return pointsOf(db, { runId, all: view === 'all' ? 1 : 0, ...range }, stretches, wanted);
}

function boundOf(name: string, value: number | undefined): number | null {
  if (value === undefined) return null;
  if (typeof value !== 'number' || Number.isNaN(value)) throw wrongArgument(name, 'a number', value);
  return value;
}

/** What holds for all stretches. */
interface Selection {
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
const SUPERSEDED = `(@outOfView OR
  ifnull(CASE WHEN step IS NOT NULL THEN step >= @cutStep ELSE epoch >= @cutEpoch END, 0))`;

const PAGE_SQL = `SELECT *, ${SUPERSEDED} AS superseded FROM run_metrics
  WHERE run_id = @runId AND writer = @writer AND seq >= @first AND seq <= @last
    AND (@all OR NOT ${SUPERSEDED})
    AND (@from IS NULL OR ifnull(step, epoch) >= @from)
    AND (@to IS NULL OR ifnull(step, epoch) <= @to)
  ORDER BY seq LIMIT @page`;

function* pointsOf(
  db: Db,
  selection: Selection,
  stretches: readonly Stretch[],
  wanted: WantedMetrics | undefined,
): Generator<MetricPoint> {
  const page = db.prepare<[PageParameters], PointRow>(PAGE_SQL);
  for (const stretch of stretches) {
    for (const row of rowsOf(page, selection, stretch)) {
      const point = metricPoint(row, stretch.attempt);
      if (wanted === undefined || keepOnly(point, wanted)) yield point;
    }
  }
}

function* rowsOf(
  page: Statement<[PageParameters], PointRow>,
  selection: Selection,
  { writer, first, last, inView, cutStep, cutEpoch }: Stretch,
): Generator<PointRow> {
  const outOfView = inView ? 0 : 1;
  let from = first;
  for (;;) {
    const rows = page.all({
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
