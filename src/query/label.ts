// The values of a field as labels of rows and columns.

/** null: the run has no value there. */
export type Label = string | number | boolean | null;

/** A value of a field; an object or an array as its JSON text. */
export function labelOf(value: unknown): Label {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  return typeof value === 'boolean' ? value : JSON.stringify(value);
}

/** The same for labels that are the same: the number 1 and the text "1" are not. */
export function labelKey(label: Label): string {
  return JSON.stringify(label);
}

const KINDS = ['number', 'string', 'boolean', 'object'];
const NATURAL = new Intl.Collator('en', { numeric: true });

/** Numbers by their size, then texts with the numbers in them by size (`run9` before `run10`), null last. */
export function compareLabels(a: Label, b: Label): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') {
    return NATURAL.compare(a, b) || (a < b ? -1 : Number(a > b));
  }
  return KINDS.indexOf(typeof a) - KINDS.indexOf(typeof b) || Number(a) - Number(b);
}
