// What the columns of the tables hold: more than the three types that SQLite has for them.
import type { Db } from '../../db/open.ts';
import { PRIMARY_KEYS } from '../../db/schema.ts';
import type { ExportedTable } from './names.ts';

/** `time` is text in UTC with milliseconds, `json` text that is an object or an array. */
export type Kind = 'text' | 'integer' | 'real' | 'boolean' | 'json' | 'time';

export interface ExportColumn {
  name: string;
  kind: Kind;
  isNullable: boolean;
}

/** A row as SQLite gives it, one value a column. */
export type RawRow = readonly (string | number | null)[];

const KINDS: Readonly<Record<string, Kind>> = {
  config: 'json',
  tags: 'json',
  extra: 'json',
  results: 'json',
  nonfinite: 'json',
  hidden: 'boolean',
  git_dirty: 'boolean',
  ts: 'time',
  created_at: 'time',
  submitted_at: 'time',
  started_at: 'time',
  finished_at: 'time',
  ended_at: 'time',
};

const STORED: Readonly<Record<string, Kind>> = { TEXT: 'text', INTEGER: 'integer', REAL: 'real' };

export function columnsOf(db: Db, table: ExportedTable): ExportColumn[] {
  const columns = db.pragma(`table_info(${table})`) as { name: string; type: string; notnull: number }[];
  return columns.map(({ name, type, notnull }) => {
    return { name, kind: KINDS[name] ?? STORED[type] ?? 'text', isNullable: notnull === 0 };
  });
}

/** The rows in the order of the primary key, one at a time. Until the end, `db` can do nothing else. */
export function* rowsOf(db: Db, table: ExportedTable): Generator<RawRow> {
  const order = PRIMARY_KEYS[table].join(', ');
  const rows = db.prepare<[], RawRow>(`SELECT * FROM ${table} ORDER BY ${order}`).raw();
  yield* rows.iterate();
}
