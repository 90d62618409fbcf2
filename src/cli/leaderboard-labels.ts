// Other names for the rows and columns of a leaderboard, and another order.
import { RunfoldError } from '../errors.ts';
import { shown } from '../query/arguments.ts';
import type { Label } from '../query/label.ts';
import type { Leaderboard } from '../query/leaderboard.ts';

export interface LabelOptions {
  /** `label=NEW`. */
  rename?: readonly string[] | undefined;
  /** Labels, old or new, that come first; several may be joined by commas. */
  order?: readonly string[] | undefined;
}

/** A label as people read and type it. */
export function labelText(label: Label): string {
  return label === null ? '-' : String(label);
}

/** @throws RunfoldError `usage` for a label that is not there, or two that would be the same. */
export function relabelled(board: Leaderboard, { rename = [], order = [] }: LabelOptions): Leaderboard {
  const known = new Set([...board.rows, ...board.columns].map(labelText));
  const names = new Map(rename.map((text) => parseRename(text, known)));
  const wanted = order.flatMap((text) => parseOrder(text, new Set([...known, ...names.values()])));
  const [rows, columns] = [board.rows, board.columns].map((labels) => renamed(labels, names));
  if (rows === undefined || columns === undefined) return board;
  const rowOrder = orderOf(board.rows, rows, wanted);
  const columnOrder = orderOf(board.columns, columns, wanted);
  return {
    ...board,
    rows: rowOrder.map((index) => rows[index] ?? null),
    columns: columnOrder.map((index) => columns[index] ?? null),
    cells: rowOrder.map((row) => columnOrder.map((column) => board.cells[row]?.[column] ?? null)),
  };
}

/** A label may have a `=` in it. */
function parseRename(text: string, known: ReadonlySet<string>): [label: string, name: string] {
  const label = [...known].filter((each) => text.startsWith(`${each}=`)).toSorted(byLength)[0];
  if (label !== undefined) return [label, text.slice(label.length + 1)];
  if (text.includes('=')) throw noLabel(text.slice(0, text.indexOf('=')), known);
  throw new RunfoldError('usage', `${shown(text)} does not say what to rename, and how`, {
    hint: 'Write label=NEW.',
  });
}

/** A label may have a comma in it. */
function parseOrder(text: string, known: ReadonlySet<string>): string[] {
  const labels = known.has(text) ? [text] : text.split(',').map((label) => label.trim());
  for (const label of labels) if (!known.has(label)) throw noLabel(label, known);
  return labels;
}

function byLength(a: string, b: string): number {
  return b.length - a.length;
}

function noLabel(label: string, known: ReadonlySet<string>): RunfoldError {
  return new RunfoldError('usage', `no row or column is called ${shown(label)}`, {
    hint: `There are: ${[...known].map(shown).join(', ')}.`,
  });
}

function renamed(labels: readonly Label[], names: ReadonlyMap<string, string>): Label[] {
  const result = labels.map((label) => names.get(labelText(label)) ?? label);
  for (const name of names.values()) {
    if (result.filter((label) => labelText(label) === name).length > 1) {
      throw new RunfoldError('usage', `two rows or two columns would be called ${shown(name)}`);
    }
  }
  return result;
}

/** The positions of those that come first, then of the others. */
function orderOf(before: readonly Label[], after: readonly Label[], wanted: readonly string[]): number[] {
  const place = (index: number): number => {
    const [old, now] = [before, after].map((labels) => labelText(labels[index] ?? null));
    const found = wanted.findIndex((label) => label === now || label === old);
    return found === -1 ? wanted.length : found;
  };
  return [...before.keys()].toSorted((a, b) => place(a) - place(b));
}
