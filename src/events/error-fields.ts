// Whatever was thrown -> the fields of an error event.
import { toJsonSafe } from './json-safe.ts';

export interface ErrorFields {
  exception_type: string;
  message: string;
  traceback: string | undefined;
}

const MAX_TYPE = 200;
const MAX_MESSAGE = 16_384;
const MAX_TRACEBACK = 65_536;
const MAX_CAUSES = 8;

/** Never throws. Long texts keep their beginning and their end; causes are part of the traceback. */
export function errorFields(error: unknown): ErrorFields {
  return {
    exception_type: bounded(typeOf(error), MAX_TYPE),
    message: bounded(messageFrom(error), MAX_MESSAGE),
    traceback: bounded(tracebackOf(error), MAX_TRACEBACK) || undefined,
  };
}

function typeOf(error: unknown): string {
  if (!isErrorLike(error)) return typeof error;
  const name = textOf(error, 'name');
  // a class that extends Error without naming itself
  if (name === '' || name === 'Error') return look(() => error.constructor.name) || name || 'Error';
  return name;
}

function messageFrom(error: unknown): string {
  if (isErrorLike(error)) return textOf(error, 'message');
  if (typeof error === 'function' || typeof error === 'symbol' || error === undefined) return typeof error;
  return typeof error === 'string' ? error : (JSON.stringify(toJsonSafe(error)) ?? '[unreadable]');
}

function tracebackOf(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  for (let depth = 0; isErrorLike(current) && depth < MAX_CAUSES; depth += 1) {
    const stack = textOf(current, 'stack');
    parts.push(depth === 0 ? stack : `Caused by: ${stack}`);
    current = valueOf(current, 'cause');
  }
  return parts.join('\n');
}

/** By its shape: an error of another realm is no instance of this one's Error. */
function isErrorLike(error: unknown): error is object {
  return typeof error === 'object' && error !== null && typeof valueOf(error, 'message') === 'string';
}

function textOf(error: object, field: string): string {
  const value = valueOf(error, field);
  return typeof value === 'string' ? value : '';
}

function valueOf(error: object, field: string): unknown {
  return look(() => (error as Readonly<Record<string, unknown>>)[field]);
}

function look<T>(at: () => T): T | undefined {
  try {
    return at();
  } catch {
    // anything can be thrown, with getters and proxies that throw in turn; there was an error all the same
    return undefined;
  }
}

function bounded(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const half = Math.floor(limit / 2);
  const left = text.length - 2 * half;
  return `${text.slice(0, half)}\n[… ${left} characters left out …]\n${text.slice(-half)}`;
}
