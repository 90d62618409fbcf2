// What stands in one place of a table in a terminal: its text, how wide it is, and how it may be made narrower.
import stringWidth from 'string-width';
import { cutText } from '../cut-text.ts';
import { printSafe } from '../print-safe.ts';
import { numberWithin, shortNumber } from '../value-text.ts';
import { textOf, type Cell, type Emphasis } from './table.ts';

const MISSING = '-';
/** A text is not cut to fewer columns of the terminal than this; it is as many as a run id has in a table. */
const FLOOR = 8;
/** A part of a number, a date or `(12/120)` reads as another. Those that are longer are not figures. */
const FIGURES = /^(?=.*\d)[ -@[-`{-~±†]{1,24}$/;
const NOT_FINITE = /^(?:NaN|-?Infinity)$/;

export interface Piece {
  /** Safe to print, without colours. */
  text: string;
  width: number;
  emphasis: Emphasis | 'heading' | undefined;
  /** A number; it is shown as numbers usually are, and may be rounded, or as the text says, and stays. */
  number?: { value: number; isPlain: boolean };
}

export function cellPiece(cell: Cell | undefined): Piece {
  const text = cell === undefined ? undefined : textOf(cell);
  if (cell === undefined || text === undefined) return piece(MISSING, 'dim');
  const { value, emphasis } = cell;
  const plain = piece(text, emphasis);
  if (typeof value !== 'number') return plain;
  return { ...plain, number: { value, isPlain: text === String(value) || text === shortNumber(value) } };
}

export function piece(text: string, emphasis: Piece['emphasis']): Piece {
  // spaces at its end would be spaces at the end of a line
  const safe = printSafe(text).trimEnd();
  return { text: safe, width: stringWidth(safe), emphasis };
}

/** The fewest columns of the terminal in which it can be read as what it is. */
export function leastWidth({ text, width, number }: Piece): number {
  if (number !== undefined)
    return number.isPlain ? Math.min(width, numberWithin(number.value, 0).length) : width;
  return FIGURES.test(text) || NOT_FINITE.test(text) ? width : Math.min(width, FLOOR);
}

/** The same in `room` columns, which are at least its least width. */
export function within(whole: Piece, room: number): Piece {
  if (whole.width <= room) return whole;
  const { number } = whole;
  const text = number === undefined ? cutText(whole.text, room) : numberWithin(number.value, room);
  return { ...whole, text, width: stringWidth(text) };
}
