// Which runs to list -> SQL that is made of fixed pieces alone; every value is bound.
import type { RunStatus } from '../events/event.ts';
import type { RunKey } from '../events/run-id.ts';
import { isCount, wrongArgument } from './arguments.ts';

type KeyFilter = { [Field in keyof RunKey]?: RunKey[Field] | undefined };

/**
 * All that is given must hold. A key column matches by equality, null matches null, and undefined is the same
 * as not given. `status: []` matches nothing.
 */
export interface RunFilter extends KeyFilter {
  status?: RunStatus | readonly RunStatus[] | undefined;
  /** Default false. */
  includeHidden?: boolean | undefined;
  /** How many rows at most; default all. */
  limit?: number | undefined;
  /** How many rows to pass over first; default 0. */
  offset?: number | undefined;
}

export interface FilterSql {
  /** What comes after `WHERE`. */
  where: string;
  bound: Record<string, string | number | null>;
}

/** `=` where the column is never NULL, since SQLite looks such a condition up in the index of the key. */
const KEY_CONDITIONS: Readonly<Record<keyof RunKey, string>> = {
  experiment_number: 'experiment_number = @experiment_number',
  dataset: 'dataset = @dataset',
  method: 'method = @method',
  subject: 'subject IS @subject',
  cl_info: 'cl_info IS @cl_info',
  seed: 'seed IS @seed',
};
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

const KNOWN: ReadonlySet<string> = new Set([...KEY_FIELDS, 'status', 'includeHidden', 'limit', 'offset']);

/**
 * @throws RunfoldError `invalid_key` if a key column is given a value that no key can have; `usage` if
 *   anything else has a wrong type or value, or a name is not known.
 */
export function filterSql(filter: RunFilter): FilterSql {
  refuseUnknown(filter);
  const { limit, offset = 0, includeHidden = false, status } = filter;
  if (limit !== undefined && !isCount(limit)) throw wrongArgument('limit', 'a whole number from 0', limit);
  if (!isCount(offset)) throw wrongArgument('offset', 'a whole number from 0', offset);
  if (typeof includeHidden !== 'boolean')
    throw wrongArgument('includeHidden', 'true or false', includeHidden);

  // -1 is SQLite's word for no limit
  const bound: FilterSql['bound'] = { limit: limit ?? -1, offset };
  const conditions = includeHidden ? [] : ['hidden = 0'];
  for (const field of KEY_FIELDS) {
    const value = filter[field];
    if (value === undefined) continue;
    checkKeyValue(field, value);
    conditions.push(KEY_CONDITIONS[field]);
    bound[field] = value;
  }
  if (status !== undefined) conditions.push(statusCondition(status, bound));
  return { where: conditions.join(' AND ') || '1', bound };
}

/** A misspelt filter that was passed over would list runs that nobody asked for. */
function refuseUnknown(filter: RunFilter): void {
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter)) {
    throw wrongArgument('the filter', 'an object', filter);
  }
  const unknown = Object.keys(filter).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw wrongArgument('a filter', `one of ${[...KNOWN].join(', ')}`, unknown);
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

function statusCondition(status: RunStatus | readonly RunStatus[], bound: FilterSql['bound']): string {
  const wanted: readonly unknown[] = typeof status === 'string' ? [status] : status;
  if (!Array.isArray(wanted)) throw wrongArgument('status', 'a status or an array of them', wanted);
  const marks: string[] = [];
  for (const item of new Set(wanted)) {
    if (!isStatus(item)) throw wrongArgument('status', `one of ${Object.keys(STATUSES).join(', ')}`, item);
    const mark = `status_${marks.length}`;
    bound[mark] = item;
    marks.push(`@${mark}`);
  }
  return `status IN (${marks.join(', ')})`;
}

function isStatus(value: unknown): value is RunStatus {
  return typeof value === 'string' && Object.hasOwn(STATUSES, value);
}
