// What `watch` asked the shared storage for, in a small file beside the database: `status` reads it there.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

export interface StorageCalls {
  /** `2026-11-23T10:15:00.123Z` */
  at: string;
  /** Calls in the minute before: each open, stat, read, close, and read of a folder. */
  calls: number;
  /** As many as there may be in a minute, and for each live file; null: no limit. */
  budget: number | null;
  per_file: number | null;
  live_files: number;
}

export function writeCallsNote(databaseFile: string, note: StorageCalls): void {
  const file = noteFile(databaseFile);
  const draft = `${file}.tmp`;
  try {
    rmSync(draft, { force: true });
    writeFileSync(draft, JSON.stringify(note), { flag: 'wx', mode: 0o600 });
    renameSync(draft, file);
  } catch {
    // a full disk, perhaps, which the database will report: without the note one line of `status` is missing
    discard(draft);
  }
}

function discard(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // the next one begins with that
  }
}

/** Undefined if there is none, or none that can be read. */
export function readCallsNote(databaseFile: string): StorageCalls | undefined {
  try {
    const note = JSON.parse(readFileSync(noteFile(databaseFile), 'utf8')) as StorageCalls;
    return Number.isFinite(note.calls) && !Number.isNaN(Date.parse(note.at)) ? note : undefined;
  } catch {
    // no watch has run, or what it wrote is damaged: nothing is known then
    return undefined;
  }
}

function noteFile(databaseFile: string): string {
  return `${databaseFile}.calls`;
}
