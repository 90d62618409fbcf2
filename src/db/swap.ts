// Putting a newly built database in the place of the live one, while others may be reading it.
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../errors.ts';
import { openForWriting } from './open.ts';

const SIDE_FILES = ['-wal', '-shm', '-journal'];
const BUILD_SUFFIX = '.build-';
const VERIFY_SUFFIX = '.verify-';

/**
 * A path beside the live file for one that will take its place. Only for the holder of the lock: what other
 * builds have left is removed, for they have died.
 */
export function buildPath(file: string, pid: number): string {
  removeRemains(file, BUILD_SUFFIX, () => true);
  removeRemains(file, VERIFY_SUFFIX, isOver);
  return `${file}${BUILD_SUFFIX}${pid}`;
}

/** A path beside the live file for one that is compared with it; what those that died have left is removed. */
export function verifyPath(file: string, pid: number): string {
  removeRemains(file, VERIFY_SUFFIX, isOver);
  return `${file}${VERIFY_SUFFIX}${pid}`;
}

/** Removes files beside `file` that bear the number of a process, if `isLeft` says so of it. */
export function removeRemains(file: string, suffix: string, isLeft: (pid: number) => boolean): void {
  const directory = path.dirname(file);
  const prefix = path.basename(file) + suffix;
  for (const name of readdirSync(directory)) {
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (name.startsWith(prefix) && isLeft(pid)) rmSync(path.join(directory, name), { force: true });
  }
}

/** Whether a process of this machine has ended, and its id is nobody's now. */
export function isOver(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ESRCH';
  }
}

/** Removes a database file and what SQLite keeps beside it. */
export function removeDatabase(file: string): void {
  for (const suffix of ['', ...SIDE_FILES]) rmSync(file + suffix, { force: true });
}

/**
 * Makes the content of `built` that of `file`, in one transaction of `file`: whoever reads it sees the old
 * content until the end, then the new, and a crash leaves the old. (A rename over a WAL database would leave the
 * old `-wal` beside the new file.) A `file` that is damaged is kept as `<file>.damaged-<n>`: it may have rows that
 * nothing else has. One that is not there gets the built file itself.
 *
 * @returns where a damaged file was put.
 */
export async function swapIn(built: string, file: string, isDamaged: boolean): Promise<string | undefined> {
  const aside = isDamaged ? putAside(file) : undefined;
  if (existsSync(file)) await copyInto(built, file);
  else {
    syncFile(built);
    renameSync(built, file);
    syncFile(path.dirname(file));
  }
  return aside;
}

async function copyInto(built: string, file: string): Promise<void> {
  const source = openForWriting(built);
  try {
    await source.backup(file, { progress: () => 10_000 });
  } finally {
    source.close();
    removeDatabase(built);
  }
  const live = openForWriting(file);
  try {
    live.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    live.close();
  }
}

function putAside(file: string): string {
  let number = 1;
  while (existsSync(`${file}.damaged-${number}`)) number += 1;
  const aside = `${file}.damaged-${number}`;
  for (const suffix of ['', ...SIDE_FILES]) {
    try {
      renameSync(file + suffix, aside + suffix);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
  return aside;
}

/** What is in a file, or which files are in a directory, stays after a power cut. */
export function syncFile(file: string): void {
  const descriptor = openSync(file, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
