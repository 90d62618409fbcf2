// A log that a group shares: what a writer makes in it, the others can work with, whatever the writer's umask.
import { errnoOf } from '../errors.ts';
import { OPEN_FLAGS, type FileIo } from './file-io.ts';

/** Setgid, and the group may write: that is how `runfold init --shared` leaves `events/`. */
const SHARED = 0o2020;

/** The mode of `events/` if the log is shared, else undefined. Throws system errors. */
export function sharedMode(io: FileIo, events: string): number | undefined {
  return sharedModeOf(io.lstat(events).mode);
}

export function sharedModeOf(mode: number): number | undefined {
  return (mode & SHARED) === SHARED ? mode & 0o7777 : undefined;
}

/** Of an event file: its writer writes it, the group reads it, and others if they may look into `events/`. */
export function eventFileMode(shared: number): number {
  return 0o640 | (shared & 0o004);
}

/** Gives the group the folder of a day, which this process has just made. */
export function shareFolder(io: FileIo, folder: string, shared: number): void {
  quietly(() => {
    const fd = io.open(folder, OPEN_FLAGS.directory, 0);
    try {
      io.fchmod(fd, shared);
    } finally {
      io.close(fd);
    }
  });
}

/** Lets the group read an event file, which this process has just made. */
export function shareFile(io: FileIo, fd: number, shared: number): void {
  quietly(() => io.fchmod(fd, eventFileMode(shared)));
}

/** The lines can be written all the same; who cannot work with them is told so by doctor. */
function quietly(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
