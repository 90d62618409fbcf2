// What Node prints of an exception that nobody caught.
import { isBlank, lastIndex, type FoundError } from './found-error.ts';

const FRAME = /^ {4}at \S/;
const NAMED = /^(?:Uncaught )?([A-Za-z_$][\w$.]*)(?: \[\w+\])?(?:: (.*))?$/;
const BRACKETED = /^\[([A-Za-z_$][\w$.]*)(?: \[\w+\])?: (.*?)\](?: \{)?$/;
const ERROR_NAME = /(?:Error|Exception|Rejection)$/;
const MAX_LINES = 100;
const VERSION = /^Node\.js v\d/;
const NOT_AN_ERROR = /^\(Use `node --trace-uncaught /;

export function javascriptErrors(lines: readonly string[]): FoundError[] {
  return [withStack(lines), withoutStack(lines)].filter((error) => error !== undefined);
}

function withStack(lines: readonly string[]): FoundError | undefined {
  const to = lastIndex(lines, (line) => FRAME.test(line));
  if (to === undefined) return undefined;
  let first = to;
  while (first > 0 && FRAME.test(lines[first - 1] ?? '')) first -= 1;
  const header = headerAbove(lines, first);
  if (header === undefined) return undefined;
  const match = NAMED.exec(lines[header] ?? '');
  const message = [match?.[2] ?? '', ...lines.slice(header + 1, first)].join('\n').trim();
  return { type: match?.[1] ?? '', message, from: header, to: endOf(lines, to) };
}

/** The nearest line above that names an error, else the one right above. */
function headerAbove(lines: readonly string[], first: number): number | undefined {
  const lowest = Math.max(0, first - MAX_LINES);
  let nearest: number | undefined;
  for (let index = first - 1; index >= lowest; index -= 1) {
    const name = NAMED.exec(lines[index] ?? '')?.[1];
    if (name === undefined) continue;
    if (ERROR_NAME.test(name)) return index;
    if (index === first - 1) nearest = index;
  }
  return nearest;
}

/** An error without frames, or a value that is none, is followed by Node's version alone. */
function withoutStack(lines: readonly string[]): FoundError | undefined {
  const version = lastIndex(lines, (line) => VERSION.test(line));
  if (version === undefined) return undefined;
  const lowest = Math.max(0, version - MAX_LINES);
  for (let index = version - 1; index >= lowest; index -= 1) {
    const line = lines[index] ?? '';
    if (FRAME.test(line)) return undefined;
    const match = BRACKETED.exec(line);
    if (match !== null) return { type: match[1] ?? '', message: match[2] ?? '', from: index, to: version };
    if (!NOT_AN_ERROR.test(line)) continue;
    const value = lines.slice(0, index).findLastIndex((each) => !isBlank(each));
    return { type: 'Error', message: (lines[value] ?? '').trim(), from: Math.max(0, value), to: version };
  }
  return undefined;
}

/** Properties of the error, causes, and Node's version come after its stack. */
function endOf(lines: readonly string[], stackEnd: number): number {
  const end = Math.min(lines.length, stackEnd + MAX_LINES);
  for (let index = stackEnd + 1; index < end; index += 1) {
    if (VERSION.test(lines[index] ?? '')) return index;
  }
  return stackEnd;
}
