// One look at one file: what to read, whether its past is intact, what the new bytes come to.
import { isoTime, type Clock } from '../clock.ts';
import { MAX_LINE_BYTES } from '../events/parse.ts';
import { GONE, withStatus, type FileState } from './file-state.ts';
import { intake, type Batch, type IntakeContext } from './intake.ts';
import type { SpacedColumns } from './metric-columns.ts';
import { isProblem, type LedgerStorage, type Part, type StorageProblem } from './storage.ts';

/** A line with NULs is searched for its end so far in one pass, and as far again in the next. */
const HOLE_SCAN_BYTES = 64 * MAX_LINE_BYTES;

/** What a look came to: a batch to commit, or only a new state of the file. */
export interface Look {
  file: FileState;
  batch: Batch | undefined;
  /** Whether there is more to read at once. */
  hasMore: boolean;
}

/** Reads the next chunk, of `length` at most, with the bytes just before it that show whether it is still the same file. */
export function readChunk(
  file: FileState,
  storage: LedgerStorage,
  { limit, length, into }: { limit: number; length: number; into?: Uint8Array | undefined },
): Promise<Part | StorageProblem> {
  const from = readsFrom(file);
  return storage.read(file.path, from, Math.min(length + file.marker.length, limit - from), into);
}

function isInsideLongLine(file: FileState): boolean {
  return file.scanned > file.offset;
}

/** Where the next read begins. */
export function readsFrom(file: FileState): number {
  return isInsideLongLine(file) ? file.scanned : file.offset - file.marker.length;
}

/** `ahead` is what another thread has parsed of these new bytes. */
export async function look(
  file: FileState,
  read: Part | StorageProblem,
  limit: number,
  context: IntakeContext,
  ahead?: SpacedColumns,
): Promise<Look> {
  const now = isoTime(context.clock.now());
  if (isProblem(read)) {
    const reason = read.reason === 'ENOENT' ? GONE : read.reason;
    return stateOnly(withStatus(file, 'missing', reason, now));
  }
  const { size, mtimeMs, uid = null, links = null } = read;
  const seen = { ...file, size, mtimeMs, uid, links };
  const distrust = await context.trust.whyNot(read);
  if (distrust !== undefined) return stateOnly(withStatus(seen, 'untrusted', distrust, now));
  if (read.size < file.offset) return stateOnly(withStatus(seen, 'frozen', 'truncated', now));
  if (read.size < file.scanned) {
    // the end of a line that is not complete was taken back: look for its LF from its start again
    return { ...stateOnly({ ...seen, scanned: 0, scannedNul: false }), hasMore: true };
  }
  const overlap = isInsideLongLine(file) ? 0 : file.marker.length;
  const before = read.bytes.subarray(0, overlap);
  if (!before.equals(file.marker.subarray(0, overlap)))
    return stateOnly(suspect(seen, before, context.clock));
  const bytes = read.bytes.subarray(overlap);
  if (bytes.length === 0) return stateOnly(returned(seen, now));
  const batch = await intake(seen, bytes, context, ahead);
  return { file: batch.file, batch, hasMore: hasMore(seen, batch.file, Math.min(read.size, limit)) };
}

function stateOnly(file: FileState): Look {
  return { file, batch: undefined, hasMore: false };
}

/** NULs where text was read are pages that a network file system has not brought: right a moment later. */
function suspect(file: FileState, bytes: Buffer, clock: Clock): FileState {
  const now = isoTime(clock.now());
  if (bytes.includes(0)) return withStatus(file, 'live', 'nul_before_offset', now);
  return withStatus(file, 'frozen', 'rewritten', now);
}

/** A file that was missing, not trusted, or frozen for bytes that are back, and has nothing new. */
function returned(file: FileState, now: string): FileState {
  const { state, reason } = file;
  const isBack = state === 'missing' || state === 'frozen' || state === 'untrusted' || reason !== null;
  return isBack ? withStatus(file, 'live', null, now) : file;
}

function hasMore(before: FileState, after: FileState, end: number): boolean {
  if (after.state !== 'live') return false;
  const position = Math.max(after.offset, after.scanned);
  const hasMoved = position > Math.max(before.offset, before.scanned);
  const mayGoOn = after.reason === null || (after.scannedNul && sliceOf(before) === sliceOf(after));
  return hasMoved && mayGoOn && position < end;
}

/** Which part of a line with NULs the search for its end has come to. */
function sliceOf(file: FileState): number {
  return isInsideLongLine(file) ? Math.floor((file.scanned - file.offset) / HOLE_SCAN_BYTES) : 0;
}
