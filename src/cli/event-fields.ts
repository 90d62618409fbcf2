// Command line options for the fields of an event type, made from its schema.
import type { Command } from 'commander';
import type { z } from 'zod';
import { EVENT_SCHEMAS, type EventType } from '../events/event.ts';

/** The types that a person writes; the header and the end are the writer's own. */
export type EmittedType = Exclude<EventType, 'writer_opened' | 'writer_closed'>;

const COMMON = new Set(['type', 'ts', 'seq', 'run_id', 'attempt']);
const KEY = new Set(['experiment_number', 'dataset', 'method', 'subject', 'cl_info', 'seed']);

interface Field {
  name: string;
  flag: string;
  schema: z.ZodType;
}

export function fieldsOf(type: EmittedType): Field[] {
  return Object.entries(EVENT_SCHEMAS[type].shape)
    .filter(([name]) => !COMMON.has(name) && !KEY.has(name))
    .map(([name, schema]) => ({ name, flag: `--${name.replaceAll('_', '-')}`, schema }));
}

/** An option for each field; objects may be given bit by bit, as name=value. */
export function withFields(command: Command, type: EmittedType): Command {
  for (const { flag, schema } of fieldsOf(type)) {
    const isObject = schema.safeParse({}).success;
    const isList = schema.safeParse([]).success;
    const hint = isObject ? '<name=value…|json>' : isList ? '<a,b…|json>' : '<value>';
    const variadic = isObject ? hint.replace('…', '...') : hint;
    command.option(isObject ? `${flag} <name=value...>` : `${flag} ${variadic.replace('…', '')}`);
  }
  return command;
}

/** The values of the options as the fields of an event; a value no field takes is left for the parser to name. */
export function readFields(type: EmittedType, flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { name, flag, schema } of fieldsOf(type)) {
    const given = flags[camelCase(flag.slice(2))];
    if (given !== undefined) fields[name] = coerce(given, schema);
  }
  return fields;
}

function camelCase(flag: string): string {
  return flag.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function coerce(given: unknown, schema: z.ZodType): unknown {
  if (Array.isArray(given)) return coerceObject(given.map(String));
  const text = String(given);
  // text first: a message that looks like a number is still a message
  if (schema.safeParse(text).success) return text;
  const value = parseLoosely(text);
  if (schema.safeParse(value).success) return value;
  const list = text.split(',');
  return schema.safeParse(list).success ? list : value;
}

function coerceObject(parts: string[]): unknown {
  const [first = ''] = parts;
  if (parts.length === 1 && first.startsWith('{')) return parseLoosely(first);
  return Object.fromEntries(
    parts.map((part) => {
      const at = part.indexOf('=');
      return at === -1 ? [part, null] : [part.slice(0, at), parseLoosely(part.slice(at + 1))];
    }),
  );
}

function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // no JSON is text, as a shell user means it
    return text;
  }
}
