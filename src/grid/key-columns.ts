// Which columns of a grid are fields of the key, and what their cells must be.
import type { RunKey } from '../events/run-id.ts';
import type { RunOptions } from '../events/run-options.ts';
import { gridError, quoted } from './grid-error.ts';
import type { GridCell, GridTable } from './table.ts';

/** Of a field that has no column. */
export const DEFAULTS = {
  experiment_number: 1,
  dataset: 'default',
  method: 'default',
  subject: null,
  cl_info: null,
  seed: null,
} as const satisfies RunKey;

/** By the name of a column; runfold has other names for two of them everywhere. */
export const FIELDS: ReadonlyMap<string, keyof RunKey> = new Map<string, keyof RunKey>([
  ['experiment_number', 'experiment_number'],
  ['exp', 'experiment_number'],
  ['dataset', 'dataset'],
  ['method', 'method'],
  ['subject', 'subject'],
  ['cl_info', 'cl_info'],
  ['variant', 'cl_info'],
  ['seed', 'seed'],
]);
const NUMBERS: ReadonlySet<keyof RunKey> = new Set<keyof RunKey>(['experiment_number', 'seed']);
const MAY_BE_ABSENT: ReadonlySet<keyof RunKey> = new Set<keyof RunKey>(['subject', 'cl_info', 'seed']);

/**
 * For each column its field of the key, or undefined: a parameter.
 *
 * @throws RunfoldError `usage` if two are one, or one is misspelt
 */
export function fieldsOf({ columns }: GridTable, file: string): (keyof RunKey | undefined)[] {
  const seen = new Map<string, string>();
  return columns.map((column) => {
    const field = FIELDS.get(column);
    const spelt = column.toLowerCase().replaceAll(/[-\s]/g, '_');
    if (field === undefined && FIELDS.has(spelt)) {
      throw gridError({ file, column }, 'a field of the key is not spelt like that', `Name it ${spelt}.`);
    }
    const before = seen.get(field ?? column);
    if (before !== undefined) {
      const what = before === column ? 'there are two of it' : `it is the same as column ${quoted(before)}`;
      throw gridError({ file, column }, what, 'Rename or remove one of them.');
    }
    seen.set(field ?? column, column);
    return field;
  });
}

/** Puts a cell into the options of a run. */
export function setField(
  options: RunOptions,
  field: keyof RunKey,
  given: GridCell | null,
  where: { file: string; place: string; column: string },
): void {
  if (given === null) {
    if (MAY_BE_ABSENT.has(field)) return;
    throw gridError(where, 'it has no value', 'Give it one, or remove the column from the file.');
  }
  if (NUMBERS.has(field)) {
    const number = Number(given.text);
    if (!/^-?\d+$/.test(given.text) || !Number.isSafeInteger(number)) {
      const near = Number.isSafeInteger(number) ? ` Write ${number + 0}.` : '';
      throw gridError(
        where,
        `${quoted(given.text)} is no whole number`,
        `A ${field} is one, such as 3.${near}`,
      );
    }
    if (field === 'seed') options.seed = number + 0;
    else options.experiment_number = number + 0;
  } else if (field === 'cl_info') options.clInfo = given.text;
  else if (field === 'subject') options.subject = given.text;
  else if (field === 'dataset') options.dataset = given.text;
  else if (field === 'method') options.method = given.text;
}
