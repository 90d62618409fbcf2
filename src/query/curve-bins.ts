// The points of one run, put into as many bins as a curve has places.
import { meanOf } from './spread.ts';

/** Points by index: where, and what. A value may be not finite. */
export interface Series {
  x: readonly number[];
  y: readonly number[];
}

/** From the first to the last position, in equal parts; of their logarithms, if `log`. */
export interface Grid {
  from: number;
  to: number;
  bins: number;
  log: boolean;
}

/** What a run has in one bin. */
export interface Cell {
  /** The mean of the positions. */
  x: number;
  mean: number;
  min: number;
  max: number;
}

/** By bin. */
export interface BinnedRun {
  cells: readonly (Cell | undefined)[];
  /** There are values, and none is finite. */
  isBroken: readonly boolean[];
}

export function binOf({ from, to, bins, log }: Grid, x: number): number {
  const [least, greatest, at] = log ? [Math.log(from), Math.log(to), Math.log(x)] : [from, to, x];
  if (greatest <= least) return 0;
  return Math.max(0, Math.min(bins - 1, Math.floor(((at - least) / (greatest - least)) * bins)));
}

/** Within a bin all points of the run weigh the same; those that are not finite are left out. */
export function binned({ x, y }: Series, grid: Grid): BinnedRun {
  const points = Array.from({ length: grid.bins }, (): { x: number[]; y: number[] } => ({ x: [], y: [] }));
  const isBroken = points.map(() => false);
  for (const [index, value] of y.entries()) {
    const at = x[index] ?? Number.NaN;
    const bin = binOf(grid, at);
    const place = points[bin];
    if (place === undefined) continue;
    if (Number.isFinite(value)) {
      place.x.push(at);
      place.y.push(value);
    } else isBroken[bin] = true;
  }
  const cells = points.map((place) => (place.y.length === 0 ? undefined : cellOf(place)));
  return { cells, isBroken: isBroken.map((broken, bin) => broken && cells[bin] === undefined) };
}

function cellOf({ x, y }: { x: readonly number[]; y: readonly number[] }): Cell {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of y) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { x: meanOf(x), mean: meanOf(y), min, max };
}
