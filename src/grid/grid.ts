// A grid file: the runs of a sweep, one a row, with what each is given.
import { createHash } from 'node:crypto';
import { messageOf, RunfoldError } from '../errors.ts';
import type { RunKey } from '../events/run-id.ts';
import { resolveRun, type RunOptions } from '../events/run-options.ts';
import { tableOfCsv } from './grid-csv.ts';
import { gridError, quoted } from './grid-error.ts';
import { tableOfJson } from './grid-json.ts';
import { DEFAULTS, fieldsOf, setField } from './key-columns.ts';
import type { CellValue, GridTable, TableRow } from './table.ts';

export interface GridRow {
  /** From 1, as SLURM's task: `--array=1-N`. */
  row: number;
  key: RunKey;
  runId: string;
  /** The columns that are no field of the key, those without a value left out. */
  config: Readonly<Record<string, CellValue>>;
  /** All columns in order, with the text as it is written; null where the row has no value. */
  values: readonly (readonly [column: string, text: string | null])[];
}

export interface Grid {
  /** As it was named. */
  file: string;
  format: 'csv' | 'json';
  columns: readonly string[];
  rows: readonly GridRow[];
}

export interface GridOptions {
  /** Columns whose values belong to the key too, as with the `keyFromConfig` of a run. */
  keyFromConfig?: readonly string[] | undefined;
}

/**
 * JSON if the name ends in `.json`, or does not end in `.csv` and the text begins as JSON does; else CSV. Fields of
 * the key that have no column are as always: experiment 1, data set and method `default`, others null.
 *
 * @param file for messages
 * @throws RunfoldError `usage` with the file, the place in it and what to do
 */
export function readGrid(text: string, file: string, options: GridOptions = {}): Grid {
  const format = isJson(text, file) ? 'json' : 'csv';
  const table = format === 'json' ? tableOfJson(text, file) : tableOfCsv(text, file);
  const fields = fieldsOf(table, file);
  const keyFromConfig = options.keyFromConfig ?? [];
  checkNames(keyFromConfig, table, fields, file);
  if (table.rows.length === 0) throw gridError({ file }, 'it has no rows', 'Give it one row for each run.');
  const rows = table.rows.map((row, index) => {
    const run = runOf(row, { columns: table.columns, fields, keyFromConfig, file });
    const values = table.columns.map((column, at) => [column, row.cells[at]?.text ?? null] as const);
    return { row: index + 1, ...run, values };
  });
  refuseRepeated(rows, table, fields, file);
  return { file, format, columns: table.columns, rows };
}

/**
 * `readGrid` of the bytes of a file.
 *
 * @throws RunfoldError `usage`
 */
export function decodeGrid(bytes: Uint8Array, file: string, options: GridOptions = {}): Grid {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // its message says no more than that
    throw gridError({ file }, 'it is not UTF-8', 'Save it as UTF-8.');
  }
  return readGrid(text, file, options);
}

/** SHA-256 over the bytes of a grid file, in hexadecimal digits. */
export function gridDigest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function isJson(text: string, file: string): boolean {
  if (/\.json$/i.test(file)) return true;
  return !/\.csv$/i.test(file) && /^\uFEFF?\s*[[{]/.test(text);
}

function checkNames(
  names: readonly string[],
  { columns }: GridTable,
  fields: readonly (keyof RunKey | undefined)[],
  file: string,
): void {
  const parameters = columns.filter((_, index) => fields[index] === undefined);
  const unknown = names.find((name) => !parameters.includes(name));
  if (unknown === undefined) return;
  const isField = columns.includes(unknown);
  throw gridError(
    { file },
    `--key-from-config names ${quoted(unknown)}, which is ${isField ? 'in the key anyway' : 'no column'}`,
    parameters.length === 0
      ? 'It has no other columns than the key.'
      : `There are: ${parameters.join(', ')}.`,
  );
}

interface Reading {
  columns: readonly string[];
  fields: readonly (keyof RunKey | undefined)[];
  keyFromConfig: readonly string[];
  file: string;
}

function runOf(row: TableRow, reading: Reading): Pick<GridRow, 'key' | 'runId' | 'config'> {
  const { columns, fields, keyFromConfig, file } = reading;
  const options: RunOptions = { method: DEFAULTS.method, keyFromConfig };
  const config: [string, CellValue][] = [];
  for (const [index, column] of columns.entries()) {
    const field = fields[index];
    const given = row.cells[index] ?? null;
    if (given?.text.includes('\0') === true) {
      throw gridError(
        { file, place: row.place, column },
        'there is a NUL in it',
        'No command can be given one.',
      );
    }
    if (field !== undefined) setField(options, field, given, { file, place: row.place, column });
    else if (given !== null) config.push([column, given.value]);
  }
  const absent = keyFromConfig.find((name) => !config.some(([column]) => column === name));
  if (absent !== undefined) {
    throw gridError(
      { file, place: row.place, column: absent },
      'it has no value, and --key-from-config names it',
      'Give each row one.',
    );
  }
  // fromEntries defines own properties, so that a column named __proto__ is data
  const parameters = Object.fromEntries(config);
  try {
    const { key, runId } = resolveRun({ ...options, config: parameters }, undefined);
    return { key, runId, config: parameters };
  } catch (error) {
    if (error instanceof RunfoldError)
      throw gridError({ file, place: row.place }, messageOf(error), 'Correct it.');
    throw error;
  }
}

/** Two rows of one key would be one run, whose second execution hides the first. */
function refuseRepeated(
  rows: readonly GridRow[],
  { columns, rows: tableRows }: GridTable,
  fields: readonly (keyof RunKey | undefined)[],
  file: string,
): void {
  const byRun = new Map<string, number>();
  for (const [index, { runId }] of rows.entries()) {
    const before = byRun.get(runId);
    byRun.set(runId, index);
    if (before === undefined) continue;
    const [one, other] = [rows[before], rows[index]];
    const differing = columns.filter(
      (_, at) => fields[at] === undefined && one?.values[at]?.[1] !== other?.values[at]?.[1],
    );
    // a column of the key needs a value in each row
    const usable = differing.filter((column) => {
      const at = columns.indexOf(column);
      return rows.every(({ values }) => values[at]?.[1] !== null);
    });
    throw gridError(
      { file },
      `${rowText(before, tableRows)} and ${rowText(index, tableRows)} are the same run`,
      differing.length === 0
        ? 'Remove one of them.'
        : usable.length === 0
          ? `They differ in ${differing.join(', ')}, where some rows have no value: give each row one, and put it into the key with --key-from-config.`
          : `If a parameter tells them apart, put it into the key: --key-from-config ${usable.join(',')}`,
    );
  }
}

/** `row 3 (line 5)`. */
function rowText(index: number, rows: readonly TableRow[]): string {
  const row = `row ${index + 1}`;
  const place = rows[index]?.place;
  return place === undefined || place === row ? row : `${row} (${place})`;
}
