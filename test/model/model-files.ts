/**
 * The model, part 2: the lines of one file -> its header, events and rejected lines (rules 12 to 15, holes,
 * and what stops a file); then which files count at all.
 */
import { dayOfUlid, judge, splitLines } from './model-lines.ts';
import type { JsonObject, Line, LineEvent } from './model-lines.ts';

export interface ModelFile {
  /** relative to the ledger, e.g. "events/2026-11-23/01J...-host-1.ndjson" */
  path: string;
  bytes: Uint8Array;
  /** true if the file's mtime is at least 15 minutes old: every hole in it is given up */
  quiet: boolean;
  /** holes that end at or before this offset have been given up earlier (default 0) */
  holesUntil?: number;
}

export interface Event {
  type: string;
  ts: string;
  writer: string;
  seq: number;
  run: string;
  attempt: string;
  fields: JsonObject;
  /** of the header of its writer; a hand-made file has neither */
  host: string | null;
  user: string | null;
}

export interface Rejected {
  file: string;
  offset: number;
  length: number;
  code: string;
}

interface Reading {
  path: string;
  /** undecided: no valid line of known type yet */
  kind: 'undecided' | 'headed' | 'hand_made';
  header: LineEvent | undefined;
  accepted: { line: Line; event: LineEvent }[];
  rejected: Rejected[];
  /** the lines that count as valid where holes are concerned */
  valid: { offset: number; ts: string }[];
  waitsAt: Line | undefined;
}

const QUARTER_HOUR_MS = 15 * 60 * 1000;
const NAMED_LIKE_A_ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}/i;
const EVENT_FILE = /^events\/([^./][^/]*)\/([^./][^/]*)\.ndjson$/;

export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

export function readFiles(files: readonly ModelFile[]): { events: Event[]; rejected: Rejected[] } {
  const readings = files.filter((file) => EVENT_FILE.test(file.path)).map(readFile);
  const counted = readings.filter((reading) => !isMisplaced(reading, readings));
  return {
    events: counted.flatMap(eventsOf),
    rejected: counted.flatMap((reading) => reading.rejected),
  };
}

function nameOf(path: string): { folder: string; stem: string } {
  const m = EVENT_FILE.exec(path);
  return { folder: m?.[1] ?? '', stem: m?.[2] ?? '' };
}

/**
 * A misplaced file is "not read": none of its lines is in _rejected either, those before its header included.
 */
function isMisplaced(reading: Reading, all: readonly Reading[]): boolean {
  if (reading.header === undefined) return false;
  if (!isInPlace(reading)) return true;
  const writer = reading.header.fields['writer'];
  return all.some(
    (other) =>
      other.header?.fields['writer'] === writer &&
      isInPlace(other) &&
      compareText(other.path, reading.path) < 0,
  );
}

function isInPlace(reading: Reading): boolean {
  const writer = text(reading.header?.fields['writer']);
  const origin = text(reading.header?.fields['origin']);
  return reading.path === `events/${dayOfUlid(writer)}/${writer}-${origin}.ndjson`;
}

function eventsOf(reading: Reading): Event[] {
  const { folder, stem } = nameOf(reading.path);
  const header = reading.header?.fields;
  const writer = header === undefined ? `${folder}/${stem}` : text(header['writer']);
  const attempt = header?.['attempt'] ?? writer;
  return reading.accepted.map(({ line, event }) => ({
    type: event.type,
    ts: text(event.fields['ts']),
    writer,
    seq: header === undefined ? line.offset : Number(event.fields['seq']),
    run: text(event.fields['run_id'] ?? ''),
    attempt: text(event.fields['attempt'] ?? attempt),
    fields: event.fields,
    host: header === undefined ? null : text(header['host']),
    user: header === undefined ? null : text(header['user']),
  }));
}

/** For fields that the schema has made strings. */
export function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('the model expected a string');
  return value;
}

/** Reads up to the first hole that waits, gives it up if that is allowed, and starts over. */
function readFile(file: ModelFile): Reading {
  const lines = splitLines(file.bytes);
  const givenUp = new Set<number>();
  for (;;) {
    const reading = walk(file.path, lines, (line) => givenUp.has(line.offset));
    const hole = reading.waitsAt;
    if (hole === undefined || !mayGiveUp(file, lines, reading, hole)) return reading;
    givenUp.add(hole.offset);
  }
}

/**
 * "A valid line after it" is one that would be valid if this hole and all later ones were given up: the words
 * define validity for a file that is read, so the file is read that way to see.
 */
function mayGiveUp(file: ModelFile, lines: readonly Line[], reading: Reading, hole: Line): boolean {
  if (file.quiet || hole.offset + hole.length <= (file.holesUntil ?? 0)) return true;
  const before = reading.valid.at(-1);
  if (before === undefined) return false;
  // The holes before this one have been given up already, or we would not be here.
  return walk(file.path, lines, () => true)
    .valid.filter((line) => line.offset > hole.offset)
    .some((line) => Date.parse(line.ts) - Date.parse(before.ts) >= QUARTER_HOUR_MS);
}

function walk(path: string, lines: readonly Line[], isGivenUp: (hole: Line) => boolean): Reading {
  const ulidNamed = NAMED_LIKE_A_ULID.test(nameOf(path).stem);
  const reading: Reading = {
    path,
    kind: 'undecided',
    header: undefined,
    accepted: [],
    rejected: [],
    valid: [],
    waitsAt: undefined,
  };
  for (const line of lines) {
    const reject = (code: string): void => {
      reading.rejected.push({ file: path, offset: line.offset, length: line.length, code });
    };
    const verdict = judge(line.content);
    if (verdict.kind === 'nothing' || verdict.kind === 'unknown') continue;
    if (verdict.kind === 'hole') {
      if (!isGivenUp(line)) {
        reading.waitsAt = line;
        return reading;
      }
      reject('nul_hole');
      continue;
    }
    if (verdict.kind === 'rejected') {
      reject(verdict.code);
      continue;
    }
    if (verdict.kind === 'other_format') {
      reject('other_format');
      return reading;
    }

    const event = verdict.event;
    const seq = event.fields['seq'] ?? null;
    const valid = { offset: line.offset, ts: text(event.fields['ts']) };

    // A would-be header is never no_header and makes no file hand-made: its seq is 1 or it is missing_seq.
    if (reading.kind === 'undecided' && event.type === 'writer_opened') {
      if (seq !== 1) {
        reject('missing_seq');
        continue;
      }
      reading.kind = 'headed';
      reading.header = event;
      reading.accepted.push({ line, event });
      reading.valid.push(valid);
      continue;
    }
    if (reading.kind === 'undecided') {
      if (ulidNamed) {
        reject('no_header');
        continue;
      }
      // In a hand-made file a writer_closed is not valid, so it is not what makes a file hand-made.
      if (event.type !== 'writer_closed') reading.kind = 'hand_made';
    }

    // A repeat is no rejection, so it counts as a valid line for holes, though not as another event.
    const earlier = reading.accepted.find((one) => one.event.fields['seq'] === seq);
    if (reading.kind === 'headed' && seq !== null && earlier?.line.content.equals(line.content)) {
      reading.valid.push(valid);
      continue;
    }
    // Before missing_seq and seq_conflict, so "valid" is rules 1 to 11 here: every real header has seq 1,
    // any two would merely conflict, and the second writer's lines would go on under the first one's name.
    if (event.type === 'writer_opened') {
      reject('second_header');
      reading.valid.push(valid);
      return reading;
    }
    if (reading.kind === 'headed' && seq === null) {
      reject('missing_seq');
      continue;
    }
    if (reading.kind === 'headed' && earlier !== undefined) {
      reject('seq_conflict');
      continue;
    }
    if (event.type === 'writer_closed') {
      if (reading.kind !== 'headed' || event.fields['events'] !== Number(seq) - 1) {
        reject('writer_closed_mismatch');
        continue;
      }
    }
    reading.accepted.push({ line, event });
    reading.valid.push(valid);
  }
  return reading;
}
