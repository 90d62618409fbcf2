// Where lines begin and end in a chunk of bytes.

const LF = 0x0a;
const CR = 0x0d;

/** The index after the last byte of a line that ends in the LF at `lf`: one CR before it is not content. */
export function contentEnd(bytes: Buffer, start: number, lf: number): number {
  return lf > start && bytes[lf - 1] === CR ? lf - 1 : lf;
}

/** The index of the next LF at or after `from`, or -1. */
export function nextLineFeed(bytes: Buffer, from: number): number {
  return bytes.indexOf(LF, from);
}
