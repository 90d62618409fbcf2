// The words of a command for one row of a grid.
import type { GridRow } from './grid.ts';

/**
 * `{column}` in a word is replaced by the row's value, by nothing if it has none. Where no word has such a place,
 * `--column value` is appended for each column, in order, those without a value left out. Braces around what is no
 * column stay.
 */
export function commandWords(words: readonly string[], { values }: Pick<GridRow, 'values'>): string[] {
  const texts = new Map(values);
  let isPlaced = false;
  const placed = words.map((word) =>
    word.replace(/\{([^{}]*)\}/g, (whole, column: string) => {
      if (!texts.has(column)) return whole;
      isPlaced = true;
      return texts.get(column) ?? '';
    }),
  );
  if (isPlaced) return placed;
  const appended = values.flatMap(([column, text]) => (text === null ? [] : [`--${column}`, text]));
  return [...words, ...appended];
}
