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
  others: string | number | null,
  /** For `readValue`. */
  row: string | number | null,
  column: string | number | null,
  /** What `sourceOf` says, for the first and the second meaning of the metric. */
  first: number | null,
  second?: number | null,
  /** Not NULL: the run has the metric that the place is chosen by; or there is none. */
  chooser?: unknown,
];

const KEY_FIELDS: readonly (keyof RunKey)[] = [
  'experiment_number',
  'dataset',
  'method',
  'subject',
  'cl_info',
];

/** What is read at once: to hold all runs costs as much as to read them, and so does to ask for each. */
const PAGE_RUNS = 1000;

/**
 * Some at a time; the caller holds a transaction.
 *
 * @throws RunfoldError `invalid_key` or `usage` for a filter that makes no sense.
 */
export function* scanRuns(db: Db, question: Question): Generator<readonly ScannedRun[]> {
  const { meanings, place, rows, columns, filter, status } = question;
  const [first, second] = meanings.map((meaning) => sourceOf(meaning, place).value);
  const chooser = typeof place === 'object' && 'bestOf' in place ? presenceSql(place.bestOf) : undefined;
  const selected = [
    raw('r.run_id, r.seed'),
    filterSql({ status, includeHidden: true }),
    othersSql(othersOf(question)),
    selectedSql(rows.field),
    selectedSql(columns.field),
    first ?? raw('NULL'),
    ...(second === undefined && chooser === undefined ? [] : [second ?? raw('NULL')]),
    ...(chooser === undefined ? [] : [chooser]),
  ];
  // what is bound last is where the page begins
  const { sql: text, values } = sql`SELECT ${join(selected)} FROM ${FROM_RUNS}
    WHERE ${filterSql(filter)} AND r.run_id > ${''} ORDER BY r.run_id LIMIT ${raw(String(PAGE_RUNS))}`;
  const page = db.prepare<unknown[], ScannedRun>(text).raw();
  let bound = values;
  for (;;) {
    const runs = page.all(...bound);
    yield runs;
    const last = runs.at(-1);
    if (last === undefined || runs.length < PAGE_RUNS) return;
    bound = [...values.slice(0, -1), last[0]];
  }
}

/** The columns of `OtherKey`, in the order of the key. */
export function othersOf({ rows, columns }: Pick<Question, 'rows' | 'columns'>): (keyof RunKey)[] {
  return KEY_FIELDS.filter((name) => !isColumn(rows.field, name) && !isColumn(columns.field, name));
}

export function isColumn(field: Field, name: keyof RunKey): boolean {
  return field.kind === 'column' && field.table === 'runs' && field.column === name;
}

/** One value for them all, and mostly a number: each by itself, or a text, costs as much as all the rest. */
function othersSql(names: readonly (keyof RunKey)[]): Sql {
  if (names.length === 0) return raw('NULL');
  const columns = names.map((name) => raw(`r.${name}`));
  const array = sql`json_array(${join(columns)})`;
  const nullable = names.filter((name) => name === 'subject' || name === 'cl_info');
  if (names.length !== nullable.length + 1 || names[0] !== 'experiment_number') return array;
  const areNull = [raw('1'), ...nullable.map((name) => raw(`r.${name} IS NULL`))];
  return sql`CASE WHEN ${join(areNull, ' AND ')} THEN r.experiment_number ELSE ${array} END`;
}

export function readOthers(names: readonly (keyof RunKey)[], others: ScannedRun[3]): OtherKey {
  const values = typeof others === 'string' ? (JSON.parse(others) as (string | number | null)[]) : [others];
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? null]));
}
