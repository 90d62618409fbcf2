// A place in a JSON object as text: `optimizer.lr`, `"a.b".c`.
import { wrongArgument } from './arguments.ts';

const SEGMENT = /"(?:[^"\\]|\\.)*"|[^."]+/y;
const PLAIN = /^[^."\\=!<>~\s]+$/;

/**
 * Names joined by dots; one that has a dot or an operator in it is a JSON string.
 *
 * @throws RunfoldError `usage`.
 */
export function parsePath(text: string): string[] {
  const path: string[] = [];
  let at = 0;
  for (;;) {
    SEGMENT.lastIndex = at;
    const [found] = SEGMENT.exec(text) ?? [];
    if (found === undefined) throw wrongPath(text);
    path.push(found.startsWith('"') ? parseQuoted(found, text) : found);
    at += found.length;
    if (at === text.length) return path;
    if (text[at] !== '.') throw wrongPath(text);
    at += 1;
  }
}

/** What `parsePath` reads as `path`. */
export function formatPath(path: readonly string[]): string {
  return path.map((name) => (PLAIN.test(name) ? name : JSON.stringify(name))).join('.');
}

/** The values of an object by their paths; an array is one value, and so is an empty object. */
export function* leavesOf(
  object: object,
  before: readonly string[] = [],
): Generator<[path: readonly string[], value: unknown]> {
  for (const [name, value] of Object.entries(object)) {
    const path = [...before, name];
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isObject && Object.keys(value as object).length > 0) yield* leavesOf(value as object, path);
    else yield [path, value];
  }
}

function parseQuoted(quoted: string, text: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw wrongPath(text);
  }
}

function wrongPath(text: string): Error {
  return wrongArgument('a path', 'names joined by dots, such as optimizer.lr or "a.b".c', text);
}
