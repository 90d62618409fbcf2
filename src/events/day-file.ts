// A file of one day that several processes of one user on one machine append to, one after the other.
//
// It has no header: one process, one file is for writers with an id of their own. By the format it is a file made by
// hand, in which the place of a line takes the place of its number. Its name has the host, because two machines that
// append to one file over NFS destroy each other's lines, and the user, who may not write what others own.
import { constants } from 'node:fs';
import { lstat, mkdir, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../errors.ts';
import { OPEN_FLAGS } from './file-io.ts';
import { EVENT_FILE_SUFFIX, EVENTS_DIR } from './layout.ts';
import { lineOf } from './line-file.ts';
import { eventFileMode, sharedModeOf } from './shared-mode.ts';

export interface DayFile {
  /** The ledger's directory, which the caller has found to be one. */
  ledger: string;
  /** What the file is for: the first part of its name. */
  purpose: string;
  host: string;
  user: string;
  nowMs: number;
}

const LONGEST_PART = 64;

/** Relative to the ledger, with forward slashes. */
export function dayFilePath({ purpose, host, user, nowMs }: Omit<DayFile, 'ledger'>): string {
  const [day = ''] = new Date(nowMs).toISOString().split('T');
  return `${EVENTS_DIR}/${day}/${[purpose, plain(host), plain(user)].join('-')}${EVENT_FILE_SUFFIX}`;
}

function plain(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, LONGEST_PART);
}

/**
 * Appends the events as lines by one write, so that no other process gets between them, and fsyncs. No event, no
 * file. Off the thread: a mount that hangs holds nobody else up.
 *
 * @throws a system error; some of the lines may be in the file then. To write them again does no harm.
 */
export async function appendToDayFile(
  file: DayFile,
  events: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  if (events.length === 0) return;
  const place = path.join(file.ledger, ...dayFilePath(file).split('/'));
  const lines = events.map((event) => lineOf(JSON.stringify(event)).text).join('');
  const { handle, isNew } = await openOrMake(place);
  try {
    // whoever wrote before may have been cut off within a line: that becomes one rejected line
    await writeWhole(handle, isNew ? lines : `\n${lines}`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (isNew) await syncDirectory(path.dirname(place));
}

const APPEND =
  constants.O_WRONLY | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

async function openOrMake(place: string): Promise<{ handle: FileHandle; isNew: boolean }> {
  const day = path.dirname(place);
  const shared = sharedModeOf((await lstat(path.dirname(day))).mode);
  try {
    await mkdir(day);
    if (shared !== undefined) await changeMode(await open(day, OPEN_FLAGS.directory), shared, 'close');
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  try {
    const handle = await open(place, APPEND | constants.O_CREAT | constants.O_EXCL, 0o666);
    if (shared !== undefined) await changeMode(handle, eventFileMode(shared), 'keep');
    return { handle, isNew: true };
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return { handle: await open(place, APPEND), isNew: false };
  }
}

async function changeMode(handle: FileHandle, mode: number, then: 'close' | 'keep'): Promise<void> {
  try {
    await handle.chmod(mode);
  } catch (error) {
    // the lines can be written all the same, and doctor says who cannot read them
    if (errnoOf(error) === undefined) throw error;
  } finally {
    if (then === 'close') await handle.close();
  }
}

async function writeWhole(handle: FileHandle, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const { bytesWritten } = await handle.write(bytes);
  if (bytesWritten === bytes.length) return;
  // what is left begins within a line, which its first part makes whole again
  const { bytesWritten: more } = await handle.write(bytes.subarray(bytesWritten));
  if (bytesWritten + more < bytes.length) {
    throw new Error(`only ${bytesWritten + more} of ${bytes.length} bytes could be written`);
  }
}

async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Some file systems cannot fsync a directory; the file itself is fsynced, and says so if it fails.
  }
}
