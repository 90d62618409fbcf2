// Where lines begin and end in a chunk of bytes, and what each comes to.
import { isAscii, isUtf8 } from 'node:buffer';
import { parseLine, parseText, type ParsedLine } from '../events/parse.ts';

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

/**
 * Parses lines of the chunk that are complete and not too long. A chunk that is UTF-8 as a whole up to its last
 * LF needs no check of each line.
 */
export function lineParser(bytes: Buffer): (start: number, end: number) => ParsedLine {
  let parse: ((start: number, end: number) => ParsedLine) | undefined;
  // of most chunks that were parsed ahead no line is parsed again
  return (start, end) => (parse ??= parserFor(bytes))(start, end);
}

function parserFor(bytes: Buffer): (start: number, end: number) => ParsedLine {
  const whole = bytes.subarray(0, bytes.lastIndexOf(LF) + 1);
  if (isAscii(whole)) return (start, end) => parseText(bytes.toString('latin1', start, end));
  if (isUtf8(whole)) return (start, end) => parseText(bytes.toString('utf8', start, end));
  return (start, end) => parseLine(bytes.subarray(start, end));
}
