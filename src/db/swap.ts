// Putting a newly built database in the place of the live one, while others may be reading it.
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, RunfoldError } from '../errors.ts';
import { openForWriting, type Db } from './open.ts';

const SIDE_FILES = ['-wal', '-shm', '-journal'];
const BUILD_SUFFIX = '.build-';

/** A path beside the live file for one that is being built; remains of builds that died are removed. */
export function buildPath(file: string, pid: number): string {
  removeBuilds(file);
  return `${file}${BUILD_SUFFIX}${pid}`;
}

/** Removes what builds beside `file` have left. Only for the holder of its lock. */
export function removeBuilds(file: string): void {
  const directory = path.dirname(file);
  const prefix = path.basename(file) + BUILD_SUFFIX;
  for (const name of readdirSync(directory)) {
    if (name.startsWith(prefix)) rmSync(path.join(directory, name), { force: true });
  }
}

/** Removes a database file and what SQLite keeps beside it. */
export function removeDatabase(file: string): void {
  for (const suffix of ['', ...SIDE_FILES]) rmSync(file + suffix, { force: true });
}

/**
 * Makes the content of `built` that of `file`, in one transaction of `file`: whoever reads it sees the old
 * content until the end, then the new, and a crash leaves the old. (A rename over a WAL database would leave the
 * old `-wal` beside the new file.) A `file` that is damaged is kept as `<file>.damaged-<n>`; one that is not
 * there gets the built file itself.
 *
 * @returns where a damaged file was put.
 */
export async function swapIn(built: string, file: string): Promise<string | undefined> {
  let live: Db | undefined;
  let aside: string | undefined;
  try {
    live = existsSync(file) ? openForWriting(file) : undefined;
  } catch (error) {
    if (!(error instanceof RunfoldError)) throw error;
    // an older schema is copied over like the same one; only damage is put aside
    if (error.code === 'database_corrupt') aside = putAside(file);
    else if (error.code !== 'database_outdated') throw error;
  }
  live?.close();
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
  live.pragma('wal_checkpoint(TRUNCATE)');
  live.close();
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

function syncFile(file: string): void {
  const descriptor = openSync(file, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
