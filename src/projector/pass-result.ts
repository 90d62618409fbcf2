// What a pass has done, and how far it is.
import type { Batch } from './intake.ts';
import type { StorageProblem } from './storage.ts';

export interface PassProgress {
  /** Of the files looked at so far: bytes read, and bytes there. */
  bytesDone: number;
  bytesTotal: number;
  lines: number;
}

export interface PassResult {
  files: number;
  lines: number;
  events: number;
  rejected: number;
  /** Paths that had something new. */
  grown: string[];
  /** Below `events/`, but no event files, or unreadable, in the folders that were listed. */
  strangers: StorageProblem[];
  /** Whether a sweep began with it, or ended. */
  thorough: boolean;
  /** Calls to the storage before files were read: to list them, and to see whether lost ones are back. */
  listingCalls: number;
}

export function emptyResult(thorough: boolean): PassResult {
  return {
    files: 0, lines: 0, events: 0, rejected: 0, grown: [], strangers: [], thorough, listingCalls: 0,
  }; // prettier-ignore
}

/** `progress` is of each file: bytes read, and bytes there. */
export function count(
  { file, lines, events, rejected }: Batch,
  result: PassResult,
  progress: Map<string, { done: number; total: number }>,
  onLines: ((path: string, lines: number) => void) | undefined,
): void {
  result.lines += lines;
  result.events += events;
  result.rejected += rejected;
  if (lines > 0) onLines?.(file.path, lines);
  if (lines > 0 && !progress.has(file.path)) result.grown.push(file.path);
  const position = Math.max(file.offset, file.scanned);
  progress.set(file.path, { done: position, total: Math.max(file.size, position) });
}

export function sumUp(
  progress: ReadonlyMap<string, { done: number; total: number }>,
  lines: number,
): PassProgress {
  let bytesDone = 0;
  let bytesTotal = 0;
  for (const { done, total } of progress.values()) {
    bytesDone += done;
    bytesTotal += total;
  }
  return { bytesDone, bytesTotal, lines };
}
