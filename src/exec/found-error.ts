// What the parsers of error output share.

/** An error that was found in the lines of a program's output. */
export interface FoundError {
  type: string;
  message: string;
  /** Index of its first and its last line. */
  from: number;
  to: number;
  /** Only says that a process below has failed, whose own words are better if they are there. */
  isOfLauncher?: boolean;
}

const MAX_MESSAGE_LINES = 30;
const MAX_MESSAGE = 4096;

export function isBlank(line: string | undefined): boolean {
  return line === undefined || line.trim() === '';
}

/**
 * The lines of a message from `from` on, up to a blank one, the first that `ends` it, or a limit; joined, and the
 * index of the last of them.
 */
export function messageFrom(
  lines: readonly string[],
  from: number,
  first: string,
  ends: (line: string) => boolean,
): { message: string; to: number } {
  const message = [first];
  let to = from;
  for (let next = from + 1; next < lines.length && message.length < MAX_MESSAGE_LINES; next += 1) {
    const line = lines[next];
    if (line === undefined || isBlank(line) || ends(line)) break;
    message.push(line);
    to = next;
  }
  return { message: message.join('\n').trim().slice(0, MAX_MESSAGE), to };
}

/** The index of the last line that holds, undefined if none does. */
export function lastIndex(lines: readonly string[], holds: (line: string) => boolean): number | undefined {
  const index = lines.findLastIndex(holds);
  return index === -1 ? undefined : index;
}
