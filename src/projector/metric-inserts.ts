// Inserts rows of run_metrics; consecutive ones of one series many at a time, for half of the time.
import type { Statement } from 'better-sqlite3';
import type { Db } from '../db/open.ts';
import { NUMBER_FIELDS, SEQ, TS_LENGTH } from './line-shape.ts';

export type MetricValues = readonly (string | number | null)[];

/** Consecutive lines of one run by one writer, all of whose values are finite, as columns. */
export interface MetricBlock {
  runId: string;
  count: number;
  /** The others follow one by one. */
  firstSeq: number;
  /** NUMBER_FIELDS of each; NaN is null. */
  numbers: Float64Array;
  /** TS_LENGTH bytes of each. */
  ts: Buffer;
  /** The `extra` of each as JSON, one after the other. */
  extraJson: Buffer;
  /** Where that of the `nth` ends in it; where the one before ended if it has none. */
  extraEnd: (nth: number) => number;
}

/** In a column of numbers; seq is counted on from the first. */
const FIELDS = Array.from(NUMBER_FIELDS.keys()).filter((field) => field !== SEQ);
/** As a bit beside those of FIELDS. */
const EXTRA = NUMBER_FIELDS.length;
const ALL_COLUMNS = 2 ** (EXTRA + 1) - 1;
/** How many rows a statement has; what is left over of a block goes in by those with fewer. */
const ROWS = [64, 8, 1] as const;
/** One of 64 rows takes some 100 KB. Where columns are there in yet other combinations, one for all of them does. */
const MAX_COMBINATIONS = 12;

interface Several {
  statement: Statement;
  /** Which columns each row gives a number for. */
  fields: readonly number[];
  hasExtra: boolean;
  /** The values of the rows, one row after the other; used again each time. */
  values: number[];
}

export class MetricInserts {
  readonly #db: Db;
  readonly #one: Statement;
  /** By the columns that are not NULL in all rows, as bits, then by the number of rows. */
  readonly #several = new Map<number, Map<number, Several>>();

  constructor(db: Db) {
    this.#db = db;
    this.#one = db.prepare(`INSERT INTO run_metrics VALUES (?${', ?'.repeat(13)})`);
  }

  /** A whole row, its values in the order of the table. */
  add(row: MetricValues): void {
    this.#one.run(...row);
  }

  addBlock(block: MetricBlock, writer: string): void {
    for (let from = 0; from < block.count;) {
      const rows = ROWS.find((each) => each <= block.count - from) ?? 1;
      this.#insert(block, writer, from, rows);
      from += rows;
    }
  }

  #insert(
    { runId, firstSeq, numbers, ts, extraJson, extraEnd }: MetricBlock,
    writer: string,
    from: number,
    rows: number,
  ): void {
    const extraFrom = from === 0 ? 0 : extraEnd(from - 1);
    const extraTo = extraEnd(from + rows - 1);
    const bits = columnBits(numbers, from, rows) | (extraTo > extraFrom ? 1 << EXTRA : 0);
    const { statement, fields, hasExtra, values } = this.#severalFor(bits, rows);
    let to = 0;
    let extraAt = extraFrom;
    for (let row = from; row < from + rows; row += 1) {
      const number = row * NUMBER_FIELDS.length;
      for (let nth = 0; nth < fields.length; nth += 1) {
        // negative zero becomes zero, as in every row; NaN is NULL to SQLite
        values[to] = (numbers[number + (fields[nth] as number)] as number) + 0;
        to += 1;
      }
      if (!hasExtra) continue;
      const end = extraEnd(row);
      // of no text from NULL on there is no part
      values[to] = end === extraAt ? Number.NaN : extraAt - extraFrom + 1;
      values[to + 1] = end - extraAt;
      to += 2;
      extraAt = end;
    }
    // the texts of all rows as bytes, for a string of each is dear; the values as arguments, for of an array each is looked up
    const shared = {
      run: runId,
      writer,
      seq: firstSeq + from,
      ts: ts.subarray(from * TS_LENGTH, (from + rows) * TS_LENGTH),
      extra: extraJson.subarray(extraFrom, extraTo),
    };
    statement.run(shared, ...values);
  }

  #severalFor(bits: number, rows: number): Several {
    let byRows = this.#several.get(bits);
    if (byRows === undefined) {
      if (this.#several.size >= MAX_COMBINATIONS && bits !== ALL_COLUMNS)
        return this.#severalFor(ALL_COLUMNS, rows);
      byRows = new Map();
      this.#several.set(bits, byRows);
    }
    let several = byRows.get(rows);
    if (several === undefined) {
      several = this.#prepare(bits, rows);
      byRows.set(rows, several);
    }
    return several;
  }

  #prepare(bits: number, rows: number): Several {
    const has = (column: number): boolean => (bits & (1 << column)) !== 0;
    const numbers = FIELDS.map((field) => (has(field) ? '?' : 'NULL')).join(', ');
    const extra = has(EXTRA) ? 'CAST(substr(@extra, ?, ?) AS TEXT)' : 'NULL';
    const row = (nth: number): string =>
      `(@run, @writer, @seq + ${nth}, CAST(substr(@ts, ${nth * TS_LENGTH + 1}, ${TS_LENGTH}) AS TEXT), ${numbers}, ${extra}, NULL)`;
    const all = Array.from({ length: rows }, (_, nth) => row(nth)).join(', ');
    const fields = FIELDS.filter(has);
    return {
      statement: this.#db.prepare(`INSERT INTO run_metrics VALUES ${all}`),
      fields,
      hasExtra: has(EXTRA),
      values: Array.from({ length: rows * (fields.length + (has(EXTRA) ? 2 : 0)) }, () => 0),
    };
  }
}

/** Which columns have a value in any of the rows. */
function columnBits(numbers: Float64Array, from: number, rows: number): number {
  let bits = 0;
  const end = (from + rows) * NUMBER_FIELDS.length;
  for (let field = 0; field < NUMBER_FIELDS.length; field += 1) {
    for (let at = from * NUMBER_FIELDS.length + field; at < end; at += NUMBER_FIELDS.length) {
      if (Number.isNaN(numbers[at])) continue;
      bits |= 1 << field;
      break;
    }
  }
  return bits;
}
