// The end of what a command printed on stderr -> the fields of an error event. Pure, and never throws.
import { TWO_RUNS } from '../events/inherited-key.ts';
import { isBlank, type FoundError } from './found-error.ts';
import { javascriptErrors } from './javascript-error.ts';
import { nativeErrors } from './native-error.ts';
import type { CommandEnd } from './outcome.ts';
import { pythonErrors } from './python-error.ts';
import { shellError } from './shell-error.ts';

export interface TailError {
  exception_type: string;
  message: string;
  traceback: string | undefined;
  /** Whether the text told it; else the type is the name of the signal or the exit code. */
  from: 'text' | 'signal' | 'exit code';
}

const MAX_TYPE = 200;
const MAX_MESSAGE = 4096;
const MAX_TRACEBACK = 16_384;
/** Of a line, for the parsers: longer ones are data. */
const MAX_LINE = 2000;
/** Of a logger in the command; it is no error, and a silent end can follow it. */
const NOTICE = `runfold: ${TWO_RUNS} `;
const CRASHES: ReadonlySet<string> = new Set(['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP']);
// oxlint-disable-next-line no-control-regex
const COLOURS = /\u001b\[[\d;]*m/g;

/**
 * The error that the text ends with: the last traceback, stack, panic or abort. If the command died of a signal, only
 * one that nothing comes after is taken for its cause. Else the type is the signal or `ExitCode 3`, and the message the
 * last line.
 */
export function errorFromTail(tail: string, end: CommandEnd): TailError {
  const traceback = lastPart(tail);
  if (end.kind === 'not started') {
    return { exception_type: end.reason, message: end.message, traceback: undefined, from: 'text' };
  }
  const lines = tail
    .replaceAll(COLOURS, '')
    .split(/\r\n|\n|\r/)
    .map((line) => line.slice(0, MAX_LINE));
  const last = lines.findLastIndex((line) => !isBlank(line) && !line.startsWith(NOTICE));
  const found = best(candidates(lines, last), end, last);
  if (found !== undefined) {
    return {
      exception_type: found.type.slice(0, MAX_TYPE),
      message: found.message.slice(0, MAX_MESSAGE),
      traceback,
      from: 'text',
    };
  }
  const type = end.kind === 'killed' ? end.signal : `ExitCode ${end.code}`;
  return {
    exception_type: type,
    message: lines[last]?.trim() ?? nothingSaid(end),
    traceback,
    from: end.kind === 'killed' ? 'signal' : 'exit code',
  };
}

function nothingSaid(end: CommandEnd): string {
  return end.kind === 'killed' ? `killed by ${end.signal}` : `ended with ${end.code}, and said nothing`;
}

function candidates(lines: readonly string[], last: number): FoundError[] {
  const shell = shellError(lines, last);
  return [
    ...pythonErrors(lines),
    ...javascriptErrors(lines),
    ...nativeErrors(lines),
    ...(shell === undefined ? [] : [shell]),
  ].filter((error) => error.type !== '');
}

/** The one that begins last. A launcher's only if there is no other: it tells that a process below has failed. */
function best(found: readonly FoundError[], end: CommandEnd, last: number): FoundError | undefined {
  const own = found.filter((error) => error.isOfLauncher !== true);
  const sorted = (own.length > 0 ? own : [...found]).toSorted((one, other) => one.from - other.from);
  const latest = sorted.at(-1);
  if (latest === undefined || end.kind !== 'killed') return latest;
  if (latest.to < last) return undefined;
  // a SIGKILL comes from outside, whatever was said before
  return CRASHES.has(end.signal) || end.signal === 'SIGINT' || end.signal === 'SIGTERM' ? latest : undefined;
}

/** The end of a text, from the beginning of a line if there is one near. Undefined if it is blank. */
function lastPart(tail: string): string | undefined {
  if (isBlank(tail)) return undefined;
  if (tail.length <= MAX_TRACEBACK) return tail;
  const part = tail.slice(-MAX_TRACEBACK);
  const newline = part.indexOf('\n');
  // not within a surrogate pair
  return (newline === -1 || newline > MAX_TRACEBACK / 2 ? part : part.slice(newline + 1)).toWellFormed();
}
