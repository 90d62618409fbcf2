// All runs of a leaderboard, by one scan.
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../db/open.ts';
import type { RunKey } from '../events/run-id.ts';
import { FROM_RUNS, selectedSql } from './field-sql.ts';
import type { Field } from './field.ts';
import { presenceSql, sourceOf } from './leaderboard-metric.ts';
import type { Question } from './leaderboard-options.ts';
import { filterSql } from './run-filter.ts';

/** The key columns that are neither the row, nor the column, nor the seed, with the values of some run. */
export type OtherKey = Readonly<Partial<Record<keyof RunKey, string | number | null>>>;

/** One run as SQLite gives it: an array, since there may be very many. */
export type ScannedRun = readonly [
  runId: string,
  seed: number | null,
  /** Whether it has a status that counts. */
  counts: 0 | 1,
  /** For `readOthers`. */
  others: string | null,
  /** For `readValue`. */
  row: unknown,
  column: unknown,
  /** Not NULL: the run has the metric that the place is chosen by, or there is none. */
  chooser: unknown,
  /** What `sourceOf` says, for the first and the second meaning of the metric. */
  first: number | null,
  second?: number | null,
];

const KEY_FIELDS: readonly (keyof RunKey)[] = [
  'experiment_number',
  'dataset',
  'method',
  'subject',
  'cl_info',
];

/** @throws RunfoldError `invalid_key` or `usage` for a filter that makes no sense. */
export function scanRuns(db: Db, question: Question): ScannedRun[] {
  const { meanings, place, rows, columns, filter, status } = question;
  const chooser = typeof place === 'object' && 'bestOf' in place ? presenceSql(place.bestOf) : sql`0`;
  const selected = [
    raw('r.run_id, r.seed'),
    filterSql({ status, includeHidden: true }),
    othersSql(othersOf(question)),
    selectedSql(rows.field),
    selectedSql(columns.field),
    chooser,
    ...meanings.map((meaning) => sourceOf(meaning, place).value),
  ];
  const { sql: text, values } = sql`SELECT ${join(selected)} FROM ${FROM_RUNS} WHERE ${filterSql(filter)}`;
  return db
    .prepare<unknown[], ScannedRun>(text)
    .raw()
    .all(...values);
}

/** The columns of `OtherKey`, in the order of the key. */
export function othersOf({ rows, columns }: Pick<Question, 'rows' | 'columns'>): (keyof RunKey)[] {
  return KEY_FIELDS.filter((name) => !isColumn(rows.field, name) && !isColumn(columns.field, name));
}

export function isColumn(field: Field, name: keyof RunKey): boolean {
  return field.kind === 'column' && field.table === 'runs' && field.column === name;
}

/** One value for them all, since each of them costs as much as the number itself. */
function othersSql(names: readonly (keyof RunKey)[]): Sql {
  return names.length === 0 ? sql`NULL` : sql`json_array(${join(names.map((name) => raw(`r.${name}`)))})`;
}

export function readOthers(names: readonly (keyof RunKey)[], others: string | null): OtherKey {
  const values = others === null ? [] : (JSON.parse(others) as (string | number | null)[]);
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? null]));
}
