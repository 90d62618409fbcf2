// Any value of JavaScript as JSON that a line can carry. Never throws and never takes long, whatever it is given.
import { isBoxedPrimitive } from 'node:util/types';

/** Objects and arrays within each other; with the event around them a line stays below 64. */
const MAX_DEPTH = 60;
/** A line of a megabyte cannot hold more, and shared references could make a small value endless. */
const MAX_NODES = 300_000;
const MAX_TEXT = 1_048_576;

const TOO_LARGE = '[too large]';

interface Walk {
  /** What is being walked, to see cycles. */
  path: Set<object>;
  nodes: number;
}

/**
 * The value as JSON. NaN and the infinities become their names, bigint a string, a Date its ISO form, a Map an
 * object, a Set and a typed array an array, an Error `Name: message`, a cycle `[circular]`, what nests too deep
 * `[too deep]`, what throws when looked at `[unreadable]`. `toJSON` is honoured. Functions, symbols and undefined are
 * undefined: absent in objects, null in arrays.
 */
export function toJsonSafe(value: unknown): unknown {
  return safe(value, { path: new Set(), nodes: 0 });
}

/** `toJsonSafe` of something that has to be an object; undefined if it is not one. */
export function toJsonObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const json = toJsonSafe(value);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  return json as Readonly<Record<string, unknown>>;
}

function safe(value: unknown, walk: Walk): unknown {
  switch (typeof value) {
    case 'string':
      return value.length > MAX_TEXT ? TOO_LARGE : value;
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? null : safeObject(value, walk);
    case 'function':
    case 'symbol':
    case 'undefined':
      return undefined;
  }
}

function safeObject(value: object, walk: Walk): unknown {
  if (walk.path.has(value)) return '[circular]';
  if (walk.path.size >= MAX_DEPTH) return '[too deep]';
  walk.nodes += 1;
  if (walk.nodes > MAX_NODES) return TOO_LARGE;
  walk.path.add(value);
  try {
    return convert(value, walk);
  } catch {
    // a getter, a proxy or a toJSON of somebody else; the rest of the value is still worth having
    return '[unreadable]';
  } finally {
    walk.path.delete(value);
  }
}

function convert(value: object, walk: Walk): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) {
    return value instanceof DataView ? '[binary]' : safeArray(value as unknown as Iterable<unknown>, walk);
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') return safe(value.toJSON(), walk);
  if (Array.isArray(value) || value instanceof Set) return safeArray(value, walk);
  if (value instanceof Map) return safeEntries(value, walk);
  if (value instanceof Error)
    return safe([value.name, value.message].filter((text) => typeof text === 'string').join(': '), walk);
  if (value instanceof RegExp) return String(value);
  if (isBoxedPrimitive(value)) return safe(value.valueOf(), walk);
  return safeProperties(value, walk);
}

function safeArray(values: Iterable<unknown>, walk: Walk): unknown[] {
  const array: unknown[] = [];
  for (const value of values) {
    walk.nodes += 1;
    if (walk.nodes > MAX_NODES) break;
    array.push(safe(value, walk) ?? null);
  }
  return array;
}

function safeEntries(entries: Iterable<[unknown, unknown]>, walk: Walk): Record<string, unknown> {
  // without a prototype, so that a key named __proto__ is data
  const object: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entries) {
    walk.nodes += 1;
    if (walk.nodes > MAX_NODES) break;
    object[keyOf(key, walk)] = safe(value, walk);
  }
  return object;
}

/** Not String() of an object, which calls code of others and can take for ever. */
function keyOf(key: unknown, walk: Walk): string {
  return typeof key === 'string' ? key : (JSON.stringify(safe(key, walk)) ?? typeof key);
}

function safeProperties(value: object, walk: Walk): Record<string, unknown> {
  const object: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value)) {
    walk.nodes += 1;
    if (walk.nodes > MAX_NODES) break;
    object[key] = safe(read(value, key), walk);
  }
  return object;
}

function read(value: object, key: string): unknown {
  try {
    return (value as Readonly<Record<string, unknown>>)[key];
  } catch {
    // one bad getter costs its own property only
    return '[unreadable]';
  }
}
