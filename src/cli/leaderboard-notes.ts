// What stands below a leaderboard: what its numbers are, and what a reader should beware of.
import type { LeaderboardCell } from '../query/leaderboard-cells.ts';
import { shortName } from '../query/leaderboard-metric.ts';
import type { Goal } from '../query/metric-at.ts';
import type { Leaderboard } from '../query/leaderboard.ts';
import { count } from './human.ts';
import type { BoardDisplay } from './leaderboard-display.ts';

export const STAR = '*';
export const DAGGER = '†';
const SIGNIFICANT = 0.05;

/** Whether the paired test tells the cell from the best one of its column. */
export function isWorse({ pairedTest }: LeaderboardCell): boolean {
  return pairedTest !== null && pairedTest.p !== null && pairedTest.p < SIGNIFICANT;
}

export function legend(board: Leaderboard, { spread, scale, isMarked, hasCounts }: BoardDisplay): string[] {
  const cells = board.cells.flat();
  const seen = cells.filter((cell) => cell !== null);
  if (seen.length === 0) return [];
  const scaled = scale === 1 ? '' : ` × ${scale}`;
  const what = `${metricText(board)}${scaled}, by ${board.fields.rows} and ${board.fields.columns}`;
  return [
    `${what}: ${SPREAD_TEXT[spread]} (runs that count / runs seen${hasCounts ? '' : ', where these differ'})`,
    `${board.goal === 'max' ? 'higher' : 'lower'} is better${isMarked ? `, ${STAR} is the best of its column` : ''}`,
    ...(seen.length < cells.length ? ['a cell without these numbers has no run'] : []),
    ...(seen.some(isWorse)
      ? [
          `${DAGGER} differs from the best of its column: two-sided paired t-test over runs of the same key, p < ${SIGNIFICANT}, uncorrected`,
        ]
      : []),
    ...(seen.some(({ pairedTest }) => pairedTest?.p === null)
      ? ['no test where all pairs differ by the same']
      : []),
  ];
}

const SPREAD_TEXT = {
  std: 'mean ± sample std',
  ci: 'mean [95 % confidence interval by Student’s t]',
  none: 'mean',
} as const;

const SUPERLATIVE: Readonly<Record<Goal, string>> = { min: 'lowest', max: 'highest' };

function metricText({ metric, goal, at }: Leaderboard): string {
  const name = shortName(metric);
  if (at === null) return name;
  if (at === 'final') return `${name}, final value`;
  if (at === 'best') return `${name}, ${SUPERLATIVE[goal]} value of each run`;
  return `${name} at the ${SUPERLATIVE[at.goal]} ${shortName(at.metric)}`;
}

/** For stderr, where a format has no notes. */
export function warnings({ at, mixed, totals }: Leaderboard): string[] {
  const { withoutValue, otherStatus, diverged } = totals;
  const missing = withoutValue - diverged.withoutValue;
  return [
    ...mixed.map(
      ({ field, values }) =>
        `cells mix ${values} values of ${field}: filter by it, or make it the rows or columns`,
    ),
    ...(diverged.withValue > 0
      ? [`${have(diverged.withValue)} diverged, and ${countBy(diverged.withValue, at)}`]
      : []),
    ...(diverged.withoutValue > 0
      ? [`${have(diverged.withoutValue)} diverged without a value, and ${doNot(diverged.withoutValue)} count`]
      : []),
    ...(missing > 0 ? [`${have(missing)} no value, and ${doNot(missing)} count`] : []),
    ...(otherStatus > 0 ? [`${have(otherStatus)} another status, and ${doNot(otherStatus)} count`] : []),
  ];
}

function have(runs: number): string {
  return `${count(runs, 'run')} ${runs === 1 ? 'has' : 'have'}`;
}

function countBy(runs: number, at: Leaderboard['at']): string {
  const which =
    at === 'final' ? 'last finite value' : at === 'best' ? 'best finite value' : 'value at that place';
  return runs === 1 ? `counts by its ${which}` : `count by their ${which}`;
}

function doNot(runs: number): string {
  return runs === 1 ? 'does not' : 'do not';
}
