// Event files for tests, written as their events: `writerFile(A, created(0), metric(1, { loss: 2 }))`.
import { eventFilePath } from '../../src/events/layout.ts';

export type Fields = Readonly<Record<string, unknown>>;

export interface GivenFile {
  path: string;
  bytes: Buffer;
}

/** ULIDs of 2026-11-23T10:00:00.000Z, and one of the day after. */
export const A = '01M83XJ880AAAAAAAAAAAAAAAA';
export const B = '01M83XJ880BBBBBBBBBBBBBBBB';
export const C = '01M83XJ880CCCCCCCCCCCCCCCC';
export const TOMORROW = '01M86G000000000000000000TT';

export const DAY = '2026-11-23';
const ORIGIN = 'h-1';
export const KEY = { experiment_number: 1, dataset: 'mnist', method: 'cnn', seed: 7 };
/** Of [1,"mnist","cnn",null,null,7], computed with Python's hashlib. */
export const RUN = 'nj7pvsfsspj3f97g';

const START_MS = Date.UTC(2026, 10, 23, 10);

/** So many minutes after 2026-11-23T10:00:00.000Z. */
export function at(minute: number): string {
  return new Date(START_MS + minute * 60_000).toISOString();
}

function ofRun(type: string, minute: number, fields: Fields): Fields {
  return { type, ts: at(minute), run_id: RUN, ...fields };
}

export function created(minute: number, fields: Fields = {}): Fields {
  return ofRun('run_created', minute, { ...KEY, ...fields });
}

export function status(minute: number, word: string, fields: Fields = {}): Fields {
  return ofRun('status_changed', minute, { status: word, ...fields });
}

export function metric(minute: number, fields: Fields = {}): Fields {
  return ofRun('metric', minute, { elapsed_seconds: minute * 60, ...fields });
}

export function result(minute: number, results: Fields, fields: Fields = {}): Fields {
  return ofRun('result', minute, { results, ...fields });
}

export function errorEvent(minute: number, fields: Fields = {}): Fields {
  return ofRun('error', minute, { exception_type: 'ValueError', message: 'no', ...fields });
}

export function slurm(minute: number, source: 'env' | 'squeue' | 'sacct', fields: Fields = {}): Fields {
  // what SLURM says must name its attempt; these are about the first writer's, unless a test says otherwise
  const attempt = source === 'env' ? {} : { attempt: A };
  return ofRun('slurm_info', minute, { job_id: '100', source, ...attempt, ...fields });
}

export function annotated(minute: number, fields: Fields): Fields {
  return ofRun('run_annotated', minute, fields);
}

export function sample(minute: number, fields: Fields = {}): Fields {
  return ofRun('resource_sample', minute, { elapsed_seconds: minute * 60, ...fields });
}

export function closed(minute: number, events: number, fields: Fields = {}): Fields {
  return { type: 'writer_closed', ts: at(minute), events, ...fields };
}

export function header(writer: string, fields: Fields = {}): Fields {
  return {
    type: 'writer_opened',
    ts: at(0),
    seq: 1,
    format: 1,
    writer,
    origin: ORIGIN,
    host: 'node1',
    pid: 4711,
    user: 'ada',
    client: { name: 'test', version: '1' },
    ...fields,
  };
}

/** An object is a line, a string is the bytes as they stand. */
export type Item = Fields | string | Buffer;

export function file(path: string, ...items: Item[]): GivenFile {
  return { path, bytes: Buffer.concat(items.map(bytesOf)) };
}

function bytesOf(item: Item): Buffer {
  if (Buffer.isBuffer(item)) return item;
  return Buffer.from(typeof item === 'string' ? item : `${JSON.stringify(item)}\n`);
}

/** Gives the objects that have no `seq` the next one: 2, 3 …, whatever stands between them. */
export function numbered(items: readonly Item[], first = 2): Item[] {
  let next = first;
  return items.map((item) => {
    if (typeof item === 'string' || Buffer.isBuffer(item)) return item;
    const line: Fields = 'seq' in item ? item : { ...item, seq: next };
    if (typeof line['seq'] === 'number') next = line['seq'] + 1;
    return line;
  });
}

/** The file of a writer, well placed, with its header. */
export function writerFile(writer: string, ...items: Item[]): GivenFile {
  return writerFileWith(writer, {}, ...items);
}

/** The same with other fields in the header; its `origin` names the file too. */
export function writerFileWith(writer: string, open: Fields, ...items: Item[]): GivenFile {
  const path = eventFilePath(writer, String(open['origin'] ?? ORIGIN));
  return file(path, header(writer, open), ...numbered(items));
}

/** A file that somebody wrote by hand. */
export function notes(...items: Item[]): GivenFile {
  return file(NOTES, ...items);
}
export const NOTES = `events/${DAY}/notes.ndjson`;

/** An event as a line without its LF, to be put together with other text. */
export function text(event: Fields): string {
  return JSON.stringify(event);
}
