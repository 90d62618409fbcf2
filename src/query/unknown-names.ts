// Names in a question that make sense but that no run has: an answer without them would look like an answer.
import sql, { raw, type Sql } from 'sql-template-tag';
import type { Db } from '../db/open.ts';
import { RunfoldError } from '../errors.ts';
import { FROM_RUNS, valueSql } from './field-sql.ts';
import { parseField } from './field.ts';
import { fieldNames, metricNames, pathsIn } from './names.ts';
import { nearest } from '../nearest.ts';
import type { RunFilter } from './run-filter.ts';

export interface UnknownName {
  /** The field or value as it was given. */
  name: string;
  /** What kind of value it is; undefined for a field. */
  of?: string;
  /** What there is in its place. */
  known: readonly string[];
  /** The one of them that was meant, perhaps. */
  near: string | undefined;
}

const PREFIX = /^(config|results|final|best|min|max)\./;

/**
 * Those of the fields that no run has, hidden ones included.
 *
 * @throws RunfoldError `usage` for one that there cannot be; the hint says which was meant, perhaps.
 */
export function fieldsOfNoRun(db: Db, fields: readonly string[]): UnknownName[] {
  return [...new Set(fields)].flatMap((name) => {
    const field = parsed(db, name);
    const [prefix, kind] = PREFIX.exec(name) ?? [];
    // a column is never misspelt
    if (prefix === undefined || kind === undefined) return [];
    if (exists(db, sql`${FROM_RUNS} WHERE ${valueSql(field)} IS NOT NULL`)) return [];
    const known = kind === 'config' || kind === 'results' ? pathsIn(db, kind) : metricNames(db);
    const near = nearest(name.slice(prefix.length), known);
    return [{ name, known, near: near === undefined ? undefined : prefix + near }];
  });
}

function parsed(db: Db, name: string): ReturnType<typeof parseField> {
  try {
    return parseField(name);
  } catch (error) {
    const meant = error instanceof RunfoldError ? meantBy(db, name) : undefined;
    if (!(error instanceof RunfoldError) || meant === undefined) throw error;
    throw new RunfoldError(error.code, error.message, { hint: `Did you mean ${meant}?`, cause: error });
  }
}

/** A field by its bare name (`lr`), else one that is spelt almost so. */
function meantBy(db: Db, name: string): string | undefined {
  const all = fieldNames(db);
  const bare = new Map<string, string>();
  for (const field of all) {
    const [, rest] = /^(?:config|results|final)\.(.+)$/s.exec(field) ?? [];
    if (rest !== undefined && !bare.has(rest)) bare.set(rest, field);
  }
  const found = bare.has(name) ? name : nearest(name, [...all, ...bare.keys()]);
  return found === undefined ? undefined : (bare.get(found) ?? found);
}

const VALUES = [
  ['experiment_number', 'experiment', 'experiment_number'],
  ['dataset', 'dataset', 'dataset'],
  ['method', 'method', 'method'],
  ['subject', 'subject', 'subject'],
  ['cl_info', 'variant', 'cl_info'],
  ['seed', 'seed', 'seed'],
  ['tags', 'tag', 'json_each.value'],
] as const satisfies readonly (readonly [keyof RunFilter, string, string])[];

/** Those of the values of key columns and tags that no run has, hidden ones included. */
export function valuesOfNoRun(db: Db, filter: RunFilter): UnknownName[] {
  return VALUES.flatMap(([name, of, column]) => {
    const given = filter[name] ?? [];
    const from = raw(name === 'tags' ? 'experiment_runs, json_each(tags)' : 'experiment_runs');
    const missing = (Array.isArray(given) ? given : [given]).filter(
      (value: string | number | null) =>
        value !== null && !exists(db, sql`${from} WHERE ${raw(column)} = ${value}`),
    );
    if (missing.length === 0) return [];
    const known = valuesIn(db, raw(column), from);
    return missing.map((value) => {
      const near = typeof value === 'string' ? nearest(value, known) : undefined;
      return { name: String(value), of, known, near };
    });
  });
}

/** The most frequent first. */
function valuesIn(db: Db, column: Sql, from: Sql): string[] {
  const { sql: text } = sql`SELECT CAST(${column} AS TEXT) FROM ${from} WHERE ${column} IS NOT NULL
    GROUP BY ${column} ORDER BY count(*) DESC, ${column}`;
  return db.prepare<[], string>(text).pluck().all();
}

function exists(db: Db, from: Sql): boolean {
  const { sql: text, values } = sql`SELECT EXISTS (SELECT 1 FROM ${from})`;
  return (
    db
      .prepare(text)
      .pluck()
      .get(...values) === 1
  );
}
