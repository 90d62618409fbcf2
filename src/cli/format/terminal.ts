// Columns of text, for people at a terminal.
//
// Not by cli-table3: it measures text with a table of Unicode of 2020, so that rows with later emoji or Indic marks
// are out of line, and its time grows with the square of the rows.
import picocolors from 'picocolors';
import { wrapText } from '../cut-text.ts';
import { piece, within, type Piece } from './pieces.ts';
import { alignments, type Table } from './table.ts';
import { blocksOf, GAP, piecesOf, type Block } from './widths.ts';

export interface TerminalOptions {
  width: number | undefined;
  isColoured: boolean;
}

/**
 * A heading and a line for each row. Where they are wider than `width`, the columns that may be cut are, the widest
 * first; what has no room even so is below, in blocks that begin with the first column.
 */
export function terminal(table: Table, { width, isColoured }: TerminalOptions): string {
  const lines = piecesOf(table);
  const sides = alignments(table);
  const paint = painter(isColoured);
  const lineOf = (pieces: readonly Piece[], { columns, widths }: Block): string => {
    const padded = columns.map((column, place) => {
      const room = widths[place] ?? 0;
      const shown = within(pieces[column] ?? piece('', undefined), room);
      const padding = ' '.repeat(Math.max(0, room - shown.width));
      const painted = paint(shown);
      return sides[column] === 'right' ? padding + painted : painted + padding;
    });
    return padded.join(GAP).trimEnd();
  };
  const parts = blocksOf(lines, table, width).map((block) => lines.map((pieces) => lineOf(pieces, block)));
  const notes = (table.notes ?? []).flatMap((note) => {
    const { text } = piece(note, 'dim');
    return (width === undefined ? [text] : wrapText(text, width)).map((line) => paint(piece(line, 'dim')));
  });
  return [...parts, ...(notes.length > 0 ? [notes] : [])]
    .map((part) => part.map((line) => `${line}\n`).join(''))
    .join('\n');
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
