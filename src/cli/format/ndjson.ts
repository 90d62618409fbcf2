// Rows as objects, one a line, for programs that read a stream.
import { jsonSafe } from '../print-safe.ts';
import { rowObject } from './json.ts';
import type { Table } from './table.ts';

/** What `json` has, one object a line. No rows are no lines. */
export function ndjson({ columns, rows }: Table): string {
  return rows.map((row) => `${jsonSafe(rowObject(columns, row))}\n`).join('');
}
