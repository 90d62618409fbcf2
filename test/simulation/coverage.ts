// How often each thing that can go wrong did so where it mattered: what never happens is not tested.

export const FAULTS = [
  // one call
  'ESTALE', 'EIO', 'EACCES', 'EMFILE', 'ENOENT once', 'hang of 10 s or more',
  // what a client believes
  'size late', 'size back', 'size of another file (inode reused)', 'pages as NULs', 'pages filled in any order',
  'NULs where text was read', 'last page torn', 'old file at a path', 'ESTALE at a path', 'negative lookup',
  // directories
  'directory late', 'name listed twice', 'name not listed', 'folder not listed', 'readdir failed',
  // the mount
  'mount away', 'mount away within a pass', 'mount point empty', 'another file system mounted', 'remount',
  'remount within a pass', 'ledger.json unreadable',
  // writers
  'late write-back', 'pages written in any order', 'power cut with lost lines', 'power cut that leaves NULs', 'SIGKILL',
  'short write healed', 'requeue', 'rival writer', 'closed', 'clock of a writer ahead', 'clock of a writer behind',
  // files
  'file gone and back', 'file truncated and restored',
  // the projector
  'killed at a storage call', 'killed while a call hangs', 'killed at a statement', 'killed within a transaction', 'killed between',
  'database full', 'database full within a transaction', 'restart', 'clock ahead', 'clock behind', 'clock jumps back',
  'clock jumps ahead', 'watch', 'hint', 'two projectors at once', 'rebuild', 'rebuild refused', 'rebuild cut off', 'verify',
  // what it made of it
  'frozen: truncated', 'frozen: rewritten', 'thawed', 'missing: gone', 'missing: unreadable', 'found again', 'waits for a hole',
  'NULs before the offset', 'hole given up', 'hole filled after it was given up', 'misplaced', 'complete', 'quiet', 'read to its end',
] as const; // prettier-ignore

export type Fault = (typeof FAULTS)[number];

export class Coverage {
  readonly counts = new Map<Fault, number>(FAULTS.map((fault) => [fault, 0]));

  hit(fault: Fault): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
  }

  /** What did not happen. */
  get missed(): Fault[] {
    return FAULTS.filter((fault) => this.counts.get(fault) === 0);
  }
}
