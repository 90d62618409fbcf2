// RFC 4180 for spreadsheets and data frames, with LF at the end of lines: Unix tools would take a CR into the last
// cell.
import { stringify } from 'csv-stringify/sync';
import { jsonSafe, printSafe } from '../print-safe.ts';
import type { CellValue, Table } from './table.ts';

/** Also what NFKC makes ASCII of, such as the full-width forms, and the minus sign. */
const FORMULA = /^[=+\-@\u2212]/;
/** No terminal does harm with these, and within quotes they are data. */
const HARMLESS_CONTROLS = /([\n\t])/;

/**
 * A heading, then the raw values: numbers with all their digits, objects and arrays as JSON, a missing value as
 * nothing, which differs from the empty string (`""`). Text that a spreadsheet would run as a formula begins with
 * `'`. Control, bidirectional and invisible characters are escaped as everywhere, all but line feeds and tabs, which
 * stand within quotes.
 */
export function csv({ columns, rows }: Table): string {
  const lines = rows.map((row) => columns.map((_, index) => field(row[index]?.value ?? null)));
  return stringify([columns.map(({ name }) => safeText(name)), ...lines], {
    // the empty string is no missing value; semicolons and tabs part cells elsewhere
    quoted_match: [/^$/, /[;\t]/, /^\s|\s$/],
    // a line of nothing would be no row
    quoted_empty: columns.length === 1,
  });
}

function field(value: CellValue): string | null {
  if (value === null) return null;
  if (typeof value === 'object') return safeText(jsonSafe(value));
  // the last is a number, spelt as everywhere in runfold
  return typeof value !== 'string' || value === '-Infinity' ? String(value) : safeText(value);
}

function safeText(text: string): string {
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
