// The words of a command for one row of a grid.
import { RunfoldError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { GridRow } from './grid.ts';

/** What a column may be called, in braces that are not the shell's `${…}`. */
const NAMED = /(?<!\$)\{([A-Za-z_][\w.-]*)\}/g;

/**
 * `{column}` in a word is replaced by the row's value, by nothing if it has none. Where no word has such a place,
 * `--column value` is appended for each column, in order, those without a value left out. Braces around what is no
 * column stay.
 *
 * @throws RunfoldError `usage` if they are around what is almost a column: the command would get it as it stands
 */
export function commandWords(words: readonly string[], { values }: Pick<GridRow, 'values'>): string[] {
  const texts = new Map(values);
  for (const word of words) refuseMisspelt(word, values);
  let isPlaced = false;
  const placed = words.map((word) =>
    word.replace(/\{([^{}]*)\}/g, (whole, column: string) => {
      if (!texts.has(column)) return whole;
      isPlaced = true;
      return texts.get(column) ?? '';
    }),
  );
  if (isPlaced) return placed;
  const appended = values.flatMap(([column, text]) =>
    text === null || text === '' ? [] : [`--${column}`, text],
  );
  return [...words, ...appended];
}

function refuseMisspelt(word: string, values: GridRow['values']): void {
  const columns = values.map(([column]) => column);
  for (const [whole, name = ''] of word.matchAll(NAMED)) {
    if (columns.includes(name)) continue;
    const near = nearest(name, columns);
    if (near === undefined) continue;
    throw new RunfoldError('usage', `the grid has no column for ${whole}`, {
      hint: `Did you mean {${near}}? If it is meant for the command, put the command into a script.`,
    });
  }
}
