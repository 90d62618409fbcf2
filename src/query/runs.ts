// The list of runs.
import sql, { join, type Sql } from 'sql-template-tag';
import type { Db } from '../db/open.ts';
import { wrongArgument } from './arguments.ts';
import { FROM_LISTED_RUNS, FROM_RUNS, readValue, selectedSql, valueSql } from './field-sql.ts';
import { parseField } from './field.ts';
import { filterSql, limitSql, orderSql, type RunFilter, type RunQuery } from './run-filter.ts';
import { runRecord, type RunRecord, type RunRow } from './run-record.ts';

const QUERY_NAMES = ['sort', 'limit', 'offset'];

/**
 * The runs that match; hidden ones only if asked for. A run of which only metrics or errors have arrived, but no
 * `run_created`, is not among them.
 *
 * @throws RunfoldError `invalid_key` or `usage` if the query makes no sense.
 */
export function getAllRuns(db: Db, query: RunQuery = {}): RunRecord[] {
  const { sql: text, values } = sql`SELECT r.* ${rest(query)}`;
  return db
    .prepare<unknown[], RunRow>(text)
    .all(...values)
    .map(runRecord);
}

/**
 * The named fields of the runs that match, one array a run in the order of `fields`. A field is a column of a run or of
 * its results, `config.NAME`, `results.NAME`, `final.METRIC`, `best.METRIC`, `min.METRIC`, `max.METRIC`, or
 * `duration_seconds`; where a run has no value there is null.
 *
 * @throws RunfoldError `invalid_key` or `usage` if the query makes no sense.
 */
export function selectRuns(db: Db, fields: readonly string[], query: RunQuery = {}): unknown[][] {
  if (!Array.isArray(fields) || fields.length === 0) {
    throw wrongArgument('fields', 'an array of at least one field', fields);
  }
  const parsed = fields.map((field: string) => parseField(field));
  const { sql: text, values } = sql`SELECT ${join(parsed.map(selectedSql))} ${rest(query)}`;
  return db
    .prepare<unknown[], (string | number | null)[]>(text)
    .raw()
    .all(...values)
    .map((row) => row.map((value, index) => readField(parsed[index], value)));
}

function readField(field: ReturnType<typeof parseField> | undefined, value: string | number | null): unknown {
  return field === undefined ? value : readValue(field, value);
}

/** How many runs match. */
export function countRuns(db: Db, filter: RunFilter = {}): number {
  const { sql: text, values } = sql`SELECT count(*) FROM ${fromFor(filter)} WHERE ${filterSql(filter)}`;
  return Number(
    db
      .prepare(text)
      .pluck()
      .get(...values),
  );
}

function rest(query: RunQuery): Sql {
  const where = filterSql(query, QUERY_NAMES);
  const order = orderSql(query.sort, (field) => valueSql(parseField(field)));
  const limit = limitSql(query);
  if (query.limit === undefined)
    return sql`FROM ${FROM_RUNS} WHERE ${where} ORDER BY ${order} LIMIT ${limit}`;
  // the page first: else SQLite would carry all columns of all runs through the sort
  return sql`FROM ${FROM_RUNS} WHERE r.run_id IN
    (SELECT r.run_id FROM ${fromFor(query)} WHERE ${where} ORDER BY ${order} LIMIT ${limit}) ORDER BY ${order}`;
}

/** The newest runs of a status or a key are found in an index alone; for what it does not have, all runs are read. */
function fromFor({ where = [], tags = [], hasErrors, sort = [] }: RunQuery): Sql {
  const isListed = where.length === 0 && tags.length === 0 && hasErrors === undefined && sort.length === 0;
  return isListed ? FROM_LISTED_RUNS : FROM_RUNS;
}
