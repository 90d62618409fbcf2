// A word on a command line.
const PLAIN = /^[\w@%+=:,./-]+$/;

/** As a POSIX shell would read it again: the text as it is, in quotes where it would mean something else. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
