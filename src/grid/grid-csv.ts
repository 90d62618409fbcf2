// The text of a CSV file -> the table of a grid.
import { CsvError, parse } from 'csv-parse/sync';
import { gridError, quoted } from './grid-error.ts';
import { MAX_ROWS, type CellValue, type GridCell, type GridTable, type TableRow } from './table.ts';

/** `line` is the one on which it begins. */
interface CsvRecord {
  cells: string[];
  line: number;
}

const LINE_END = /\r\n|\n|\r/g;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;
const WHOLE = /^-?\d+$/;
/** Python writes them with a capital. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
]);

/**
 * The first line has the names. Blanks around cells that are not quoted do not count, nor do empty lines; an empty
 * cell is no value.
 *
 * @throws RunfoldError `usage`
 */
export function tableOfCsv(text: string, file: string): GridTable {
  const [header, ...records] = recordsOf(text, file);
  if (header === undefined) {
    throw gridError(
      { file },
      'there is nothing in it',
      'Its first line names the columns: dataset,method,seed.',
    );
  }
  const columns = header.cells;
  const place = `line ${header.line}`;
  const [only = ''] = columns;
  if (columns.length === 1 && /[;\t]/.test(only)) {
    throw gridError({ file, place }, `it has one column, ${quoted(only)}`, 'Separate the columns by commas.');
  }
  const unnamed = columns.indexOf('');
  if (unnamed !== -1) {
    throw gridError(
      { file, place },
      `column ${unnamed + 1} has no name`,
      'Name it, or remove the comma that makes it.',
    );
  }
  if (records.length > MAX_ROWS) {
    throw gridError({ file }, `it has more than ${MAX_ROWS} rows`, 'Split it.');
  }
  return { columns, rows: records.map((each) => rowOf(each, columns, file)) };
}

function recordsOf(text: string, file: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  /** How many line ends the parser has counted twice: CR and LF of one within quotes. */
  let doubled = 0;
  let next = 1;
  try {
    parse(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      // told here, with the names of the columns
      relax_column_count: true,
      max_record_size: 0,
      on_record: (cells: string[], { lines }) => {
        const ends = cells.flatMap((cell) => cell.match(LINE_END) ?? []);
        doubled += ends.filter((end) => end.length === 2).length;
        const last = lines - doubled;
        next = last + 1;
        records.push({ cells, line: last - ends.length });
        return null;
      },
    });
    return records;
  } catch (error) {
    if (error instanceof CsvError) throw quoteError(error, { file, place: `line ${notBlank(text, next)}` });
    throw error;
  }
}

/** The first line from `line` on that has something on it. */
function notBlank(text: string, line: number): number {
  const lines = text.split(LINE_END);
  const found = lines.findIndex((each, index) => index >= line - 1 && each.trim() !== '');
  return found === -1 ? line : found + 1;
}

/** @param where the row that cannot be read begins */
function quoteError({ code }: CsvError, where: { file: string; place: string }): Error {
  if (code === 'CSV_QUOTE_NOT_CLOSED') {
    return gridError(
      where,
      'a quote is opened in the row that begins there, and not closed',
      'Close it with ".',
    );
  }
  return gridError(
    where,
    'a quote stands within a cell of the row that begins there',
    'A cell with a quote in it begins and ends with ", and has "" for each quote: "3"" disk".',
  );
}

function rowOf({ cells, line }: CsvRecord, columns: readonly string[], file: string): TableRow {
  const place = `line ${line}`;
  if (cells.length !== columns.length) {
    const [has, names] = [cells.length, columns.length];
    throw gridError(
      { file, place },
      `it has ${has} ${has === 1 ? 'cell' : 'cells'}, the first line ${names}`,
      has > names
        ? 'Put a cell that has a comma in it between quotes, and remove commas at the end.'
        : 'A cell without a value still has its comma.',
    );
  }
  return { place, cells: cells.map(cellOf) };
}

function cellOf(text: string): GridCell | null {
  return text === '' ? null : { text, value: valueOf(text) };
}

/** Numbers as in JSON, booleans, else text. An integer that a double does not hold is the name of something. */
function valueOf(text: string): CellValue {
  const boolean = BOOLEANS.get(text);
  if (boolean !== undefined) return boolean;
  if (!JSON_NUMBER.test(text)) return text;
  const number = Number(text);
  const isExact = WHOLE.test(text) ? Number.isSafeInteger(number) : Number.isFinite(number);
  // -0 is 0 in a log
  return isExact ? number + 0 : text;
}
