// Files that only their owner may read: SQLite gives -wal and -shm the mode of the database file.
import { closeSync, openSync } from 'node:fs';
import { errnoOf } from '../errors.ts';

/** Makes an empty file of mode 0600 if there is none. */
export function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}
