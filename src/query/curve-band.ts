// Runs that differ in their seed alone -> one curve, with a band around it.
import type { BinnedRun } from './curve-bins.ts';
import { deviationOf, meanOf } from './spread.ts';

export const BANDS = ['std', 'minmax', 'none'] as const;
/** What lies around the mean: one sample standard deviation to either side, or all from the least to the greatest. */
export type Band = (typeof BANDS)[number];

/** One place of a curve. */
export interface CurvePoint {
  /** Step, epoch or seconds. */
  x: number;
  mean: number;
  /** The band; null if there is none, as of the standard deviation of one run. */
  low: number | null;
  high: number | null;
  /** How many runs the mean is of. */
  n: number;
}

/**
 * A point for each bin in which at least one run has values, in order. There each run counts once, by the mean of its
 * own values in the bin, so that one that logs more often does not weigh more.
 *
 * A run that has values in bins before and after, but none in this one, counts by the straight line between them: else
 * the curve would jump up and down between runs that log at different places. Before its first and after its last value
 * it does not count, and neither does it across values that are not finite.
 */
export function bandOf(runs: readonly BinnedRun[], band: Band): CurvePoint[] {
  const bins = runs[0]?.cells.length ?? 0;
  const positions = Array.from({ length: bins }, (_, bin) => {
    const found = runs.flatMap(({ cells }) => cells[bin]?.x ?? []);
    return found.length === 0 ? undefined : meanOf(found);
  });
  const filled = runs.map((run) => valuesAt(run, positions));
  return positions.flatMap((x, bin) => {
    if (x === undefined) return [];
    const values = filled.flatMap((run) => run[bin] ?? []);
    const mean = meanOf(values);
    return { x, mean, ...edges(values, mean, band), n: values.length };
  });
}

function edges(values: readonly number[], mean: number, band: Band): Pick<CurvePoint, 'low' | 'high'> {
  switch (band) {
    case 'none':
      return { low: null, high: null };
    case 'minmax': {
      const sorted = values.toSorted((a, b) => a - b);
      return { low: sorted[0] ?? null, high: sorted.at(-1) ?? null };
    }
    case 'std': {
      const deviation = deviationOf(values, mean);
      if (deviation === null) return { low: null, high: null };
      const [low, high] = [mean - deviation, mean + deviation];
      return Number.isFinite(low) && Number.isFinite(high) ? { low, high } : { low: null, high: null };
    }
  }
}

/** The run's value in each bin, on the line between its neighbours where it has none of its own. */
function valuesAt(
  { cells, isBroken }: BinnedRun,
  positions: readonly (number | undefined)[],
): (number | undefined)[] {
  const values = cells.map((cell) => cell?.mean);
  let before = -1;
  for (const [bin, cell] of cells.entries()) {
    if (isBroken[bin] === true) before = -1;
    if (cell === undefined) continue;
    const start = cells[before];
    if (start !== undefined) {
      for (let between = before + 1; between < bin; between += 1) {
        const x = positions[between];
        if (x !== undefined) values[between] = onLine(start, cell, x);
      }
    }
    before = bin;
  }
  return values;
}

interface Place {
  x: number;
  mean: number;
}

function onLine(from: Place, to: Place, x: number): number {
  const part = Math.min(1, Math.max(0, (x - from.x) / (to.x - from.x)));
  const value = from.mean * (1 - part) + to.mean * part;
  return Math.min(Math.max(value, Math.min(from.mean, to.mean)), Math.max(from.mean, to.mean));
}
