// The runs of each cell -> what is said of it, within its column.
import type { RunKey } from '../events/run-id.ts';
import type { Label } from './label.ts';
import type { CellRuns, GatheredRuns } from './leaderboard-runs.ts';
import { isBetter, type Goal } from './metric-at.ts';
import { ReferenceRuns } from './paired-runs.ts';
import { pairedT, summarize, type PairedT, type Summary } from './statistics.ts';

export interface LeaderboardValue {
  run_id: string;
  seed: number | null;
  value: number;
}

/** Against the best cell of the column. Not corrected for how many such tests there are. */
export interface PairedTest extends PairedT {
  /** The row of the best cell; of several that are equally good, the first one. */
  against: Label;
}

export interface LeaderboardCell extends Summary {
  /** Runs that are there, whatever their status. */
  seen: number;
  /** Runs whose status counts, but that have no value. */
  withoutValue: number;
  /**
   * Runs whose status counts, and whose last value of the metric is not finite. Those that have a value count by it all
   * the same: it is a finite one from before.
   */
  diverged: DivergedRuns;
  /** By seed, then by run id; null last. There are `n`. */
  values: readonly LeaderboardValue[];
  /** By mean within the column; cells that are equally good share it. null: neither, or no value. */
  rank: 'best' | 'second' | null;
  /** null for the best cells, and for fewer than two pairs. */
  pairedTest: PairedTest | null;
  /** Key columns, other than the seed, of which the values here are of more than one. */
  mixed: readonly (keyof RunKey)[];
}

export interface DivergedRuns {
  withValue: number;
  withoutValue: number;
}

/** `null` where no run was seen. */
export type LeaderboardCells = readonly (readonly (LeaderboardCell | null)[])[];

/** @param bySeed false if the seed is the row or the column */
export function boardCells(gathered: GatheredRuns, goal: Goal, bySeed: boolean): LeaderboardCells {
  const summaries = gathered.cells.map((row) => row.map((cell) => cell && summaryOf(cell)));
  const standings = gathered.columns.map((_, index): Standing => {
    const means = summaries.map((row) => row[index]?.mean ?? null);
    const ranked = rankedMeans(means, goal);
    const row = means.indexOf(ranked[0] ?? null);
    const cell = gathered.cells[row]?.[index];
    return {
      ranked,
      against: gathered.rows[row] ?? null,
      best: cell && new ReferenceRuns(cell, bySeed),
    };
  });
  return gathered.cells.map((cells, row) =>
    cells.map((cell, index) => {
      const [summary, standing] = [summaries[row]?.[index], standings[index]];
      if (cell === undefined || summary === undefined || standing === undefined) return null;
      const rank = rankOf(summary.mean, standing.ranked);
      return {
        ...summary,
        seen: cell.seen,
        withoutValue: cell.counted - summary.n,
        diverged: divergedIn(cell),
        values: cell.runs.map(({ run_id, seed, value }) => ({ run_id, seed, value })),
        rank,
        pairedTest: rank === 'best' ? null : testAgainst(standing, cell),
        mixed: mixedIn(cell),
      };
    }),
  );
}

export function divergedIn({ diverged, runs }: CellRuns): DivergedRuns {
  const withValue = diverged.size === 0 ? 0 : runs.filter(({ run_id }) => diverged.has(run_id)).length;
  return { withValue, withoutValue: diverged.size - withValue };
}

/** Of one column. */
interface Standing {
  /** The best mean and the next one that differs from it. */
  ranked: readonly number[];
  /** The row of the first cell that has the best one, and its runs. */
  against: Label;
  best: ReferenceRuns | undefined;
}

function summaryOf(cell: CellRuns): Summary {
  return summarize(cell.runs.map((run) => run.value));
}

function rankedMeans(means: readonly (number | null)[], goal: Goal): number[] {
  const distinct = [...new Set(means.filter((mean) => mean !== null))];
  return distinct.toSorted((a, b) => (isBetter(a, b, goal) ? -1 : 1)).slice(0, 2);
}

function rankOf(mean: number | null, [best, second]: readonly number[]): LeaderboardCell['rank'] {
  if (mean === null) return null;
  if (mean === best) return 'best';
  return mean === second ? 'second' : null;
}

function testAgainst({ against, best }: Standing, cell: CellRuns): PairedTest | null {
  const test = best === undefined ? null : pairedT(best.pairsWith(cell));
  return test === null ? null : { against, ...test };
}

function mixedIn({ others: [first, ...others] }: CellRuns): (keyof RunKey)[] {
  if (first === undefined) return [];
  return (Object.keys(first) as (keyof RunKey)[]).filter((name) =>
    others.some((other) => other[name] !== first[name]),
  );
}
