// The runs of a leaderboard, gathered into its cells.
import { readValue } from './field-sql.ts';
import type { Field } from './field.ts';
import { compareLabels, labelKey, labelOf, type Label } from './label.ts';
import type { BoardDivergence } from './leaderboard-diverged.ts';
import type { Question } from './leaderboard-options.ts';
import { othersOf, readOthers, type OtherKey, type ScannedRun } from './leaderboard-scan.ts';

/** A run whose value counts. */
export interface CountedRun {
  run_id: string;
  seed: number | null;
  value: number;
  /** The same object for all runs that have the same. */
  others: OtherKey;
}

export interface CellRuns {
  /** Whatever their status. */
  seen: number;
  /** Of a status that counts. */
  counted: number;
  /** Those that have a value, by seed, then by run id; null last. */
  runs: readonly CountedRun[];
  /** Of those of a status that counts, the ids of those whose metric has diverged. */
  diverged: ReadonlySet<string>;
  /** What is in `others` of those. */
  others: readonly OtherKey[];
}

interface OpenCell extends CellRuns {
  runs: CountedRun[];
  diverged: Set<string>;
}

export interface GatheredRuns {
  rows: readonly Label[];
  columns: readonly Label[];
  /** By row and column; undefined: no run was seen. */
  cells: readonly (readonly (CellRuns | undefined)[])[];
  /** Whether a run that was seen has the first and the second meaning of the metric, be it that it was never finite. */
  has: readonly [first: boolean, second: boolean];
  /** Whether one has the metric that the place is chosen by. */
  hasChooser: boolean;
}

/** Where some run has the first meaning of the metric and some run the second, the values are of no use. */
export function gatherRuns(
  pages: Iterable<readonly ScannedRun[]>,
  question: Question,
  diverged: BoardDivergence,
): GatheredRuns {
  const rows = new LabelIndex(question.rows.field);
  const columns = new LabelIndex(question.columns.field);
  const others = new OthersIndex(question);
  const cells: OpenCell[][] = [];
  const has: [boolean, boolean] = [false, false];
  let hasChooser = false;
  for (const page of pages) {
    for (const run of page) {
      // by position, since an iterator for each of a hundred thousand runs is felt
      const cell = cellAt((cells[rows.indexOf(run[4])] ??= []), columns.indexOf(run[5]));
      const first = run[6];
      const second = run[7] ?? null;
      const isChoosable = run[8] !== null;
      cell.seen += 1;
      const hasDiverged = diverged.metric.has(run[0]);
      hasChooser ||= isChoosable || diverged.chooser(run[0]);
      if (first !== null || hasDiverged) has[0] = true;
      if (second !== null) has[1] = true;
      if (run[2] === 0) continue;
      cell.counted += 1;
      if (hasDiverged) cell.diverged.add(run[0]);
      const value = isChoosable ? (first ?? second) : null;
      if (value === null) continue;
      cell.runs.push({ run_id: run[0], seed: run[1], value, others: others.of(run[3]) });
    }
  }
  for (const cell of cells.flat()) {
    cell.runs.sort(bySeed);
    cell.others = othersIn(cell.runs);
  }
  const [rowOrder, columnOrder] = [rows.order(), columns.order()];
  return {
    rows: rowOrder.map(({ label }) => label),
    columns: columnOrder.map(({ label }) => label),
    cells: rowOrder.map((row) => columnOrder.map((column) => cells[row.index]?.[column.index])),
    has,
    hasChooser,
  };
}

/** The same with other values; a run for which `valueOf` has none is left out. */
export function withValues(gathered: GatheredRuns, valueOf: (runId: string) => number | null): GatheredRuns {
  const valued = (cell: CellRuns): CellRuns => {
    const runs = cell.runs.flatMap((run) => {
      const value = valueOf(run.run_id);
      return value === null ? [] : [{ ...run, value }];
    });
    return { ...cell, runs, others: othersIn(runs) };
  };
  return { ...gathered, cells: gathered.cells.map((row) => row.map((cell) => cell && valued(cell))) };
}

function othersIn(runs: readonly CountedRun[]): OtherKey[] {
  return [...new Set(runs.map((run) => run.others))];
}

function cellAt(row: OpenCell[], index: number): OpenCell {
  return (row[index] ??= { seen: 0, counted: 0, runs: [], diverged: new Set(), others: [] });
}

function bySeed(a: CountedRun, b: CountedRun): number {
  if (a.seed !== b.seed) {
    if (a.seed === null || b.seed === null) return a.seed === null ? 1 : -1;
    return a.seed - b.seed;
  }
  return a.run_id < b.run_id ? -1 : 1;
}

interface Indexed {
  label: Label;
  index: number;
}

/** The labels of an axis, numbered as they come. */
class LabelIndex {
  readonly #field: Field;
  readonly #byValue = new Map<string | number | null, number>();
  /** Values that differ in SQLite may be one label: `1` and `1.0` in JSON. */
  readonly #byKey = new Map<string, Indexed>();

  constructor(field: Field) {
    this.#field = field;
  }

  indexOf(value: string | number | null): number {
    const known = this.#byValue.get(value);
    if (known !== undefined) return known;
    const label = labelOf(readValue(this.#field, value));
    const key = labelKey(label);
    const { index } = this.#byKey.get(key) ?? { index: this.#byKey.size };
    this.#byKey.set(key, { label, index });
    this.#byValue.set(value, index);
    return index;
  }

  order(): Indexed[] {
    return [...this.#byKey.values()].toSorted((a, b) => compareLabels(a.label, b.label));
  }
}

class OthersIndex {
  readonly #names: ReturnType<typeof othersOf>;
  readonly #byText = new Map<ScannedRun[3], OtherKey>();

  constructor(question: Question) {
    this.#names = othersOf(question);
  }

  of(text: ScannedRun[3]): OtherKey {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const others = readOthers(this.#names, text);
    this.#byText.set(text, others);
    return others;
  }
}
