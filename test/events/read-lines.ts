// Event files read by the rule of the design: lines that end in LF, invalid ones dropped, byte-equal ones once.
import * as fs from 'node:fs';
import path from 'node:path';
import { parseLine } from '../../src/events/parse.ts';
import type { Event } from '../../src/events/event.ts';

export interface ReadLines {
  /** In the order of the file. */
  events: Event[];
  rejected: string[];
  /** Bytes after the last LF. */
  tail: number;
}

export function readLines(bytes: Buffer): ReadLines {
  const events: Event[] = [];
  const rejected: string[] = [];
  const seen = new Set<string>();
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
    const line = bytes.subarray(start, end);
    start = end + 1;
    if (line.length === 0 || seen.has(line.toString())) continue;
    const parsed = parseLine(line);
    if (parsed.kind === 'event') {
      seen.add(line.toString());
      events.push(parsed.event);
    } else {
      rejected.push(line.toString());
    }
  }
  return { events, rejected, tail: bytes.length - start };
}

export function seqsOf(read: ReadLines): number[] {
  return read.events.map((event) => event.seq ?? 0);
}

/** Absolute paths of a ledger's event files. */
export function eventFiles(ledger: string): string[] {
  const folder = path.join(ledger, 'events');
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ndjson'))
    .map((name) => path.join(folder, name))
    .toSorted();
}

/** The one event file of a ledger. */
export function readOnlyFile(ledger: string): ReadLines {
  const [file, ...others] = eventFiles(ledger);
  if (file === undefined || others.length > 0)
    throw new Error(`${others.length + 1} event files in ${ledger}`);
  return readLines(fs.readFileSync(file));
}

/** `1, 2, … count`. */
export function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
