// runfold plot: a metric over the runs of each group.
import type { Db } from '../../db/open.ts';
import type { Band } from '../../query/curve-band.ts';
import type { Axis } from '../../query/curve-series.ts';
import { DRAWN_STATUSES, getCurves, type Curves } from '../../query/curves.ts';
import { getRun } from '../../query/run.ts';
import { countRuns } from '../../query/runs.ts';
import { MAX_CURVES } from '../chart/chart.ts';
import { binsOf, explain, named, showPicture, type Picture } from '../curve-picture.ts';
import type { PictureFlags } from '../curves.ts';
import { formatOf, type FormatFlags } from '../format/options.ts';
import { print } from '../format/print.ts';
import { cell, type CellValue, type Table } from '../format/table.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { filterOf, reading, type FilterFlags, type ReadingFlags } from '../reading.ts';
import { sayIfNone, sayUnknownNames } from '../unknown-names.ts';
import { shortNumber, valueText } from '../value-text.ts';

export interface PlotFlags extends ReadingFlags, FilterFlags, FormatFlags, PictureFlags {
  by?: string;
  band: Band;
  x?: Axis;
}

const BAND_WORDS: Readonly<Record<Band, string>> = {
  std: ', ░ one standard deviation',
  minmax: ', ░ least to greatest',
  none: '',
};
const NAMED_GROUPS = 10;

export function plot(metric: string, flags: PlotFlags, io: CliIo): Promise<ExitCode> {
  const format = formatOf(flags);
  const isPicture = flags.format === undefined && flags.json !== true;
  return reading(flags, io, (db) => {
    const { by = 'method', band } = flags;
    const filter = filterOf(flags);
    sayUnknownNames(db, filter, by === 'none' ? [] : [by], io);
    const curves = getCurves(db, metric, {
      ...filter,
      by,
      band,
      x: flags.x,
      logX: flags.logX,
      smooth: flags.smooth,
      ...(isPicture && { groups: MAX_CURVES, bins: binsOf(flags, io) }),
    });
    if (curves.curves.length === 0) {
      if (!isPicture) print(longTable(curves), { format }, io);
      const counted = { ...filter, status: filter.status ?? DRAWN_STATUSES };
      if (sayIfNone(db, filter, io)) say(io.stderr, nothingLogged(countRuns(db, counted)));
      return 0;
    }
    const labels = curves.curves.map(({ group }) => labelOf(db, group, by));
    const picture: Picture = { title: titleOf(metric, by, band, curves), metric, curves, labels };
    if (isPicture) showPicture(picture, flags, io);
    else {
      print(longTable(curves), { format }, io);
      explain(picture, false, io);
    }
    tellLeftOut(db, curves, by, io);
    return 0;
  });
}

function nothingLogged(runs: number): string {
  if (runs === 0) return 'no run that matches is completed or running; --status says which are drawn';
  return runs === 1 ? 'the run has logged no metric yet' : `none of the ${runs} runs has logged a metric yet`;
}

function titleOf(metric: string, by: string, band: Band, { curves }: Curves): string {
  const isMean = curves.some(({ runs }) => runs > 1);
  if (!isMean) return by === 'none' ? `${metric} of each run` : `${metric} by ${by}`;
  return `${metric} by ${by}, mean over runs${BAND_WORDS[band]}`;
}

function labelOf(db: Db, group: unknown, by: string): string {
  if (by !== 'none' || typeof group !== 'string') return valueText(group) ?? '-';
  const { dataset, method, seed } = getRun(db, group);
  return `${group} ${dataset} ${method}${seed === null ? '' : ` seed ${seed}`}`;
}

/** One row a point of a curve. */
function longTable({ curves }: Curves): Table {
  const rows = curves.flatMap(({ group, points }) =>
    points.map(({ x, mean, low, high, n }) => [
      cell(group as CellValue, valueText(group)),
      ...[x, mean, low, high, n].map(numberCell),
    ]),
  );
  const columns = ['group', 'x', 'mean', 'low', 'high', 'n'].map((name) => ({
    name,
    shrink: 'cut' as const,
  }));
  return { columns, rows };
}

function numberCell(value: number | null): ReturnType<typeof cell> {
  return value === null ? cell(null) : cell(value, shortNumber(value));
}

function tellLeftOut(db: Db, { leftOut }: Curves, by: string, io: CliIo): void {
  if (leftOut.length === 0) return;
  const names = leftOut.slice(0, NAMED_GROUPS).map(({ group, runIds }) => {
    const runs = by === 'none' ? '' : ` (${count(runIds.length, 'run')})`;
    return `${named(labelOf(db, group, by))}${runs}`;
  });
  const more = leftOut.length > names.length ? ' …' : '';
  say(
    io.stderr,
    `not drawn, ${count(leftOut.length, 'more curve')}: ${names.join(', ')}${more}; --format csv has them`,
  );
}
