// Who has no database starts from the snapshot in the log, if there is one to be trusted, and goes on from its offsets.
import { existsSync, renameSync, rmSync, statSync, type Stats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isoTime, type Clock } from '../clock.ts';
import { HEADER_BYTES, inspect, whyNotHeader } from '../db/adopt.ts';
import { ProjectorLock } from '../db/lock.ts';
import { SNAPSHOT_FILE } from '../db/snapshot.ts';
import { isOver, removeRemains, syncFile } from '../db/swap.ts';
import { errnoOf, messageOf, RunfoldError } from '../errors.ts';
import { OPEN_FLAGS } from '../events/file-io.ts';
import type { Place } from './open.ts';
import type { TrustLevel } from './trust.ts';

export interface StartOptions {
  clock: Clock;
  signal?: AbortSignal | undefined;
  trust?: TrustLevel | undefined;
}

/**
 * `not_needed`: there is a database, or somebody is making one. `absent`: there is no snapshot. `refused`: there is
 * one, and why it is not used.
 */
export type Start =
  | { kind: 'not_needed' | 'absent' }
  | { kind: 'refused'; snapshot: string; why: string }
  | { kind: 'started'; snapshot: string; asOf: string | null };

const START_SUFFIX = '.start-';
const COPY_BYTES = 4 * 1_048_576;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Makes the database of a place from the snapshot in its log if there is no database. What it cannot use it leaves:
 * then the log is read from its beginning.
 *
 * @throws RunfoldError `database_unsafe`; an AbortError on the signal; a system error of the local disk.
 */
export async function startFromSnapshot(place: Place, options: StartOptions): Promise<Start> {
  if (isThere(place.file)) return { kind: 'not_needed' };
  const snapshot = path.join(place.ledger.path, SNAPSHOT_FILE);
  const source = await openSnapshot(snapshot);
  if (source === undefined) return { kind: 'absent' };
  if (typeof source === 'string') return { kind: 'refused', snapshot, why: source };
  try {
    const whyNot = await whyNotFile(source, place.ledger.path);
    if (whyNot !== undefined) return { kind: 'refused', snapshot, why: whyNot };
    using lock = lockIfFree(place, options.clock);
    // looked at again: whoever held the lock may have made it
    if (lock === undefined || isThere(place.file)) return { kind: 'not_needed' };
    return await takeOver(source, snapshot, place, options);
  } finally {
    await source.close();
  }
}

/** A file that was made and has nothing in it is no database yet. */
function isThere(file: string): boolean {
  return existsSync(file) && statSync(file).size > 0;
}

/** A text says why it cannot be opened. */
async function openSnapshot(snapshot: string): Promise<FileHandle | string | undefined> {
  try {
    return await open(snapshot, OPEN_FLAGS.read);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') return undefined;
    return code === 'ELOOP' ? 'it is a symbolic link' : `it cannot be opened: ${messageOf(error)}`;
  }
}

async function whyNotFile(source: FileHandle, root: string): Promise<string | undefined> {
  const stats = await source.stat();
  if (!stats.isFile()) return 'it is no regular file';
  const { uid: owner } = await stat(root);
  const self = process.getuid?.() ?? 0;
  if (![owner, self, 0].includes(stats.uid)) {
    return `it belongs to uid ${stats.uid}, who is neither the log’s owner nor you`;
  }
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0) return 'others can write it';
  const header = Buffer.alloc(HEADER_BYTES);
  const { bytesRead } = await source.read(header, 0, header.length, 0);
  return whyNotHeader(header.subarray(0, bytesRead), stats.size);
}

function lockIfFree({ file }: Place, clock: Clock): ProjectorLock | undefined {
  const since = isoTime(clock.now());
  try {
    return ProjectorLock.acquire(file, { host: os.hostname(), pid: process.pid, since, purpose: 'start' });
  } catch (error) {
    if (error instanceof RunfoldError && error.code === 'projector_running') return undefined;
    throw error;
  }
}

async function takeOver(
  source: FileHandle,
  snapshot: string,
  { file, ledger }: Place,
  { signal, trust }: StartOptions,
): Promise<Start> {
  removeRemains(file, START_SUFFIX, (pid) => pid === process.pid || isOver(pid));
  const copy = `${file}${START_SUFFIX}${process.pid}`;
  try {
    const stats = await source.stat();
    const problem = await copyInto(copy, source, stats, signal);
    if (problem !== undefined) return { kind: 'refused', snapshot, why: problem };
    const found = inspect(copy, { ledgerId: ledger.ledger_id, trust });
    if ('whyNot' in found) return { kind: 'refused', snapshot, why: found.whyNot };
    renameSync(copy, file);
    syncFile(path.dirname(file));
    return { kind: 'started', snapshot, asOf: found.asOf };
  } finally {
    for (const suffix of ['', '-journal']) rmSync(copy + suffix, { force: true });
  }
}

/** What is wrong with the source, undefined if all has been copied. A new snapshot in its place changes nothing. */
async function copyInto(
  copy: string,
  source: FileHandle,
  { size }: Stats,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const into = await open(copy, 'wx', 0o600);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(COPY_BYTES, size));
    for (let position = 0; position < size;) {
      signal?.throwIfAborted();
      const { bytesRead } = await readOrSay(source, buffer, position);
      if (typeof bytesRead === 'string') return bytesRead;
      if (bytesRead === 0) return 'it is cut off';
      await into.writeFile(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
    await into.sync();
    return undefined;
  } finally {
    await into.close();
  }
}

async function readOrSay(
  source: FileHandle,
  buffer: Buffer,
  position: number,
): Promise<{ bytesRead: number | string }> {
  try {
    return await source.read(buffer, 0, buffer.length, position);
  } catch (error) {
    // ESTALE: another one has taken its place, and the server has forgotten it
    return { bytesRead: `it cannot be read: ${messageOf(error)}` };
  }
}
