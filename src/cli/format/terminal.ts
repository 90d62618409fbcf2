// Columns of text, for people at a terminal.
//
// Not by cli-table3: it measures text with a table of Unicode of 2020, so that rows with later emoji or Indic marks
// are out of line, and its time grows with the square of the rows.
import picocolors from 'picocolors';
import stringWidth from 'string-width';
import { printSafe } from '../print-safe.ts';
import { alignments, labelOf, textOf, type Cell, type Emphasis, type Table } from './table.ts';

const GAP = '  ';
const ELLIPSIS = '…';
const MISSING = '-';
/** To how many columns of the terminal a column may be cut. */
const FLOOR = 6;

interface Piece {
  /** Safe to print, without colours. */
  text: string;
  width: number;
  emphasis: Emphasis | 'heading' | undefined;
}

export interface TerminalOptions {
  width: number | undefined;
  isColoured: boolean;
}

/**
 * A heading and a line for each row. Where they are wider than `width`, the columns that may be cut are, the widest
 * first; what does not fit even so is wider.
 */
export function terminal(table: Table, { width, isColoured }: TerminalOptions): string {
  const lines = [table.columns.map((column) => piece(labelOf(column), 'heading'))];
  for (const row of table.rows) lines.push(table.columns.map((_, index) => cellPiece(row[index])));
  const widths = fit(widthsOf(lines, table.columns.length), table, width);
  const sides = alignments(table);
  const paint = painter(isColoured);
  const text = lines.map((pieces) => {
    const padded = pieces.map((whole, index) => {
      const room = widths[index] ?? 0;
      const shown = whole.width > room ? cut(whole, room) : whole;
      const padding = ' '.repeat(Math.max(0, room - shown.width));
      const painted = paint(shown);
      return sides[index] === 'right' ? padding + painted : painted + padding;
    });
    return padded.join(GAP).trimEnd();
  });
  const notes = (table.notes ?? []).map((note) => paint(piece(note, 'dim')));
  return [...text, ...(notes.length > 0 ? ['', ...notes] : [])].map((line) => `${line}\n`).join('');
}

function cellPiece(cell: Cell | undefined): Piece {
  const text = cell === undefined ? undefined : textOf(cell);
  return text === undefined ? piece(MISSING, 'dim') : piece(text, cell?.emphasis);
}

function piece(text: string, emphasis: Piece['emphasis']): Piece {
  // spaces at its end would be spaces at the end of a line
  const safe = printSafe(text).trimEnd();
  return { text: safe, width: stringWidth(safe), emphasis };
}

function widthsOf(lines: readonly (readonly Piece[])[], columns: number): number[] {
  const widths = Array.from({ length: columns }, () => 0);
  for (const pieces of lines)
    for (const [index, { width }] of pieces.entries()) widths[index] = Math.max(widths[index] ?? 0, width);
  return widths;
}

/** The widest cap for the columns that may be cut with which the line fits, or else the floor. */
function fit(widths: readonly number[], { columns }: Table, room: number | undefined): readonly number[] {
  if (room === undefined) return widths;
  const capped = (cap: number): number[] =>
    widths.map((width, index) => (columns[index]?.shrink === 'cut' ? Math.min(width, cap) : width));
  if (total(widths) <= room) return widths;
  for (let cap = room; cap > FLOOR; cap -= 1) if (total(capped(cap)) <= room) return capped(cap);
  return capped(FLOOR);
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, GAP.length * Math.max(0, widths.length - 1));
}

const graphemes = new Intl.Segmenter();

function cut({ text, emphasis }: Piece, room: number): Piece {
  let kept = '';
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    const next = width + stringWidth(segment);
    if (next > room - 1) break;
    kept += segment;
    width = next;
  }
  return { text: kept + ELLIPSIS, width: width + 1, emphasis };
}

function painter(isColoured: boolean): (piece: Piece) => string {
  const colours = picocolors.createColors(isColoured);
  const paints = {
    heading: colours.bold,
    best: colours.bold,
    second: colours.underline,
    good: colours.green,
    bad: colours.red,
    warn: colours.yellow,
    dim: colours.dim,
  } as const;
  return ({ text, emphasis }) => (emphasis === undefined || text === '' ? text : paints[emphasis](text));
}
