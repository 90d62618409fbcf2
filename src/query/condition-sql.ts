// A condition -> SQL over `FROM_RUNS`, every value bound.
import sql, { raw, type Sql } from 'sql-template-tag';
import { wrongArgument } from './arguments.ts';
import { checkOperator, parseCondition, type Condition, type Operator } from './condition.ts';
import { jsonTypeSql, valueSql } from './field-sql.ts';
import { parseField, type Field } from './field.ts';

type JsonField = Extract<Field, { kind: 'json' }>;
type Order = Extract<Operator, '<' | '<=' | '>' | '>='>;

/**
 * True or false for every run, never NULL.
 *
 * @throws RunfoldError `usage` if the field is unknown or cannot be compared so.
 */
export function conditionSql(given: string | Condition): Sql {
  const condition = typeof given === 'string' ? parseCondition(given) : checked(given);
  const field = parseField(condition.field);
  switch (condition.op) {
    case '=':
      return equalSql(field, condition);
    case '!=':
      return sql`NOT ${equalSql(field, condition)}`;
    case '~':
      return containsSql(field, condition);
    case '!~':
      return sql`NOT ${containsSql(field, condition)}`;
    case '<':
    case '<=':
    case '>':
    case '>=':
      return orderSql(field, condition, condition.op);
  }
}

function checked(given: Condition): Condition {
  if (typeof given !== 'object' || given === null)
    throw wrongArgument('a condition', 'a text or an object', given);
  checkOperator(given.op);
  const { value } = given;
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  if (isNumber || value === null || typeof value === 'boolean') return given;
  if (typeof value === 'string' && value.isWellFormed()) return given;
  throw wrongArgument('the value of a condition', 'a text, a finite number, true, false or null', value);
}

function equalSql(field: Field, condition: Condition): Sql {
  const { value, text } = condition;
  if (field.kind === 'json') return jsonEqualSql(field, condition);
  const column = valueSql(field);
  const type = field.kind === 'duration' ? 'number' : field.type;
  if (value === null) {
    return type === 'strings' ? sql`(json_array_length(${column}) = 0)` : sql`(${column} IS NULL)`;
  }
  switch (type) {
    case 'strings':
      return sql`EXISTS (SELECT 1 FROM json_each(${column}) WHERE value = ${text ?? String(value)})`;
    case 'object':
      throw wrongComparison(condition);
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongArgument(condition.field, 'true, false or null', value);
      return sql`(${column} IS ${Number(value)})`;
    case 'number':
      return sql`(${column} IS ${numberOf(condition)})`;
    case 'text':
      return sql`(${column} IS ${text ?? String(value)})`;
  }
}

function jsonEqualSql(field: JsonField, { value, text }: Condition): Sql {
  const type = jsonTypeSql(field);
  const same = sameJsonSql(field, type, value);
  if (text === undefined || typeof value === 'string') return sql`ifnull(${same}, 0)`;
  return sql`ifnull(${same} OR (${type} = 'text' AND ${valueSql(field)} = ${text}), 0)`;
}

function sameJsonSql(field: JsonField, type: Sql, value: Condition['value']): Sql {
  if (value === null) return sql`(ifnull(${type}, 'null') = 'null')`;
  if (typeof value === 'boolean') return sql`(${type} = ${String(value)})`;
  const types = typeof value === 'number' ? raw(`('integer', 'real')`) : raw(`('text')`);
  return sql`(${type} IN ${types} AND ${valueSql(field)} = ${value})`;
}

function orderSql(field: Field, condition: Condition, op: Order): Sql {
  const { value } = condition;
  if (field.kind === 'json') {
    if (typeof value !== 'number' && typeof value !== 'string') throw wrongComparison(condition);
    const types = typeof value === 'number' ? raw(`('integer', 'real')`) : raw(`('text')`);
    return sql`ifnull(${jsonTypeSql(field)} IN ${types} AND ${valueSql(field)} ${raw(op)} ${value}, 0)`;
  }
  const type = field.kind === 'duration' ? 'number' : field.type;
  if (type !== 'number' && type !== 'text') throw wrongComparison(condition);
  const bound =
    type === 'number' ? numberOf(condition) : isTime(field) ? timeOf(condition) : textOf(condition);
  return sql`ifnull(${valueSql(field)} ${raw(op)} ${bound}, 0)`;
}

function containsSql(field: Field, condition: Condition): Sql {
  const type = field.kind === 'json' ? 'text' : field.kind === 'duration' ? 'number' : field.type;
  // not LIKE, which ends at a NUL
  const part = sql`lower(${textOf(condition)})`;
  if (type === 'strings') {
    return sql`EXISTS (SELECT 1 FROM json_each(${valueSql(field)}) WHERE instr(lower(value), ${part}))`;
  }
  if (type !== 'text') throw wrongComparison(condition);
  return sql`(ifnull(instr(lower(${valueSql(field)}), ${part}), 0) > 0)`;
}

function numberOf({ field, value }: Condition): number {
  if (typeof value === 'number') return value;
  throw wrongArgument(`the value for ${field}`, 'a number', value);
}

function textOf({ value, text }: Condition): string {
  return text ?? String(value);
}

function isTime(field: Field): boolean {
  return field.kind === 'column' && field.column.endsWith('_at');
}

/** As much of a time as is given, in the form in which times are stored and sorted. */
function timeOf(condition: Condition): string {
  const text = textOf(condition);
  const time = WITH_OFFSET.test(text) ? isoOf(text) : startOfTime(text);
  if (time !== undefined) return time;
  throw wrongArgument(
    `the value for ${condition.field}`,
    'a time, or the beginning of one in UTC, such as 2026-11-23, 2026-11-23T10:15 or 2026-11-23T11:15:00+01:00',
    text,
  );
}

const WITH_OFFSET = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/i;
const ANY_TIME = '0000-01-01T00:00:00.000Z';
/** Up to the year, the month, the day, the hour, the minute and the second. */
const LENGTHS: ReadonlySet<number> = new Set([4, 7, 10, 13, 16, 19]);

function startOfTime(text: string): string | undefined {
  const whole = LENGTHS.has(text.length) ? isoOf(text + ANY_TIME.slice(text.length)) : undefined;
  // a day or an hour that there is not would be another one
  return whole?.startsWith(text) === true ? text : undefined;
}

function isoOf(text: string): string | undefined {
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : new Date(milliseconds).toISOString();
}

function wrongComparison({ field, op, value }: Condition): Error {
  return wrongArgument(`the value for ${field} ${op}`, 'one that it can be compared with', value);
}
