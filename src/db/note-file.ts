// A small file beside the database that somebody else reads. Nothing depends on it: what cannot be written is not there.
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** Writes it whole or not at all, for its owner alone. */
export function writeNote(file: string, text: string): void {
  const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    writeFileSync(draft, text, { flag: 'wx', mode: 0o600 });
    renameSync(draft, file);
  } catch {
    // a full disk, perhaps, which the database will report
    discard(draft);
  }
}

function discard(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // a directory that is read-only now: it was not made then, or it is a draft that nobody reads
  }
}
