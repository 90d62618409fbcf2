// Where a ledger keeps what: names of files, both ways. No I/O.
import { decodeTime } from 'ulid';

export const LEDGER_FILE = 'ledger.json';
export const EVENTS_DIR = 'events';
/** Copies of grids that were submitted; no reader of events looks there. */
export const GRIDS_DIR = 'grids';
export const EVENT_FILE_SUFFIX = '.ndjson';

const LIKE_A_ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}/i;
const ORIGIN = /^[A-Za-z0-9._-]{1,64}$/;

/** Such a file name is never taken for a hand-made file, whatever follows the first 26 characters. */
export function isNamedLikeUlid(name: string): boolean {
  return LIKE_A_ULID.test(name);
}

export function isOrigin(text: string): boolean {
  return ORIGIN.test(text);
}

/** The UTC day of a ULID's time, `YYYY-MM-DD`. */
export function dayOfUlid(ulid: string): string {
  const [day = ''] = new Date(decodeTime(ulid)).toISOString().split('T');
  return day;
}

/** The one path at which a writer's file counts, relative to the ledger, with forward slashes. */
export function eventFilePath(writer: string, origin: string): string {
  return `${EVENTS_DIR}/${dayOfUlid(writer)}/${writer}-${origin}${EVENT_FILE_SUFFIX}`;
}

/** The writer id of a hand-made file: `<folder>/<stem>`. */
export function handMadeWriter(path: string): string {
  return path.slice(EVENTS_DIR.length + 1, -EVENT_FILE_SUFFIX.length);
}
