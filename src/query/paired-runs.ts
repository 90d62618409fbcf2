// Which run of one cell is to be compared with which run of another.
import type { RunKey } from '../events/run-id.ts';
import type { CellRuns, CountedRun } from './leaderboard-runs.ts';

/** What a run is made with, not what it is made on: part of what tells two cells apart, if each has but one. */
const TREATMENT: ReadonlySet<keyof RunKey> = new Set(['method', 'cl_info', 'experiment_number'] as const);

/** The cell that all others of a column are compared with. */
export class ReferenceRuns {
  readonly #cell: CellRuns;
  readonly #bySeed: boolean;
  /** Values by the key to pair by, for each choice of key columns. */
  readonly #values = new Map<string, Map<unknown, number>>();

  /** @param bySeed false if the seed is the row or the column */
  constructor(cell: CellRuns, bySeed: boolean) {
    this.#cell = cell;
    this.#bySeed = bySeed;
  }

  /**
   * The values of runs that have the same seed and the same of all other key columns that are neither the row nor the
   * column. Save that `method`, `cl_info` or `experiment_number` may differ where each of the two cells has one value of
   * it only.
   */
  pairsWith(cell: CellRuns): [value: number, reference: number][] {
    const names = namesToPairBy(cell, this.#cell);
    const keyOf = this.#keyBy(names);
    const id = names.join();
    const values =
      this.#values.get(id) ?? new Map(this.#cell.runs.map((run) => [keyOf(run), run.value] as const));
    this.#values.set(id, values);
    const pairs: [number, number][] = [];
    for (const run of cell.runs) {
      const reference = values.get(keyOf(run));
      if (reference !== undefined) pairs.push([run.value, reference]);
    }
    return pairs;
  }

  /** No two runs of a cell have the same, since together with the cell it is the key of a run. */
  #keyBy(names: readonly (keyof RunKey)[]): (run: CountedRun) => unknown {
    const bySeed = this.#bySeed;
    if (names.length === 0) return ({ seed }) => (bySeed ? seed : null);
    const texts = new Map<CountedRun['others'], string>();
    return ({ seed, others }) => {
      const text = texts.get(others) ?? JSON.stringify(names.map((name) => others[name]));
      texts.set(others, text);
      return bySeed ? `${seed} ${text}` : text;
    };
  }
}

function namesToPairBy(...cells: readonly CellRuns[]): (keyof RunKey)[] {
  const names = Object.keys(cells[0]?.others[0] ?? {}) as (keyof RunKey)[];
  return names.filter((name) => {
    const values = cells.map(({ others }) => new Set(others.map((other) => other[name])));
    if (values.some(({ size }) => size > 1)) return true;
    return !TREATMENT.has(name) && new Set(values.flatMap((each) => [...each])).size > 1;
  });
}
