// The points of a run: a curve without zigzag, or all that was ever logged.
import type { Db } from '../db/open.ts';
import { wrongArgument } from './arguments.ts';
import { keepOnly, wantedMetrics, type WantedMetrics } from './metric-names.ts';
import { metricPoint, type MetricPoint } from './metric-point.ts';
import { preparePages, rowsOf, type Selection } from './point-rows.ts';
import { stretchesOf, type Stretch } from './stretches.ts';
import { thinnedPoints } from './thinned-points.ts';

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
  /**
   * At most so many of these points, at least 2; default all. They are points as logged, never averages: the first and
   * the last, and of as many parts of the series as that allows the lowest, the highest and the first not finite one of
   * each metric. So the extremes of the whole are among them if there is room for 2 + 3 for each metric (else those of
   * the metrics that come first), and a run that has diverged is seen to have.
   */
  points?: number | undefined;
}

/**
 * The points of a run in their order: attempts in order, those of no attempt last, then by writer and seq.
 * Empty if the run has none or is unknown; a run whose `run_created` is missing has its points all the same.
 * All are of one moment.
 *
 * @throws RunfoldError `usage` if an option has a wrong type or value.
 */
export function getRunMetrics(db: Db, runId: string, options: MetricsOptions = {}): MetricPoint[] {
  const { points, ...rest } = options;
  if (points === undefined) return db.transaction(() => [...iterateRunMetrics(db, runId, rest)])();
  if (!Number.isSafeInteger(points) || points < 2)
    throw wrongArgument('points', 'a whole number from 2', points);
  const { selection, wanted } = selectionOf(runId, rest);
  return db.transaction(() => thinnedPoints(db, selection, stretchesFor(db, selection), wanted, points))();
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
  options: Omit<MetricsOptions, 'points'> = {},
): IterableIterator<MetricPoint> {
  const { selection, wanted } = selectionOf(runId, options);
  return pointsOf(db, selection, stretchesFor(db, selection), wanted);
}

function selectionOf(
  runId: string,
  options: MetricsOptions,
): { selection: Selection; wanted: WantedMetrics | undefined } {
  const { view = 'view', names, from, to } = options;
  if (view !== 'view' && view !== 'all') throw wrongArgument('view', '"view" or "all"', view);
  const wanted = names === undefined ? undefined : wantedMetrics(names);
  const range = { from: boundOf('from', from), to: boundOf('to', to) };
  return { selection: { runId, all: view === 'all' ? 1 : 0, ...range }, wanted };
}

function stretchesFor(db: Db, { runId, all }: Selection): Stretch[] {
  return stretchesOf(db, runId).filter(({ inView }) => all === 1 || inView);
}

function boundOf(name: string, value: number | undefined): number | null {
  if (value === undefined) return null;
  if (typeof value !== 'number' || Number.isNaN(value)) throw wrongArgument(name, 'a number', value);
  return value;
}

function* pointsOf(
  db: Db,
  selection: Selection,
  stretches: readonly Stretch[],
  wanted: WantedMetrics | undefined,
): Generator<MetricPoint> {
  const page = preparePages(db, wanted);
  for (const stretch of stretches) {
    for (const row of rowsOf(page, selection, stretch)) {
      const point = metricPoint(row, stretch.attempt);
      if (wanted === undefined || keepOnly(point, wanted)) yield point;
    }
  }
}
