// Inserts rows of run_metrics, many of one series with one statement that names only what they have: twice as fast.
import type { Statement } from 'better-sqlite3';
import type { Db } from '../db/open.ts';

export type MetricValues = readonly (string | number | null)[];

const COLUMNS = 14;
/** After run_id and writer. */
const FIRST_OWN = 2;
const ROWS = 32;
/** Each takes some 50 KB. Where columns are there in yet other combinations, one for all of them does. */
const MAX_STATEMENTS = 16;
const ALL_COLUMNS = 2 ** COLUMNS - 1;

interface Several {
  statement: Statement;
  /** Which columns each row gives values for. */
  columns: readonly number[];
  arguments: (string | number | null)[];
}

/** Rows that were added are in the table after `flush`. */
export class MetricInserts {
  readonly #db: Db;
  readonly #one: Statement;
  /** By the columns that are not NULL in all rows, as bits. */
  readonly #several = new Map<number, Several>();
  /** The values of rows of one run by one writer, one after the other; those of rows that are gone are written over. */
  readonly #values: (string | number | null)[] = Array.from({ length: ROWS * COLUMNS }, () => null);
  #waiting = 0;
  #bits = 0;

  constructor(db: Db) {
    this.#db = db;
    this.#one = db.prepare(`INSERT INTO run_metrics VALUES (?${', ?'.repeat(COLUMNS - 1)})`);
  }

  /** A whole row, its values in the order of the table. */
  add(row: MetricValues): void {
    const values = this.#values;
    if (this.#waiting > 0 && (values[0] !== row[0] || values[1] !== row[1])) this.flush();
    const at = this.#waiting * COLUMNS;
    let bits = this.#bits;
    for (let column = 0; column < COLUMNS; column += 1) {
      const value = row[column] ?? null;
      values[at + column] = value;
      if (value !== null) bits |= 1 << column;
    }
    this.#bits = bits;
    this.#waiting += 1;
    if (this.#waiting === ROWS) this.#insertAll();
  }

  flush(): void {
    const count = this.#waiting;
    this.discard();
    for (let row = 0; row < count; row += 1) {
      this.#one.run(...this.#values.slice(row * COLUMNS, (row + 1) * COLUMNS));
    }
  }

  /** Forgets the rows that wait. */
  discard(): void {
    this.#waiting = 0;
    this.#bits = 0;
  }

  #insertAll(): void {
    const { statement, columns, arguments: given } = this.#severalFor(this.#bits);
    this.discard();
    const values = this.#values;
    let to = 0;
    for (let row = 0; row < ROWS; row += 1) {
      for (let nth = 0; nth < columns.length; nth += 1) {
        given[to] = values[row * COLUMNS + (columns[nth] ?? 0)] ?? null;
        to += 1;
      }
    }
    // as arguments, since of an array each value is looked up
    statement.run({ run: values[0], writer: values[1] }, ...given);
  }

  #severalFor(bits: number): Several {
    const known = this.#several.get(bits);
    if (known !== undefined) return known;
    if (this.#several.size >= MAX_STATEMENTS && bits !== ALL_COLUMNS) return this.#severalFor(ALL_COLUMNS);
    const own = Array.from({ length: COLUMNS }, (_, column) => column).slice(FIRST_OWN);
    const columns = own.filter((column) => (bits & (1 << column)) !== 0);
    const marks = own.map((column) => (columns.includes(column) ? '?' : 'NULL'));
    const row = `(@run, @writer, ${marks.join(', ')})`;
    const several = {
      statement: this.#db.prepare(`INSERT INTO run_metrics VALUES ${row}${`, ${row}`.repeat(ROWS - 1)}`),
      columns,
      arguments: Array.from({ length: columns.length * ROWS }, () => null),
    };
    this.#several.set(bits, several);
    return several;
  }
}
