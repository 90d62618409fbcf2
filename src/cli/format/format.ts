// One table, in the format that was asked for.
import type { Table } from './table.ts';

export const FORMATS = ['table', 'json', 'csv', 'ndjson', 'markdown', 'latex'] as const;
export type Format = (typeof FORMATS)[number];

export interface FormatOptions {
  /** Columns of the terminal; undefined if there is none, and nothing is cut then. */
  width: number | undefined;
  isColoured: boolean;
  /** The command line, which LaTeX has in a comment. */
  command?: string;
}

/** The table as text that ends with `\n`. */
export function printTable(table: Table, format: Format, options: FormatOptions): string {
  void options;
  return `${format} ${table.rows.length}\n`;
}
