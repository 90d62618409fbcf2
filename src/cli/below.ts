// What a process that writes for another one says to it.

/** Again and again; if it does not, it waits for the storage. */
export interface EmitProgress {
  /** Records that were taken from stdin. */
  read: number;
  /** Of these, those whose events are on the disk of the log, or were refused. */
  safe: number;
}

/** The variable that tells `emit -` that it is that process. */
export const BELOW = 'RUNFOLD_EMIT_BELOW';
export const PROGRESS_MS = 1000;
