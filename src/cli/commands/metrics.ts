// runfold metrics: the points of one run.
import type { Db } from '../../db/open.ts';
import { RunfoldError } from '../../errors.ts';
import { getRunCurves, type Curves } from '../../query/curves.ts';
import { listedName, metricsOfRun, unknownMetric } from '../../query/metric-inventory.ts';
import type { MetricPoint } from '../../query/metric-point.ts';
import { getRunMetrics, iterateRunMetrics, type MetricsOptions } from '../../query/metrics.ts';
import { getRunResults } from '../../query/results.ts';
import { getRun } from '../../query/run.ts';
import { MAX_CURVES } from '../chart/chart.ts';
import { binsOf, named, showPicture } from '../curve-picture.ts';
import type { PictureFlags } from '../curves.ts';
import { formatOf, type FormatFlags } from '../format/options.ts';
import { print } from '../format/print.ts';
import { isStreamFormat, printStream } from '../format/stream.ts';
import type { Cell } from '../format/table.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { pointColumns, type PointColumn } from '../metric-table.ts';
import { reading, type ReadingFlags } from '../reading.ts';

export interface MetricsFlags extends ReadingFlags, FormatFlags, PictureFlags {
  name?: string[];
  from?: number;
  to?: number;
  all?: boolean;
  points?: number | 'all';
  plot?: boolean;
}

/** What fits a screen; programs get all. */
const SHOWN_POINTS = 40;

export function metrics(run: string, flags: MetricsFlags, io: CliIo): Promise<ExitCode> {
  checkFlags(flags);
  return reading(flags, io, async (db): Promise<ExitCode> => {
    const { run_id: runId } = getRun(db, run);
    const known = metricsOfRun(db, runId, flags.all);
    for (const name of flags.name ?? []) {
      // where nothing was logged yet, no name is wrong
      if (known.length > 0 && !known.includes(listedName(name)))
        throw unknownMetric(`no point of run ${runId}`, name, known);
    }
    if (known.length === 0) say(io.stderr, `run ${runId} has no metrics`);
    else explainRange(db, runId, optionsOf(flags), io);
    if (flags.plot === true) draw(db, runId, known, flags, io);
    else await list(db, runId, [...new Set(flags.name?.map(listedName) ?? known)], flags, io);
    return 0;
  });
}

function checkFlags(flags: MetricsFlags): void {
  const ofPlot = ['log', 'logX', 'smooth', 'width', 'height'] as const;
  const ofTable = ['all', 'points', 'format', 'json'] as const;
  const isPlot = flags.plot === true;
  const wrong = (isPlot ? ofTable : ofPlot).find((name) => flags[name] !== undefined);
  if (wrong === undefined) return;
  const option = `--${wrong === 'logX' ? 'log-x' : wrong}`;
  throw new RunfoldError('usage', `${option} is ${isPlot ? 'not for a plot' : 'for a plot alone'}`, {
    hint: isPlot ? 'Leave out --plot or the other.' : 'Add --plot.',
  });
}

/** The metrics that were named share a picture, to be compared; else each has its own, since their ranges differ. */
function draw(db: Db, runId: string, known: readonly string[], flags: MetricsFlags, io: CliIo): void {
  const wanted = flags.name === undefined ? known : [...new Set(flags.name.map(listedName))];
  const pictures = flags.name === undefined ? wanted.map((name) => [name]) : [wanted];
  for (const names of pictures.slice(0, MAX_CURVES)) {
    const curves = getRunCurves(db, runId, names.slice(0, MAX_CURVES), {
      bins: binsOf(flags, io),
      from: flags.from,
      to: flags.to,
      logX: flags.logX,
      smooth: flags.smooth,
    });
    const title = `${names.join(', ')} of run ${runId}${hasBand(curves) ? ', ░ least to greatest' : ''}`;
    showPicture({ title, curves, labels: names }, flags, io);
  }
  const rest = wanted.slice(MAX_CURVES).map(named);
  if (rest.length > 0) say(io.stderr, `not drawn: ${rest.join(', ')}; --name NAME draws one`);
}

function hasBand({ curves }: Curves): boolean {
  return curves.some(({ points }) => points.some(({ low, high }) => low !== high));
}

function optionsOf({ all, from, to, name }: MetricsFlags): Omit<MetricsOptions, 'points'> {
  const names = name === undefined ? undefined : [...new Set(name)];
  return { view: all === true ? 'all' : 'view', from, to, names };
}

/** Says where the points are, if none is in the range that was asked for. */
function explainRange(
  db: Db,
  runId: string,
  { from, to, ...wanted }: Omit<MetricsOptions, 'points'>,
  io: CliIo,
): void {
  if (from === undefined && to === undefined) return;
  for (const _ of iterateRunMetrics(db, runId, { from, to, ...wanted })) return;
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { step, epoch } of iterateRunMetrics(db, runId, wanted)) {
    const place = step ?? epoch;
    if (place === null) continue;
    least = Math.min(least, place);
    greatest = Math.max(greatest, place);
  }
  const [range, where] =
    from === undefined
      ? [`up to ${to}`, `the first is ${least}`]
      : to === undefined
        ? [`from ${from} on`, `the last is ${greatest}`]
        : [`from ${from} to ${to}`, `they are from ${least} to ${greatest}`];
  say(io.stderr, `no points ${range}; ${least <= greatest ? where : 'none has a step or an epoch'}`);
}

async function list(
  db: Db,
  runId: string,
  names: readonly string[],
  flags: MetricsFlags,
  io: CliIo,
): Promise<void> {
  const format = formatOf(flags);
  const points = flags.points ?? (format === 'table' ? SHOWN_POINTS : 'all');
  const options = optionsOf(flags);
  const columns = pointColumns(names, flags.all === true, flags.name !== undefined);
  const read =
    points === 'all'
      ? iterateRunMetrics(db, runId, options)
      : fewer(db, runId, { ...options, points }, names.length, io);
  if (isStreamFormat(format)) await printStream(columns, rowsOf(read, columns), format, io);
  else if (format === 'json') print({ columns, rows: [...rowsOf(read, columns)] }, { format }, io);
  else {
    const kept = [...read];
    const shown = columns.filter(({ isShownFor }) => isShownFor(kept));
    print({ columns: shown, rows: [...rowsOf(kept, shown)], chosenBy: '--name' }, { format }, io);
  }
}

function fewer(
  db: Db,
  runId: string,
  options: MetricsOptions & { points: number },
  series: number,
  io: CliIo,
): MetricPoint[] {
  const { points, ...rest } = options;
  const first: MetricPoint[] = [];
  for (const point of iterateRunMetrics(db, runId, rest)) if (first.push(point) > points) break;
  if (first.length <= points) return first;
  const thinned = getRunMetrics(db, runId, options);
  const { names, from, to, view } = rest;
  const isAll = names === undefined && from === undefined && to === undefined && view !== 'all';
  const total = isAll ? getRunResults(db, runId)?.points : undefined;
  const shown = thinned.length;
  const what = total === undefined ? count(shown, 'point') : `${shown} of ${count(total, 'point')}`;
  const extremes = points >= leastForExtremes(series) ? ', the extremes among them' : '';
  say(io.stderr, `${what}${extremes}; --points all shows all`);
  return thinned;
}

/** The first point, the last, and of each metric the lowest, the highest and the first that is not finite. */
function leastForExtremes(series: number): number {
  return 2 + 3 * series;
}

function* rowsOf(points: Iterable<MetricPoint>, columns: readonly PointColumn[]): Generator<Cell[]> {
  for (const point of points) yield columns.map(({ cellOf }) => cellOf(point));
}
