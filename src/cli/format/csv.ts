// RFC 4180 for spreadsheets and data frames, with LF at the end of lines: Unix tools would take a CR into the last
// cell.
import { stringify } from 'csv-stringify/sync';
import { jsonSafe, notFiniteByName, printSafe } from '../print-safe.ts';
import type { CellValue, Table } from './table.ts';

/** Also what NFKC makes ASCII of, such as the full-width forms, and the minus sign. */
const FORMULA = /^[=+\-@\u2212]/;
/** Most texts, which are safe as they are. */
const PLAIN = /^[\w{[][ -~]*$/;
/** What no double holds is text; such a number is no formula. */
const LONG_INTEGER = /^-\d{16,19}$/;
/** No terminal does harm with these, and within quotes they are data. */
const HARMLESS_CONTROLS = /([\n\t])/;

/** Rows of raw values as they come, few enough of them at once for memory. */
export type Batches =
  | Iterable<readonly (readonly CellValue[])[]>
  | AsyncIterable<readonly (readonly CellValue[])[]>;

export interface CsvOptions {
  /** Text as it is, for programs: neither are control characters escaped, nor is anything put before a formula. */
  isExact?: boolean;
}

/**
 * A heading, then the raw values: numbers with all their digits, objects and arrays as JSON, a missing value as
 * nothing, which differs from the empty string (`""`). Text that a spreadsheet would run as a formula begins with
 * `'`. Control, bidirectional and invisible characters are escaped as everywhere, all but line feeds and tabs, which
 * stand within quotes.
 */
export function csv({ columns, rows }: Table): string {
  const names = columns.map(({ name }) => name);
  return lines([names, ...rows.map((row) => names.map((_, index) => row[index]?.value ?? null))], {});
}

/** The same for rows that come bit by bit: the heading at once, then the lines of each batch. */
export async function* csvChunks(
  names: readonly string[],
  batches: Batches,
  options: CsvOptions = {},
): AsyncGenerator<string> {
  yield lines([names], options);
  for await (const rows of batches) yield lines(rows, options);
}

function lines(rows: readonly (readonly CellValue[])[], { isExact = false }: CsvOptions): string {
  const write = isExact ? exactField : field;
  return stringify(
    rows.map((row) => row.map(write)),
    {
      // the empty string is no missing value; semicolons and tabs part cells elsewhere, and a CR may end a line
      quoted_match: [/^$/, /[;\t\r]/, /^\s|\s$/],
      // a line of nothing would be no row
      quoted_empty: rows[0]?.length === 1,
    },
  );
}

function exactField(value: CellValue): string | null {
  if (value === null) return null;
  return typeof value === 'object' ? JSON.stringify(value, notFiniteByName) : String(value);
}

function field(value: CellValue): string | null {
  if (value === null) return null;
  if (typeof value === 'object') return safeText(jsonSafe(value));
  // the last is a number, spelt as everywhere in runfold
  return typeof value !== 'string' || value === '-Infinity' ? String(value) : safeText(value);
}

function safeText(text: string): string {
  if (PLAIN.test(text) || LONG_INTEGER.test(text)) return text;
  const safe = text
    .split(HARMLESS_CONTROLS)
    .map((part) => (HARMLESS_CONTROLS.test(part) ? part : printSafe(part)))
    .join('');
  return beginsFormula(safe) ? `'${safe}` : safe;
}

function beginsFormula(text: string): boolean {
  const first = text.trimStart().slice(0, 1).normalize('NFKC');
  return FORMULA.test(first) || /^[\t\n]/.test(text);
}
