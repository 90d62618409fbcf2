// The runs of a leaderboard, gathered into its cells.
import { readValue } from './field-sql.ts';
import type { Field } from './field.ts';
import { compareLabels, labelKey, labelOf, type Label } from './label.ts';
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
  /** Those that have a value. */
  runs: CountedRun[];
}

export interface GatheredRuns {
  rows: readonly Label[];
  columns: readonly Label[];
  /** By row and column; undefined: no run was seen. */
  cells: readonly (readonly (CellRuns | undefined)[])[];
}

/** @param valueOf the number of a run that counts, null if it has none */
export function gatherRuns(
  scanned: readonly ScannedRun[],
  question: Question,
  valueOf: (run: ScannedRun) => number | null,
): GatheredRuns {
  const rows = new LabelIndex(question.rows.field);
  const columns = new LabelIndex(question.columns.field);
  const others = new OthersIndex(question);
  const cells: CellRuns[][] = [];
  for (const run of scanned) {
    // by position, since an iterator for each of a hundred thousand runs is felt
    const cell = cellAt((cells[rows.indexOf(run[4])] ??= []), columns.indexOf(run[5]));
    cell.seen += 1;
    if (run[2] === 0) continue;
    cell.counted += 1;
    const value = valueOf(run);
    if (value === null) continue;
    cell.runs.push({ run_id: run[0], seed: run[1], value, others: others.of(run[3]) });
  }
  for (const cell of cells.flat()) cell.runs.sort(bySeed);
  const [rowOrder, columnOrder] = [rows.order(), columns.order()];
  return {
    rows: rowOrder.map(({ label }) => label),
    columns: columnOrder.map(({ label }) => label),
    cells: rowOrder.map((row) => columnOrder.map((column) => cells[row.index]?.[column.index])),
  };
}

function cellAt(row: CellRuns[], index: number): CellRuns {
  return (row[index] ??= { seen: 0, counted: 0, runs: [] });
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
  readonly #byValue = new Map<unknown, number>();
  /** Values that differ in SQLite may be one label: `1` and `1.0` in JSON. */
  readonly #byKey = new Map<string, Indexed>();

  constructor(field: Field) {
    this.#field = field;
  }

  indexOf(value: unknown): number {
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
  readonly #byText = new Map<string | null, OtherKey>();

  constructor(question: Question) {
    this.#names = othersOf(question);
  }

  of(text: string | null): OtherKey {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const others = readOthers(this.#names, text);
    this.#byText.set(text, others);
    return others;
  }
}
