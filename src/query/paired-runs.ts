// Which run of one cell is to be compared with which run of another.
import type { RunKey } from '../events/run-id.ts';
import type { CountedRun } from './leaderboard-runs.ts';

/** What a run is made with, not what it is made on: part of what tells two cells apart, if each has but one. */
const TREATMENT: ReadonlySet<keyof RunKey> = new Set(['method', 'cl_info', 'experiment_number'] as const);

/**
 * The values of runs of two cells that have the same seed and the same of all other key columns that are neither the row
 * nor the column, in the order of `runs`. Save that `method`, `cl_info` or `experiment_number` may differ where each
 * of the two cells has one value of it only.
 *
 * @param bySeed false if the seed is the row or the column
 */
export function pairRuns(
  runs: readonly CountedRun[],
  against: readonly CountedRun[],
  bySeed: boolean,
): [value: number, against: number][] {
  const names = namesToPairBy(runs, against);
  const keyOf = pairKey(names, bySeed);
  const byKey = new Map(against.map((run) => [keyOf(run), run.value]));
  return runs.flatMap((run) => {
    const value = byKey.get(keyOf(run));
    return value === undefined ? [] : [[run.value, value]];
  });
}

function namesToPairBy(runs: readonly CountedRun[], against: readonly CountedRun[]): (keyof RunKey)[] {
  const names = Object.keys(runs[0]?.others ?? {}) as (keyof RunKey)[];
  const both = [othersIn(runs), othersIn(against)];
  return names.filter((name) => {
    const values = both.map((others) => new Set(others.map((other) => other[name])));
    if (values.some(({ size }) => size > 1)) return true;
    return !TREATMENT.has(name) && new Set(values.flatMap((each) => [...each])).size > 1;
  });
}

function othersIn(runs: readonly CountedRun[]): CountedRun['others'][] {
  return [...new Set(runs.map((run) => run.others))];
}

/** No two runs of a cell have the same, since together with the cell it is the key of a run. */
function pairKey(names: readonly (keyof RunKey)[], bySeed: boolean): (run: CountedRun) => unknown {
  if (names.length === 0) return ({ seed }) => (bySeed ? seed : null);
  const texts = new Map<CountedRun['others'], string>();
  return ({ seed, others }) => {
    const known = texts.get(others) ?? JSON.stringify(names.map((name) => others[name]));
    texts.set(others, known);
    return bySeed ? `${seed} ${known}` : known;
  };
}
