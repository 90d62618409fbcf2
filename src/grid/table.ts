// What a grid file says, whatever its form: columns, and rows of cells.

/** A parameter as it goes into a run's `config`. */
export type CellValue = string | number | boolean;

/** `text` is what a command gets, `value` what is recorded. */
export interface GridCell {
  text: string;
  value: CellValue;
}

export interface TableRow {
  /** For messages: `line 3` of a CSV file, `row 2` of a JSON file. */
  place: string;
  /** As many as there are columns; null where the row has no value. */
  cells: readonly (GridCell | null)[];
}

export interface GridTable {
  columns: readonly string[];
  rows: readonly TableRow[];
}

/** More is a mistake: SLURM takes no array of 4,000,001 tasks, and by default none of 1,001. */
export const MAX_ROWS = 1_000_000;
