// What a reading command answers with, as a value; how it looks is up to the formats.
import { notFiniteByName } from '../print-safe.ts';

export const FORMATS = ['table', 'csv', 'ndjson', 'markdown', 'latex', 'json'] as const;
export type Format = (typeof FORMATS)[number];

export type CellValue = string | number | boolean | null | object;

/**
 * `best` is bold and `second` underlined wherever the format can say so; the others are colours of the terminal,
 * and in no other format.
 */
export type Emphasis = 'best' | 'second' | 'good' | 'bad' | 'warn' | 'dim';

export interface Cell {
  /** The raw value, which JSON, NDJSON and CSV get. null is a missing one. */
  value: CellValue;
  /** What people read (table, Markdown, LaTeX); made from the value if absent. Plain text: no codes, no markup. */
  text?: string;
  emphasis?: Emphasis;
}

export interface Column {
  /** The key in JSON, the heading in CSV. Unique within the table. */
  name: string;
  /** The heading for people; the name if absent. */
  label?: string;
  /** If absent, columns of numbers are on the right and all others on the left. */
  align?: 'left' | 'right';
  /** `cut`: where the terminal is too narrow, texts may be cut and numbers rounded. If absent, `never`. */
  shrink?: 'never' | 'cut';
  /** Where the terminal is too narrow the column may be left out: the greatest goes first. If absent, it stays. */
  leaveOut?: number;
}

/** Each row has as many cells as there are columns. */
export interface Table {
  columns: readonly Column[];
  rows: readonly (readonly Cell[])[];
  /** Lines below the table for people: a legend and the like. In the formats for programs there are none. */
  notes?: readonly string[];
  /** Further columns, by their names, that people are not shown. */
  leftOut?: readonly string[];
  /** The option by which people say which columns they want. */
  chosenBy?: '--select' | '--name';
}

export function cell(value: CellValue, text?: string, emphasis?: Emphasis): Cell {
  return { value, ...(text !== undefined && { text }), ...(emphasis !== undefined && { emphasis }) };
}

/** A value that is not there. */
export function missing(): Cell {
  return { value: null };
}

/** What people read, or undefined for a missing cell, which each format shows in its own way. */
export function textOf({ value, text }: Cell): string | undefined {
  if (text !== undefined) return text;
  if (value === null) return undefined;
  return typeof value === 'object' ? JSON.stringify(value, notFiniteByName) : String(value);
}

export function labelOf({ name, label }: Column): string {
  return label ?? name;
}

/** For each column, on which side its cells are. */
export function alignments({ columns, rows }: Table): ('left' | 'right')[] {
  return columns.map(({ align }, index) => {
    if (align !== undefined) return align;
    const values = rows.map((row) => row[index]?.value ?? null).filter((value) => value !== null);
    return values.length > 0 && values.every(isNumber) ? 'right' : 'left';
  });
}

const NOT_FINITE: ReadonlySet<unknown> = new Set(['NaN', 'Infinity', '-Infinity']);

/** Metrics that are not finite are strings everywhere in runfold, and stand among numbers. */
function isNumber(value: CellValue): boolean {
  return typeof value === 'number' || NOT_FINITE.has(value);
}
