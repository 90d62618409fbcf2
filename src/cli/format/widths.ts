// How a table is made to fit a terminal. First whole columns are left out, as far as they may be; then texts are cut
// and numbers rounded; what has no room in a line even so goes below.
import { cellPiece, leastWidth, piece, type Piece } from './pieces.ts';
import { labelOf, type Table } from './table.ts';

export const GAP = '  ';
/** Rather than cut texts to less, columns are left out, or go below. */
const READABLE = 16;

/** Of each column of the table, in columns of the terminal. */
interface Sizes {
  natural: readonly number[];
  least: readonly number[];
}

/** The table without the columns that it may do without and that have no room beside the others. */
export function narrowed(table: Table, room: number): Table {
  const { columns, rows } = table;
  const expendable = [...columns.entries()]
    .filter(([, { leaveOut }]) => leaveOut !== undefined)
    .toSorted(([a, { leaveOut: first = 0 }], [b, { leaveOut: second = 0 }]) => second - first || b - a);
  if (expendable.length === 0) return table;
  const wanted = readable(sizesOf(piecesOf(table), table, room));
  const out = new Set<number>();
  for (const [index] of expendable) {
    if (total(wanted.filter((_, other) => !out.has(other))) <= room) break;
    out.add(index);
  }
  const isKept = (_: unknown, index: number): boolean => !out.has(index);
  const names = columns.filter((_, index) => out.has(index)).map(({ name }) => name);
  return {
    ...table,
    columns: columns.filter(isKept),
    rows: rows.map((row) => row.filter(isKept)),
    leftOut: [...names, ...(table.leftOut ?? [])],
  };
}

export interface Block {
  /** Which columns of the table, and how wide. */
  columns: readonly number[];
  widths: readonly number[];
}

/**
 * The table in one block, or where not even the least widths have room in a line in several, one below the other: each
 * has the first column and then as many of the others as fit. A block of two columns may be wider than the room.
 */
export function blocksOf(
  lines: readonly (readonly Piece[])[],
  table: Table,
  room: number | undefined,
): Block[] {
  const sizes = sizesOf(lines, table, room);
  return partsOf(sizes, room).map((columns) => {
    const pick = (widths: readonly number[]): number[] => columns.map((index) => widths[index] ?? 0);
    return { columns, widths: fit({ natural: pick(sizes.natural), least: pick(sizes.least) }, room) };
  });
}

/** The heading, then the rows. */
export function piecesOf({ columns, rows }: Table): Piece[][] {
  return [
    columns.map((column) => piece(labelOf(column), 'heading')),
    ...rows.map((row) => columns.map((_, index) => cellPiece(row[index]))),
  ];
}

function sizesOf(lines: readonly (readonly Piece[])[], { columns }: Table, room: number | undefined): Sizes {
  const widest = (widthOf: (piece: Piece, index: number) => number): number[] => {
    const widths = columns.map(() => 0);
    for (const pieces of lines)
      for (const [index, each] of pieces.entries())
        widths[index] = Math.max(widths[index] ?? 0, widthOf(each, index));
    return widths;
  };
  const natural = widest(({ width }) => width);
  if (room === undefined || total(natural) <= room) return { natural, least: natural };
  const mayShrink = columns.map(({ shrink }) => shrink === 'cut');
  return {
    natural,
    least: widest((each, index) => (mayShrink[index] === true ? leastWidth(each) : each.width)),
  };
}

function readable({ natural, least }: Sizes): number[] {
  return capped({ natural, least }, READABLE);
}

function partsOf(sizes: Sizes, room: number | undefined): number[][] {
  const [first = 0, ...others] = sizes.natural.keys();
  if (room === undefined || others.length === 0 || total(sizes.least) <= room)
    return [[...sizes.natural.keys()]];
  const wanted = readable(sizes);
  const parts: number[][] = [];
  for (const index of others) {
    const longer = [...(parts.at(-1) ?? []), index];
    if (longer.length > 1 && total(longer.map((each) => wanted[each] ?? 0)) <= room)
      parts.splice(-1, 1, longer);
    else parts.push([first, index]);
  }
  return parts;
}

/** The widest cap with which the line fits, or else the least widths. */
function fit(sizes: Sizes, room: number | undefined): readonly number[] {
  if (room === undefined || total(sizes.natural) <= room) return sizes.natural;
  for (let cap = room; cap > 0; cap -= 1) {
    const widths = capped(sizes, cap);
    if (total(widths) <= room) return widths;
  }
  return sizes.least;
}

function capped({ natural, least }: Sizes, cap: number): number[] {
  return natural.map((width, index) => Math.min(width, Math.max(cap, least[index] ?? 0)));
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, GAP.length * Math.max(0, widths.length - 1));
}
