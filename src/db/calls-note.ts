// What `watch` asked the shared storage for, in a small file beside the database: `status` reads it there.
import { readFileSync } from 'node:fs';
import { writeNote } from './note-file.ts';

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

/** Where it cannot be written one line of `status` is missing. */
export function writeCallsNote(databaseFile: string, note: StorageCalls): void {
  writeNote(noteFile(databaseFile), JSON.stringify(note));
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
