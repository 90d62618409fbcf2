// How often what is looked at. docs/architecture.md has this table, tested against it.

/** A hole is given up when nothing has been written for so long. */
export const HOLE_PATIENCE_MS = 15 * 60_000;

/** All in milliseconds. */
export const PACE = {
  /** After a hint the path is looked at again: the hint may have come before the last append. */
  secondLook: 100,
  /** A live file that has just grown is looked at again after this. */
  firstLook: 500,
  /** A silent live file is looked at ever less often, up to this. */
  slowestLook: 30_000,
  /** Today's folders and those of live files are listed this often. */
  listing: 2_000,
  /** Complete and quiet files, old folders and holes are looked at this often. */
  slowSweep: 60 * 60_000,
  /** A file silent for so long whose runs are all finished is quiet. */
  quietAfter: 60 * 60_000,
  /** A command that can do without the storage does so if it has not answered within this. */
  answerWithin: 5_000,
  /** The storage is reported as hanging when a call has not come back for so long. */
  hangAfter: 10_000,
  /** Who is told to end waits no longer than this for a call that hangs. */
  abandonAfter: 2_000,
} as const;

/** The time to the next look at a live file that has been silent for `silentMs`. */
export function nextLookIn(silentMs: number): number {
  return Math.min(PACE.slowestLook, Math.max(PACE.firstLook, silentMs / 8));
}
