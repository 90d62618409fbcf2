// What a shell says on its last line of the command that it could not run, or that died.
import type { FoundError } from './found-error.ts';

const NOT_FOUND = /^.*(?:command not found|: not found)$/;
const AT_LINE = /^[^:]+: (?:line )?\d+: (.*)$/;
const DIED =
  /(?:^|\s)(Segmentation fault|Killed|Aborted|Bus error|Floating point exception|Illegal instruction|Terminated)(?:\s|$)/;
const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = {
  'Segmentation fault': 'SIGSEGV',
  Killed: 'SIGKILL',
  Aborted: 'SIGABRT',
  'Bus error': 'SIGBUS',
  'Floating point exception': 'SIGFPE',
  'Illegal instruction': 'SIGILL',
  Terminated: 'SIGTERM',
};

/** @param last index of the last line that is not blank */
export function shellError(lines: readonly string[], last: number): FoundError | undefined {
  const line = lines[last] ?? '';
  const said = AT_LINE.exec(line)?.[1];
  if (said === undefined) return undefined;
  const at = { message: line.trim(), from: last, to: last };
  if (NOT_FOUND.test(line)) return { type: 'CommandNotFound', ...at };
  const died = /^\s*\d+ /.test(said) ? DIED.exec(said)?.[1] : undefined;
  return { type: (died === undefined ? undefined : SIGNALS[died]) ?? 'ShellError', ...at };
}
