// Curves as a picture of characters.
import picocolors from 'picocolors';
import { plot, type CustomSymbol, type LineFormatterArgs } from 'simple-ascii-chart';
import type { CurvePoint } from '../../query/curve-band.ts';
import { cutText } from '../cut-text.ts';
import { LABEL_WIDTH, scaleOf, type Scale } from './scale.ts';

export interface ChartCurve {
  /** For the legend; whatever is in it, it does not act. */
  label: string;
  /** The greatest `n` of its points, below which a mean is one of fewer runs. */
  runs: number;
  points: readonly CurvePoint[];
}

export interface ChartOptions {
  /** Of the whole picture, in columns of the terminal. */
  width: number;
  /** Of the curves, in lines. */
  height: number;
  log: boolean;
  logX: boolean;
  isColoured: boolean;
}

/** For means of all runs, and of fewer. */
const MARKS: readonly (readonly [all: string, fewer: string])[] = [
  ['●', '○'],
  ['■', '□'],
  ['▲', '△'],
  ['◆', '◇'],
  ['▼', '▽'],
  ['★', '☆'],
];
const LINE = '·';
const BAND = '░';
/** How many curves have marks of their own. */
export const MAX_CURVES: number = MARKS.length;

/** What an axis and its labels take of the width: the axis, its arrow, and a blank. */
const MARGIN: number = LABEL_WIDTH + 3;
const LEAST_COLUMNS = 10;
const COLUMNS_A_LABEL = 12;
const ROWS_A_LABEL = 2;

/** In how many places a chart of this width can tell points apart. */
export function columnsOf(width: number): number {
  return Math.max(LEAST_COLUMNS, width - MARGIN);
}

/** Lines without blanks at their ends: a title, the picture, the name of the x axis, a legend. */
export function chart(
  title: string,
  xName: string,
  curves: readonly ChartCurve[],
  options: ChartOptions,
): string[] {
  const { width, isColoured } = options;
  const paint = painters(isColoured);
  const picture = draw(curves, options, paint);
  const legend = curves.map(
    ({ label }, index) => `${paint(index)(mark(index, false))} ${cutText(label, width - 2)}`,
  );
  const name = cutText(xName, width);
  const room = Math.max(0, Math.floor((width - name.length) / 2));
  return [cutText(title, width), ...picture, `${' '.repeat(room)}${name}`, ...legend].map((line) =>
    line.trimEnd(),
  );
}

/** The mark of a curve, as the legend has it. */
export function mark(index: number, isOfFewer: boolean): string {
  const [all, fewer] = MARKS[index % MARKS.length] ?? [BAND, BAND];
  return isOfFewer ? fewer : all;
}

type Paint = (text: string) => string;

function painters(isColoured: boolean): (index: number) => Paint {
  const { cyan, yellow, magenta, green, red, blue } = picocolors.createColors(isColoured);
  const paints = [cyan, yellow, magenta, green, red, blue];
  return (index) => paints[index % paints.length] ?? cyan;
}

function draw(
  curves: readonly ChartCurve[],
  { width, height, log, logX }: ChartOptions,
  paint: (index: number) => Paint,
): string[] {
  const columns = columnsOf(width);
  const points = curves.flatMap((curve) => curve.points);
  const x = scaleOf(
    points.map((point) => point.x),
    { count: Math.max(2, Math.floor(columns / COLUMNS_A_LABEL)), log: logX, ends: 'data' },
  );
  const y = scaleOf(
    points.flatMap(({ mean, low, high }) => [mean, low ?? mean, high ?? mean]),
    { count: Math.max(1, Math.floor(height / ROWS_A_LABEL)), log, ends: 'round' },
  );
  const grid: Grid = { x, y, columns, rows: height };
  const symbols = [
    ...curves.flatMap((curve, index) => bandSymbols(curve, grid, paint(index))),
    ...curves.flatMap((curve, index) => lineSymbols(curve, grid, paint(index))),
    ...curves.flatMap((curve, index) => markSymbols(curve, grid, index, paint(index))),
  ];
  return frame(grid, symbols);
}

interface Grid {
  x: Scale;
  y: Scale;
  columns: number;
  rows: number;
}

/** The library draws in cells: column 0 is the axis, row 0 its arrow. It scales by squares, so it is given cells alone. */
function frame({ x, y, columns, rows }: Grid, symbols: readonly CustomSymbol[]): string[] {
  const xTicks = new Map(x.ticks.map(({ at, label }) => [at * (columns - 1), label]));
  const yTicks = new Map(y.ticks.map(({ at, label }) => [at * (rows - 1), label]));
  // the first label of the x axis reaches below those of the y axis
  const least = Math.max(...[...xTicks.values()].map((label) => label.length)) - 1;
  const text = plot(
    // by the labels of these it measures what they take
    [[0, 0], [columns - 1, rows - 1], ...[...yTicks.keys()].map((at): [number, number] => [0, at])],
    {
      width: columns,
      height: rows,
      customXAxisTicks: [...xTicks.keys()],
      customYAxisTicks: [...yTicks.keys()],
      formatter: (value, { axis }) =>
        axis === 'x' ? (xTicks.get(value) ?? '') : (yTicks.get(value) ?? '').padStart(least),
      lineFormatter: ({ index }: LineFormatterArgs) => (index === 0 ? [...symbols] : []),
    },
  );
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}

interface Place {
  column: number;
  row: number;
}

function placeOf({ x, y, columns, rows }: Grid, at: number, value: number): Place | undefined {
  const [across, up] = [x.placeOf(at), y.placeOf(value)];
  if (across === null || up === null) return undefined;
  return { column: 1 + Math.round(across * (columns - 1)), row: rows - Math.round(up * (rows - 1)) };
}

/** The rows of a band in a column. */
interface BandPlace {
  column: number;
  top: number;
  bottom: number;
}

function bandSymbols({ points }: ChartCurve, grid: Grid, paint: Paint): CustomSymbol[] {
  const bands = points.map(({ x, mean, low, high }): BandPlace | undefined => {
    const top = placeOf(grid, x, high ?? mean);
    if (top === undefined || low === null) return undefined;
    // on an axis of logarithms a band may reach below all that it has
    return { column: top.column, top: top.row, bottom: placeOf(grid, x, low)?.row ?? grid.rows };
  });
  const filled = bands.flatMap((band, index) => [band ?? [], between(bands[index - 1], band)].flat());
  return filled.flatMap(({ column, top, bottom }) =>
    Array.from({ length: Math.max(0, bottom - top + 1) }, (_, row) => ({
      x: column,
      y: top + row,
      symbol: paint(BAND),
    })),
  );
}

/** The columns from one band to the next, as the line between two means fills them. */
function between(from: BandPlace | undefined, to: BandPlace | undefined): BandPlace[] {
  if (from === undefined || to === undefined) return [];
  const across = to.column - from.column;
  return Array.from({ length: Math.max(0, across - 1) }, (_, index) => {
    const part = (index + 1) / across;
    return {
      column: from.column + index + 1,
      top: Math.round(from.top + part * (to.top - from.top)),
      bottom: Math.round(from.bottom + part * (to.bottom - from.bottom)),
    };
  });
}

/** From each mean to the next. */
function lineSymbols({ points }: ChartCurve, grid: Grid, paint: Paint): CustomSymbol[] {
  const places = points.flatMap(({ x, mean }) => placeOf(grid, x, mean) ?? []);
  return places.slice(1).flatMap((to, index) => {
    const from = places[index] ?? to;
    const [across, down] = [to.column - from.column, to.row - from.row];
    const steps = Math.max(Math.abs(across), Math.abs(down));
    return Array.from({ length: Math.max(0, steps - 1) }, (_, step) => ({
      x: from.column + Math.round((across * (step + 1)) / steps),
      y: from.row + Math.round((down * (step + 1)) / steps),
      symbol: paint(LINE),
    }));
  });
}

function markSymbols({ points, runs }: ChartCurve, grid: Grid, index: number, paint: Paint): CustomSymbol[] {
  return points.flatMap(({ x, mean, n }) => {
    const place = placeOf(grid, x, mean);
    return place === undefined ? [] : { x: place.column, y: place.row, symbol: paint(mark(index, n < runs)) };
  });
}
