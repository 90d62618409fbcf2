// Keys of runs -> a grid file that says them.
import { stringify } from 'csv-stringify/sync';
import type { RunKey } from '../events/run-id.ts';
import { KEY_FIELDS } from './progress.ts';
import { DEFAULTS } from './key-columns.ts';

type KeyValue = RunKey[keyof RunKey];

/** The fields that a file of these keys must have: those that are not as they are without a column. */
export function columnsOf(keys: readonly RunKey[]): (keyof RunKey)[] {
  const needed = KEY_FIELDS.filter((field) => keys.some((key) => key[field] !== DEFAULTS[field]));
  // a file has at least one column
  return needed.length === 0 ? ['dataset'] : needed;
}

/**
 * The field and the value that CSV cannot say: nothing between commas is no value, and NUL is refused; undefined if
 * there is none.
 */
export function unsaid(keys: readonly RunKey[]): { field: keyof RunKey; value: string } | undefined {
  for (const field of KEY_FIELDS) {
    const value = keys.map((key) => key[field]).find((each) => each === '' || String(each).includes('\0'));
    if (value !== undefined) return { field, value: String(value) };
  }
  return undefined;
}

/** What `readGrid` reads as these keys, in this order. */
export function gridCsv(keys: readonly RunKey[]): string {
  const columns = columnsOf(keys);
  const rows: (readonly KeyValue[])[] = keys.map((key) => columns.map((field) => key[field]));
  return stringify([columns, ...rows], {
    // blanks around a value would not count, and a lone CR would end the line
    quoted_match: [/^\s|\s$/, /[\r\n]/],
    // a line of nothing would be no row
    quoted_empty: columns.length === 1,
  });
}
