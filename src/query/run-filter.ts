// Which runs to list -> SQL that is made of fixed pieces alone; every value is bound.
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { RunStatus } from '../events/event.ts';
import type { RunKey } from '../events/run-id.ts';
import { isCount, wrongArgument } from './arguments.ts';
import { conditionSql } from './condition-sql.ts';
import type { Condition } from './condition.ts';

type KeyFilter = {
  [Field in keyof RunKey]?: RunKey[Field] | readonly RunKey[Field][] | undefined;
};

/** All that is given must hold; undefined is the same as not given. */
export interface RunFilter extends KeyFilter {
  /** One of them, if it is an array; `[]` matches nothing. For key columns too, where null matches null. */
  status?: RunStatus | readonly RunStatus[] | undefined;
  /** The run has this tag, or all of these. */
  tags?: string | readonly string[] | undefined;
  /** Conditions such as `config.lr<0.01` or `final.val/acc>=0.9`; as text, they are read by `parseCondition`. */
  where?: readonly (string | Condition)[] | undefined;
  /** true: the run has logged an error, in whatever attempt; false: it has not. */
  hasErrors?: boolean | undefined;
  /** Default false. */
  includeHidden?: boolean | undefined;
}

/** Which of the runs that match, in what order. */
export interface RunQuery extends RunFilter {
  /**
   * Fields, the first one counts most; one with `-` before it has its greatest value first. Runs without a value come
   * last. Default: the newest first. Ties are always broken by that, then by `run_id`.
   */
  sort?: readonly string[] | undefined;
  /** How many rows at most; default all. */
  limit?: number | undefined;
  /** How many rows to pass over first; default 0. */
  offset?: number | undefined;
}

const KEY_FIELDS: readonly (keyof RunKey)[] = [
  'experiment_number',
  'dataset',
  'method',
  'subject',
  'cl_info',
  'seed',
];
const NUMBERS: ReadonlySet<keyof RunKey> = new Set(['experiment_number', 'seed'] as const);
const NULLABLE: ReadonlySet<keyof RunKey> = new Set(['subject', 'cl_info', 'seed'] as const);

const STATUSES: Readonly<Record<RunStatus, true>> = {
  pending: true,
  running: true,
  completed: true,
  failed: true,
  timeout: true,
};

const FILTERS = [...KEY_FIELDS, 'status', 'tags', 'where', 'hasErrors', 'includeHidden'];

/**
 * A condition over `FROM_RUNS`.
 *
 * @param others names that the caller takes besides those of a filter
 * @throws RunfoldError `invalid_key` if a key column is given a value that no key can have; `usage` if
 *   anything else has a wrong type or value, or a name is not known.
 */
export function filterSql(filter: RunFilter, others: readonly string[] = []): Sql {
  refuseUnknown(filter, [...FILTERS, ...others]);
  const { includeHidden = false, hasErrors, status, tags, where = [] } = filter;
  if (typeof includeHidden !== 'boolean')
    throw wrongArgument('includeHidden', 'true or false', includeHidden);
  if (hasErrors !== undefined && typeof hasErrors !== 'boolean')
    throw wrongArgument('hasErrors', 'true or false', hasErrors);
  if (!Array.isArray(where)) throw wrongArgument('where', 'an array of conditions', where);

  const conditions = includeHidden ? [] : [sql`r.hidden = 0`];
  for (const field of KEY_FIELDS) {
    const value = filter[field];
    if (value !== undefined) conditions.push(keyCondition(field, value));
  }
  if (status !== undefined) conditions.push(statusCondition(status));
  for (const tag of tagsOf(tags)) {
    conditions.push(sql`EXISTS (SELECT 1 FROM json_each(r.tags) WHERE value = ${tag})`);
  }
  if (hasErrors !== undefined) {
    const has = raw('EXISTS (SELECT 1 FROM run_errors e WHERE e.run_id = r.run_id)');
    conditions.push(hasErrors ? has : sql`NOT ${has}`);
  }
  for (const condition of where as readonly (string | Condition)[]) conditions.push(conditionSql(condition));
  return conditions.length === 0 ? raw('1') : join(conditions, ' AND ');
}

/** A misspelt filter that was passed over would list runs that nobody asked for. */
function refuseUnknown(filter: RunFilter, known: readonly string[]): void {
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter)) {
    throw wrongArgument('the filter', 'an object', filter);
  }
  const unknown = Object.keys(filter).find((name) => !known.includes(name));
  if (unknown !== undefined) throw wrongArgument('a filter', `one of ${known.join(', ')}`, unknown);
}

/** `=` where the column is never NULL, since SQLite looks such a condition up in the index of the key. */
function keyCondition(field: keyof RunKey, given: unknown): Sql {
  const column = raw(`r.${field}`);
  const values: readonly unknown[] = Array.isArray(given) ? given : [given];
  for (const value of values) checkKeyValue(field, value);
  if (!NULLABLE.has(field)) {
    return values.length === 1 ? sql`${column} = ${values[0]}` : inSql(column, values);
  }
  const conditions = values.map((value) => sql`${column} IS ${value}`);
  return conditions.length === 0 ? raw('0') : sql`(${join(conditions, ' OR ')})`;
}

function inSql(column: Sql, values: readonly unknown[]): Sql {
  return values.length === 0 ? raw('0') : sql`${column} IN (${join(values)})`;
}

function checkKeyValue(field: keyof RunKey, value: unknown): void {
  if (value === null && NULLABLE.has(field)) return;
  const orNull = NULLABLE.has(field) ? ' or null' : '';
  if (NUMBERS.has(field)) {
    if (Number.isSafeInteger(value)) return;
    throw wrongArgument(field, `a whole number within ±(2^53−1)${orNull}`, value, 'invalid_key');
  }
  if (typeof value === 'string' && value.isWellFormed()) return;
  throw wrongArgument(field, `a string without lone surrogates${orNull}`, value, 'invalid_key');
}

function statusCondition(status: RunStatus | readonly RunStatus[]): Sql {
  const wanted: readonly unknown[] = typeof status === 'string' ? [status] : status;
  if (!Array.isArray(wanted)) throw wrongArgument('status', 'a status or an array of them', wanted);
  for (const item of wanted) {
    if (!isStatus(item)) throw wrongArgument('status', `one of ${Object.keys(STATUSES).join(', ')}`, item);
  }
  return inSql(raw('r.status'), [...new Set(wanted)]);
}

function isStatus(value: unknown): value is RunStatus {
  return typeof value === 'string' && Object.hasOwn(STATUSES, value);
}

function tagsOf(tags: unknown): readonly string[] {
  const wanted: readonly unknown[] = tags === undefined ? [] : Array.isArray(tags) ? tags : [tags];
  return wanted.map((tag) => {
    if (typeof tag === 'string' && tag.isWellFormed()) return tag;
    throw wrongArgument('tags', 'a string or an array of them', tag);
  });
}

/** What comes after `ORDER BY`. */
export function orderSql(sort: RunQuery['sort'], parse: (field: string) => Sql): Sql {
  if (sort !== undefined && !Array.isArray(sort)) throw wrongArgument('sort', 'an array of fields', sort);
  const terms = (sort ?? []).flatMap((name: unknown) => {
    if (typeof name !== 'string') throw wrongArgument('a field to sort by', 'a string', name);
    const isDescending = name.startsWith('-');
    const value = parse(isDescending ? name.slice(1) : name);
    return [sql`${value} IS NULL`, sql`${value} ${raw(isDescending ? 'DESC' : 'ASC')}`];
  });
  return join([...terms, raw('r.created_at DESC'), raw('r.run_id')]);
}

/** What comes after `LIMIT`. */
export function limitSql({ limit, offset = 0 }: Pick<RunQuery, 'limit' | 'offset'>): Sql {
  if (limit !== undefined && !isCount(limit)) throw wrongArgument('limit', 'a whole number from 0', limit);
  if (!isCount(offset)) throw wrongArgument('offset', 'a whole number from 0', offset);
  // -1 is SQLite's word for no limit
  return sql`${limit ?? -1} OFFSET ${offset}`;
}
