// The tables that the law is about, row by row in the order of their keys.
import type { Db } from '../db/open.ts';
import { PRIMARY_KEYS, type PublicTable } from '../db/schema.ts';

export type TableRow = Record<string, string | number | null>;

export function* rowsOf(db: Db, table: PublicTable): Generator<TableRow> {
  const order = PRIMARY_KEYS[table].join(', ');
  for (const row of db.prepare(`SELECT * FROM ${table} ORDER BY ${order}`).iterate()) yield row as TableRow;
}
