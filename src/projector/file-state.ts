// What is known of one event file, and how far it has been read.

/**
 * live: read on. quiet: its runs are finished and it has been silent for long. complete: its writer closed it
 * and every line came. frozen: not read on, for a reason that can pass
 * (truncated, rewritten) or that the file itself says (second_header, other_format). misplaced: its name says another writer.
 * missing: gone or unreadable. untrusted: of an owner whose files are not to be read.
 */
export type FileStatus = 'live' | 'quiet' | 'complete' | 'frozen' | 'misplaced' | 'missing' | 'untrusted';

export interface FileState {
  /** Relative to the ledger, with forward slashes. */
  path: string;
  state: FileStatus;
  /** Why it is frozen, misplaced or missing, or what a live file waits for; null if there is nothing to say. */
  reason: string | null;
  /** Undecided (null) until the first valid line. */
  kind: 'writer' | 'hand_made' | null;
  writer: string | null;
  /** The default attempt of its events. */
  attempt: string | null;
  host: string | null;
  /** As its header says, which anybody may write. */
  user: string | null;
  /** Whose it is, as the storage says at the last look. */
  uid: number | null;
  /** How many names the file has. */
  links: number | null;
  /** Where the first line that is not applied or rejected begins, in bytes. */
  offset: number;
  /** Beyond `offset` while the line there is longer than any line may be: where to look for its LF. */
  scanned: number;
  /** Whether a NUL byte was seen between `offset` and `scanned`. */
  scannedNul: boolean;
  /** CRC-32 of all bytes before `offset`, without lines that are holes or too long. */
  crc: number;
  /** The last bytes before `offset`, at most MARKER_BYTES, none from before a hole or a line too long. */
  marker: Buffer;
  /** Holes that end at or before this offset are given up without waiting. */
  holesUntil: number;
  size: number;
  mtimeMs: number;
  /** Events applied, without the header and the end; equal lines seen again; lines of unknown type; lines after `writer_closed`. */
  events: number;
  repeats: number;
  unknown: number;
  afterClose: number;
  maxSeq: number;
  closedSeq: number | null;
  /** `ts` of the last valid line. */
  lastTs: string | null;
  /** When `state` or `reason` last changed. */
  since: string;
  /** Kept in memory only: the stretch of seq that the next line may continue; undefined if not looked up. */
  stretch?: Stretch | null | undefined;
}

/** Consecutive seq of consecutive lines; `offset` is where the line of `first` begins. */
export interface Stretch {
  first: number;
  last: number;
  offset: number;
}

export const MARKER_BYTES = 64;

/** Why a file is missing that is not there; other reasons are errnos. */
export const GONE = 'gone';

const UNREAD = {
  state: 'live',
  reason: null,
  kind: null,
  writer: null,
  attempt: null,
  host: null,
  user: null,
  offset: 0,
  scanned: 0,
  scannedNul: false,
  crc: 0,
  marker: Buffer.alloc(0),
  events: 0,
  repeats: 0,
  unknown: 0,
  afterClose: 0,
  maxSeq: 0,
  closedSeq: null,
  lastTs: null,
  stretch: null,
} as const;

export function newFileState(path: string, since: string): FileState {
  return { ...UNREAD, path, uid: null, links: null, holesUntil: 0, size: 0, mtimeMs: 0, since };
}

/** As if nothing of it had been read, save that holes given up once are not waited for again. */
export function unread(file: FileState, since: string): FileState {
  return { ...file, ...UNREAD, holesUntil: Math.max(file.holesUntil, file.offset), since };
}

/** Nothing of a misplaced file is applied; `rival` is the writer whose file another one is. */
export function misplaced(file: FileState, reason: string, rival: string | null, since: string): FileState {
  return { ...unread(file, since), state: 'misplaced', reason, writer: rival };
}

export function withStatus(
  file: FileState,
  state: FileStatus,
  reason: string | null,
  now: string,
): FileState {
  if (file.state === state && file.reason === reason) return file;
  return { ...file, state, reason, since: now };
}

/** Frozen because its bytes are not what they were: outside the law, until they are again. */
export function isTampered(file: Pick<FileState, 'state' | 'reason'>): boolean {
  return file.state === 'frozen' && (file.reason === 'truncated' || file.reason === 'rewritten');
}

/** Nothing more is expected of it: only the slow sweep looks at it. */
export function isAtRest({ state }: Pick<FileState, 'state'>): boolean {
  return state === 'complete' || state === 'quiet';
}

/** Whether anything of the file is in the tables or reported. */
export function hasBeenRead(file: FileState): boolean {
  return file.state !== 'misplaced' && file.offset > 0;
}
