// Tracebacks of Python.
import { messageFrom, type FoundError } from './found-error.ts';

const HEADER = 'Traceback (most recent call last):';
const GROUP = 'Exception Group ';
const EXCEPTION = /^([\p{L}_][\p{L}\p{N}_.<>]*)(?::(?: (.*))?)?$/u;
const SYNTAX = /^((?:Syntax|Indentation|Tab)Error)(?:: (.*))?$/;
const PLACE = /^ {2}File ".*", line \d+$/;
/** What comes after a traceback and is not part of its message. */
const OTHERS =
  /^(?:srun: |slurmstepd: |mpirun|wandb: |During handling of |The above exception |Exception ignored |Error in atexit|\[[WEIC]\d{3}|\S*Warning: )|^\S+:\d+: \w*Warning: /;
const MAX_FRAMES = 2000;
const LAUNCHERS = /(?:^|\.)(?:ChildFailedError|CalledProcessError)$/;

/** The last one, and if that only tells of a process below, the last of others too. */
export function pythonErrors(lines: readonly string[]): FoundError[] {
  const found: FoundError[] = [];
  for (let index = lines.length - 1; index >= 0 && found.every((error) => error.isOfLauncher); index -= 1) {
    const error = tracebackAt(lines, index) ?? syntaxErrorAt(lines, index);
    if (error !== undefined) found.push(error);
  }
  return found;
}

function tracebackAt(lines: readonly string[], from: number): FoundError | undefined {
  const header = lines[from]?.trimEnd() ?? '';
  if (!header.endsWith(HEADER)) return undefined;
  // a progress bar that has not ended its line, or `[rank0]: ` on every line
  const prefix = header.slice(0, -HEADER.length);
  // those inside of a group are its parts
  if (/^\s*\|/.test(prefix)) return undefined;
  const strip = stripOf(prefix, lines[from + 1] ?? '');
  const end = Math.min(lines.length, from + MAX_FRAMES);
  for (let index = from + 1; index < end; index += 1) {
    const line = strip(lines[index] ?? '');
    if (line === undefined || line === '' || /^\s/.test(line)) continue;
    if (line.endsWith(HEADER)) return undefined;
    const match = EXCEPTION.exec(line);
    if (match === null) continue;
    return exceptionOf(lines, { from, at: index, type: match[1] ?? '', first: match[2] ?? '', strip });
  }
  return undefined;
}

interface ExceptionLine {
  from: number;
  at: number;
  type: string;
  first: string;
  /** Undefined for a line that is not the traceback's. */
  strip: (line: string) => string | undefined;
}

function exceptionOf(lines: readonly string[], { from, at, type, first, strip }: ExceptionLine): FoundError {
  const rest = lines.slice(at, at + 64).map((line) => strip(line) ?? '');
  const { message, to } = messageFrom(
    rest,
    0,
    first,
    (line) => OTHERS.test(line) || line.endsWith(HEADER) || /^\s*\+-\+-/.test(line),
  );
  return { type, message, from, to: at + to, isOfLauncher: LAUNCHERS.test(type) };
}

function stripOf(prefix: string, next: string): ExceptionLine['strip'] {
  if (prefix.endsWith(GROUP)) return (line) => /^\s*\| ?(.*)$/.exec(line)?.[1] ?? line;
  if (prefix === '' || !next.startsWith(prefix)) return (line) => line;
  return (line) => (line.startsWith(prefix) ? line.slice(prefix.length) : undefined);
}

/** Those of the script itself have no traceback. */
function syntaxErrorAt(lines: readonly string[], at: number): FoundError | undefined {
  const match = SYNTAX.exec(lines[at] ?? '');
  if (match === null) return undefined;
  const place = [1, 2, 3, 4].map((before) => at - before).find((index) => PLACE.test(lines[index] ?? ''));
  if (place === undefined) return undefined;
  return { type: match[1] ?? '', message: match[2] ?? '', from: place, to: at };
}
