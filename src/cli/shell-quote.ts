// Words as a POSIX shell would read them again.

const PLAIN = /^[\w@%+=:,./-]+$/;

export function shellQuote(args: readonly string[]): string {
  return args.map((arg) => (PLAIN.test(arg) ? arg : `'${arg.replaceAll("'", String.raw`'\''`)}'`)).join(' ');
}

/** The whole command line of a call, to be shown or run again. */
export function commandLine(args: readonly string[]): string {
  return `runfold ${shellQuote(args)}`.trimEnd();
}
