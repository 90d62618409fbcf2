// Curves of a metric: the mean over the runs of each group, and of single runs.
import type { Db } from '../db/open.ts';
import type { NonFinite, RunStatus } from '../events/event.ts';
import { isCount, wrongArgument } from './arguments.ts';
import { BANDS, bandOf, type Band, type CurvePoint } from './curve-band.ts';
import { binned, type Grid, type Series } from './curve-bins.ts';
import { groupsOf, type RunGroup } from './curve-groups.ts';
import { AXES, axisOf, readSeries, type Axis, type MetricOfRun } from './curve-series.ts';
import { listedName, metricsOfRun, metricsOfRuns, unknownMetric } from './metric-inventory.ts';
import type { MetricsOptions } from './metrics.ts';
import type { RunFilter } from './run-filter.ts';
import { smooth } from './smoothing.ts';

export interface CurveStyle {
  /** Default: step or epoch, whichever the metric was logged with, step if with both; else elapsed seconds. */
  x?: Axis | undefined;
  /** How many places a curve has at most; default 100. */
  bins?: number | undefined;
  /** Bins of equal width in the logarithm of the position; positions up to 0 are left out. */
  logX?: boolean | undefined;
  /** Weight of the moving average (see `smooth`) that is taken of each run before all else; default 0, none. */
  smooth?: number | undefined;
}

export interface RunCurvesOptions extends CurveStyle, Pick<MetricsOptions, 'from' | 'to'> {}

/** Which runs; those that are completed or running, unless `status` says otherwise. */
export interface CurvesOptions extends RunFilter, CurveStyle {
  /** One curve for each value of this field (see `selectRuns`); default `method`. `none`: one for each run. */
  by?: string | undefined;
  /** Default `std`. */
  band?: Band | undefined;
  /** At most so many groups, those with the most runs; default all. */
  groups?: number | undefined;
}

/** A run of which at least one value is NaN or infinite. */
export interface Divergence {
  run_id: string;
  /** The first such value, and where it was logged. */
  value: NonFinite;
  x: number;
  /** No finite value came after it. */
  lasting: boolean;
}

export interface Curve {
  /** The value of the field `by`, or the name of the metric if the curves are of one run. */
  group: unknown;
  /** How many runs have the metric. */
  runs: number;
  points: readonly CurvePoint[];
  /** Their values that are not finite are in no mean. */
  diverged: readonly Divergence[];
}

export interface Curves {
  x: Axis;
  curves: readonly Curve[];
  /** Groups that `groups` has left out. */
  leftOut: readonly RunGroup[];
  /** Points that have the metric but no position on the axis `x`. */
  unplaced: number;
  /** Points that `logX` has left out. */
  notPositive: number;
}

const BINS = 100;
/** Of the runs that are drawn, unless others are asked for. */
export const DRAWN_STATUSES: readonly RunStatus[] = ['completed', 'running'];

/**
 * The mean of a metric over the runs of each group, with a band around it. The view of each run counts (see
 * `getRunMetrics`), runs of more than 100,000 points by the lowest and highest of each of some thousand parts.
 *
 * No curves if no run that matches has any metric yet.
 *
 * @throws RunfoldError `usage` if runs that match have metrics, but not this one (the message lists what there is), or an
 *   option is wrong.
 */
export function getCurves(db: Db, metric: string, options: CurvesOptions = {}): Curves {
  const { by = 'method', band = 'std', groups, x, bins, logX, smooth: weight, ...given } = options;
  const style = { x, bins, logX, smooth: weight };
  if (!BANDS.includes(band)) throw wrongArgument('band', `one of ${BANDS.join(', ')}`, band);
  const filter = { ...given, status: given.status ?? DRAWN_STATUSES };
  return db.transaction(() => {
    const { kept, leftOut } = groupsOf(db, metric, by, filter, groups);
    const known = kept.length === 0 ? metricsOfRuns(db, filter) : [];
    // where nothing was logged yet, no name is wrong
    if (known.length > 0) {
      const who = given.status === undefined ? 'no completed or running run' : 'no run that matches';
      throw unknownMetric(who, metric, known);
    }
    const wanted = kept.map(({ group, runIds }) => ({
      group,
      of: runIds.map((runId) => ({ runId, metric })),
    }));
    return { ...curvesOf(db, wanted, band, style), leftOut };
  })();
}

/**
 * The curves of metrics of one run, each a group of its own. Their band is from the least to the greatest value in each
 * bin.
 *
 * @throws RunfoldError `usage` if the run has not one of the metrics, or an option is wrong.
 */
export function getRunCurves(
  db: Db,
  runId: string,
  metrics: readonly string[],
  options: RunCurvesOptions = {},
): Curves {
  return db.transaction(() => {
    const known = metricsOfRun(db, runId);
    for (const metric of metrics) {
      if (!known.includes(listedName(metric))) throw unknownMetric(`no point of run ${runId}`, metric, known);
    }
    const wanted = metrics.map((metric) => ({ group: metric, of: [{ runId, metric }] }));
    return { ...curvesOf(db, wanted, 'within', options), leftOut: [] };
  })();
}

interface WantedCurve {
  group: unknown;
  of: readonly MetricOfRun[];
}

interface RunSeries extends Series {
  runId: string;
}

function curvesOf(
  db: Db,
  wanted: readonly WantedCurve[],
  band: Band | 'within',
  { x: asked, bins = BINS, logX = false, smooth: weight = 0, ...range }: RunCurvesOptions,
): Omit<Curves, 'leftOut'> {
  if (asked !== undefined && !AXES.includes(asked))
    throw wrongArgument('x', `one of ${AXES.join(', ')}`, asked);
  if (!isCount(bins) || bins === 0) throw wrongArgument('bins', 'a whole number from 1', bins);
  // of all curves the same, or they could not be compared
  const axis = asked ?? axisOf(db, wanted);
  const left = { unplaced: 0, notPositive: 0 };
  const read = wanted.map(({ group, of }) => {
    const runs = of.map((one): RunSeries => {
      const { x, y, unplaced } = readSeries(db, one, axis, range);
      left.unplaced += unplaced;
      const series = logX ? positive({ x, y }) : { x, y };
      left.notPositive += x.length - series.x.length;
      return { runId: one.runId, x: series.x, y: smooth(series.y, weight) };
    });
    return { group, runs };
  });
  const grid = gridOf(
    read.flatMap(({ runs }) => runs),
    bins,
    logX,
  );
  const curves = read.map(({ group, runs }) => ({
    group,
    runs: runs.length,
    points: band === 'within' ? rangesOf(runs, grid) : meansOf(runs, grid, band),
    diverged: runs.flatMap(divergenceOf),
  }));
  return { x: axis, curves, ...left };
}

function positive({ x, y }: Series): Series {
  const kept = [...x.keys()].filter((index) => (x[index] ?? 0) > 0);
  return { x: kept.map((index) => x[index] ?? 0), y: kept.map((index) => y[index] ?? Number.NaN) };
}

function gridOf(runs: readonly Series[], bins: number, log: boolean): Grid {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { x, y } of runs) {
    for (const [index, at] of x.entries()) {
      if (!Number.isFinite(y[index])) continue;
      if (at < from) from = at;
      if (at > to) to = at;
    }
  }
  return { from, to, bins, log };
}

function meansOf(runs: readonly Series[], grid: Grid, band: Band): CurvePoint[] {
  return bandOf(
    runs.map((run) => binned(run, grid)),
    band,
  );
}

function rangesOf(runs: readonly Series[], grid: Grid): CurvePoint[] {
  const cells = runs.flatMap((run) => binned(run, grid).cells);
  return cells.flatMap((cell) =>
    cell === undefined ? [] : { x: cell.x, mean: cell.mean, low: cell.min, high: cell.max, n: 1 },
  );
}

function divergenceOf({ runId, x, y }: RunSeries): Divergence[] {
  const first = y.findIndex((value) => !Number.isFinite(value));
  const at = x[first];
  if (at === undefined) return [];
  const lasting = y.findLastIndex(Number.isFinite) < first;
  return [{ run_id: runId, value: String(y[first]) as NonFinite, x: at, lasting }];
}
