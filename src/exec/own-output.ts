// Where the output of a process goes, if into a file.
import * as fs from 'node:fs';

/** Absolute path of the regular file that a descriptor writes to; undefined if it is none, or cannot be told. */
export function fileOf(pid: number, fd: number): string | undefined {
  try {
    const link = `/proc/${pid}/fd/${fd}`;
    const own = fs.statSync(link);
    if (!own.isFile()) return undefined;
    const name = fs.readlinkSync(link);
    const named = fs.statSync(name);
    // it may have been removed, or replaced
    return named.ino === own.ino && named.dev === own.dev ? name : undefined;
  } catch {
    // closed, not on Linux, or no longer there under its name: the path is only for people
    return undefined;
  }
}
