// One table as the bytes of a file.
import type { Db } from '../../db/open.ts';
import { csvChunks } from '../format/csv.ts';
import { ndjsonChunks } from '../format/ndjson-stream.ts';
import type { CellValue } from '../format/table.ts';
import { inAscii } from '../print-safe.ts';
import { batchesOf, type BatchLimits } from './batches.ts';
import { columnsOf, rowsOf, type ExportColumn, type RawRow } from './columns.ts';
import type { ExportedTable, ExportFormat } from './names.ts';
import { parquetChunks } from './parquet.ts';

export interface EncodeOptions {
  format: ExportFormat;
  /** CSV with every text as it is. */
  isExact: boolean;
  /** Called with the number of rows that a chunk will hold. */
  onRows: (rows: number) => void;
}

const LINES: BatchLimits = { rows: 1000, characters: 4_194_304 };
/** Large enough for dictionaries to pay, small enough for memory also where every row has a traceback. */
const ROW_GROUP: BatchLimits = { rows: 50_000, characters: 33_554_432 };

/** Reads the table as it is written, a batch of rows at a time. */
export async function* encodeTable(
  db: Db,
  table: ExportedTable,
  { format, isExact, onRows }: EncodeOptions,
): AsyncGenerator<string | Uint8Array> {
  const columns = columnsOf(db, table);
  const names = columns.map(({ name }) => name);
  const batches = told(batchesOf(rowsOf(db, table), format === 'parquet' ? ROW_GROUP : LINES), onRows);
  switch (format) {
    case 'parquet':
      yield* parquetChunks(columns, batches);
      return;
    case 'csv':
      yield* csvChunks(names, converted(columns, batches, isExact ? same : inAscii), { isExact });
      return;
    case 'ndjson':
      yield* ndjsonChunks(names, converted(columns, batches, parsed));
  }
}

function* told(batches: Iterable<RawRow[]>, onRows: (rows: number) => void): Generator<RawRow[]> {
  for (const rows of batches) {
    yield rows;
    onRows(rows.length);
  }
}

/** The values as the formats for programs have them; what becomes of JSON is up to the format. */
function* converted(
  columns: readonly ExportColumn[],
  batches: Iterable<RawRow[]>,
  convertJson: (json: string) => CellValue,
): Generator<CellValue[][]> {
  const convert = ({ kind }: ExportColumn, value: RawRow[number]): CellValue => {
    if (value === null) return null;
    if (kind === 'boolean') return value === 1;
    return kind === 'json' ? convertJson(String(value)) : value;
  };
  for (const rows of batches) {
    yield rows.map((row) => columns.map((column, index) => convert(column, row[index] ?? null)));
  }
}

function same(json: string): string {
  return json;
}

function parsed(json: string): CellValue {
  return JSON.parse(json) as CellValue;
}
