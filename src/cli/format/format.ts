// One table, in the format that was asked for.
import { csv } from './csv.ts';
import { json } from './json.ts';
import { latex } from './latex.ts';
import { markdown } from './markdown.ts';
import { ndjson } from './ndjson.ts';
import type { Format, Table } from './table.ts';
import { terminal } from './terminal.ts';

export interface FormatOptions {
  /** Columns of the terminal; undefined if there is none, and nothing is cut then. */
  width: number | undefined;
  /** Of `table` alone: the other formats go into files. */
  isColoured: boolean;
  /** The command line, which LaTeX has in a comment. */
  command?: string;
}

/** The table as text that ends with `\n`, save that NDJSON of no rows is empty. */
export function printTable(table: Table, format: Format, options: FormatOptions): string {
  switch (format) {
    case 'table':
      return terminal(table, options);
    case 'json':
      return json(table);
    case 'ndjson':
      return ndjson(table);
    case 'csv':
      return csv(table);
    case 'markdown':
      return markdown(table);
    case 'latex':
      return latex(table, options.command);
  }
}
