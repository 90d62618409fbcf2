// Bytes of a job's output -> lines that are safe to print. Whatever is in them, in a terminal nothing of it acts.
import { printSafe } from '../print-safe.ts';

const LF = 10;
const CR = 13;
/** A line that has grown to this without an end is looked through for what has been overwritten. */
const LONG_LINE = 65_536;
/** One that is this long even so is broken. */
const LONGEST_LINE = 1_048_576;

/** Colours and moves of the cursor: to readers they are nothing, and escaped they would hide the text. */
// oxlint-disable-next-line no-control-regex -- it is about them
const CONTROL_SEQUENCE = /\u001B\[[0-?]*[ -/]*[@-~]/g;

/**
 * A line as a terminal would have shown it in the end: of what carriage returns have overwritten (progress bars) the
 * last part that has text. Tabs stay, colours are left out, other control characters are escaped.
 */
export function readableLine(line: string): string {
  const parts = line.replaceAll(CONTROL_SEQUENCE, '').split('\r');
  const last = parts.findLast((part) => part.trim() !== '') ?? '';
  return last.split('\t').map(printSafe).join('\t');
}

/** Takes bytes as they come and gives whole lines. What it keeps is bounded. */
export class OutputLines {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #rest: Buffer = Buffer.alloc(0);

  /** Lines that have ended. */
  push(bytes: Uint8Array): string[] {
    let rest: Buffer = Buffer.concat([this.#rest, bytes]);
    const lines: string[] = [];
    let from = 0;
    for (let end = rest.indexOf(LF); end !== -1; end = rest.indexOf(LF, from)) {
      lines.push(this.#read(rest.subarray(from, end)));
      from = end + 1;
    }
    rest = rest.subarray(from);
    if (rest.length > LONG_LINE) rest = withoutOverwritten(rest);
    if (rest.length > LONGEST_LINE) {
      lines.push(this.#read(rest));
      rest = Buffer.alloc(0);
    }
    this.#rest = Buffer.from(rest);
    return lines;
  }

  /** The line that has no end, if there is one. */
  end(): string[] {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length === 0 ? [] : [this.#read(rest)];
  }

  #read(bytes: Uint8Array): string {
    return readableLine(this.#decoder.decode(bytes));
  }
}

/** From the last carriage return but one: after the last there may be nothing yet. */
function withoutOverwritten(line: Buffer): Buffer {
  const last = line.lastIndexOf(CR);
  const before = last <= 0 ? -1 : line.lastIndexOf(CR, last - 1);
  return before === -1 ? line : line.subarray(before + 1);
}
