// Words as a POSIX shell would read them again.
import { shellWord } from '../shell-word.ts';

export function shellQuote(args: readonly string[]): string {
  return args.map(shellWord).join(' ');
}

/** The whole command line of a call, to be shown or run again. */
export function commandLine(args: readonly string[]): string {
  return `runfold ${shellQuote(args)}`.trimEnd();
}
