// A field -> SQL that is made of fixed pieces alone, over `FROM_RUNS`; names of a path are bound.
import sql, { raw, type Sql } from 'sql-template-tag';
import type { Field } from './field.ts';
import { parseObject, parseStrings } from './json.ts';

/**
 * `r` has the columns of a run, `s` those of its results, all NULL if it has none. Runs are read in the order of their
 * ids, as results are: by another index SQLite would look each run up by itself.
 */
export const FROM_RUNS: Sql = raw(
  `experiment_runs r INDEXED BY sqlite_autoindex_experiment_runs_1
   LEFT JOIN run_results s ON s.run_id = r.run_id`,
);

/**
 * `r` alone, where nothing is asked of a run but what `experiment_runs_newest` has. Without results, since to count runs
 * SQLite would look each of them up.
 */
export const FROM_LISTED_RUNS: Sql = raw('experiment_runs r');

const PREFIX = { runs: 'r', results: 's' } as const;
const DAY_SECONDS = 86_400;

/** Column names come from our own tables, never from outside. */
function columnSql(table: 'runs' | 'results', column: string): Sql {
  return raw(`${PREFIX[table]}.${column}`);
}

/** What a field is compared and sorted by: NULL where there is no value, JSON texts and numbers as such. */
export function valueSql(field: Field): Sql {
  switch (field.kind) {
    case 'column':
      return columnSql(field.table, field.column);
    case 'duration':
      // to the millisecond that the times have
      return sql`round((julianday(r.finished_at) - julianday(r.started_at)) * ${DAY_SECONDS}, 3)`;
    case 'json':
      return jsonSql(field, 'value');
  }
}

/** SQLite's word for the type of the JSON value: `integer`, `real`, `text`, `true` …; NULL where there is none. */
export function jsonTypeSql(field: Extract<Field, { kind: 'json' }>): Sql {
  return jsonSql(field, 'type');
}

/** As `valueSql`, but JSON values as JSON text, for `readValue`. */
export function selectedSql(field: Field): Sql {
  return field.kind === 'json' ? jsonSql(field, 'json') : valueSql(field);
}

/** What `selectedSql` gave, as TypeScript has it; undefined is never among it. */
export function readValue(field: Field, value: string | number | null): unknown {
  if (value === null || field.kind === 'duration') return value;
  if (field.kind === 'json') return JSON.parse(String(value)) as unknown;
  switch (field.type) {
    case 'boolean':
      return value === 1;
    case 'strings':
      return parseStrings(String(value));
    case 'object':
      return parseObject(String(value));
    case 'number':
    case 'text':
      return value;
  }
}

function jsonSql(
  { table, column, path }: Extract<Field, { kind: 'json' }>,
  what: 'value' | 'type' | 'json',
): Sql {
  const from = columnSql(table, column);
  // a JSON path has no way to write a quotation mark, a backslash or a NUL in a name
  if (path.some((name) => /["\\\0]/.test(name))) return stepwiseSql(from, path, what);
  const place = `$${path.map((name) => `."${name}"`).join('')}`;
  switch (what) {
    case 'value':
      return sql`json_extract(${from}, ${place})`;
    case 'type':
      return sql`json_type(${from}, ${place})`;
    case 'json':
      return sql`(${from} -> ${place})`;
  }
}

/** Name by name, each looked up among the entries of the object before. */
function stepwiseSql(from: Sql, path: readonly string[], what: 'value' | 'type' | 'json'): Sql {
  let object = from;
  for (const name of path.slice(0, -1)) {
    object = sql`(SELECT value FROM json_each(${object}) WHERE key = ${name} AND type = 'object')`;
  }
  const last = path.at(-1) ?? '';
  const column = {
    value: raw('value'),
    type: raw('type'),
    json: sql`CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
      WHEN 'object' THEN value WHEN 'array' THEN value ELSE json_quote(value) END`,
  }[what];
  return sql`(SELECT ${column} FROM json_each(${object}) WHERE key = ${last})`;
}
