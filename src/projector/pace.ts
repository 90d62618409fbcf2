// How often what is looked at. docs/architecture.md has this table, tested against it.

/** A hole is given up when nothing has been written for so long. */
export const HOLE_PATIENCE_MS = 15 * 60_000;

/** All in milliseconds. */
export const PACE = {
  /** After a hint the path is looked at again: the hint may have come before the last append. */
  secondLook: 100,
  /** A live file that has just grown is looked at again after this. */
  firstLook: 500,
  /** A file with a rhythm is looked at so long after its next line is expected. */
  soonAfter: 100,
  /** A silent live file is looked at ever less often, up to this. */
  slowestLook: 30_000,
  /** After each look at files there is a rest as long as it took, up to this. */
  longestRest: 1_000,
  /** Today's folders and those of live files are listed this often. */
  listing: 2_000,
  /** A folder is listed again for so long after it has changed: some file systems count time in whole seconds. */
  clockStep: 2_000,
  /** The clock of the storage is taken to be no further from ours. */
  clockDifference: 15 * 60_000,
  /** How often the calls to the storage are written down for `runfold status`. */
  report: 10_000,
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
