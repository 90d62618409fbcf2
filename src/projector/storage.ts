// The ledger's shared storage, as the projector sees it: lists and reads, never writes.
// All calls are asynchronous, so that a mount that hangs holds none of the threads that answer queries.
import { constants, type Dirent, type Stats } from 'node:fs';
import { lstat, open, readdir, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, messageOf, RunfoldError } from '../errors.ts';
import { nodeIo, SMALL_FILE_BYTES } from '../events/file-io.ts';
import { EVENT_FILE_SUFFIX, EVENTS_DIR, LEDGER_FILE } from '../events/layout.ts';
import { readLedger, type LedgerInfo } from '../events/ledger.ts';
import { Inside, type OpenFolder } from './inside.ts';

/** Bytes of a file from an offset on, with its size and mtime from the same open. */
export interface Part {
  size: number;
  mtimeMs: number;
  /** Whose it is, and how many names it has; undefined where the storage does not know. */
  uid?: number;
  gid?: number;
  links?: number;
  /** At most what was asked for, never beyond `size`. */
  bytes: Buffer;
}

/** A path that could not be listed or read, and why (an errno or a word). */
export interface StorageProblem {
  path: string;
  reason: string;
}

export interface Listing {
  /** Event files relative to the ledger, sorted. */
  files: string[];
  /** All else below `events/`, and folders that could not be listed. */
  strangers: StorageProblem[];
  /** Folders that were listed whole: a known file that is not in `files` and is of one of these is gone. */
  folders: Set<string>;
}

/** Injected, so that tests can stand in for an NFS that lies. */
export interface LedgerStorage {
  /** Reads `ledger.json`. @throws RunfoldError `ledger_not_found` (not mounted, perhaps), `ledger_unreadable`. */
  identify(): Promise<LedgerInfo>;
  /** Lists `events/`; `wanted` limits which of its folders are listed. Throws if `events/` cannot be listed. */
  list(wanted?: (folder: string) => boolean): Promise<Listing>;
  /** Reads at most `length` bytes from `from`. A path that cannot be read is a value, not an exception. */
  read(file: string, from: number, length: number): Promise<Part | StorageProblem>;
}

export function isProblem(result: Part | StorageProblem): result is StorageProblem {
  return 'reason' in result;
}

/** O_NOFOLLOW: no symbolic link posing as a log. O_NONBLOCK: a FIFO posing as one must not hang us. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class DirectoryStorage implements LedgerStorage {
  readonly #root: string;
  readonly #inside: Inside;

  constructor(root: string) {
    this.#root = root;
    this.#inside = new Inside(root);
  }

  async identify(): Promise<LedgerInfo> {
    const readText = await readSmall(path.join(this.#root, LEDGER_FILE)).then(
      (text) => () => text,
      (error: unknown) => () => {
        throw error;
      },
    );
    return readLedger(this.#root, { ...nodeIo, readText });
  }

  async list(wanted: (folder: string) => boolean = () => true): Promise<Listing> {
    const listing: Listing = { files: [], strangers: [], folders: new Set() };
    for (const entry of await this.#topEntries()) {
      const folder = `${EVENTS_DIR}/${entry.name}`;
      if (!entry.isDirectory() || entry.name.startsWith('.')) {
        listing.strangers.push({ path: folder, reason: kindOf(entry) });
      } else if (wanted(entry.name)) await this.#listFolder(folder, listing);
    }
    listing.files.sort();
    return listing;
  }

  async #listFolder(folder: string, listing: Listing): Promise<void> {
    let entries;
    try {
      entries = await this.#entries(folder);
    } catch (error) {
      listing.strangers.push({ path: folder, reason: errnoOf(error) ?? messageOf(error) });
      return;
    }
    listing.folders.add(folder);
    for (const entry of entries) {
      const file = `${folder}/${entry.name}`;
      const isEventFile =
        entry.isFile() && entry.name.endsWith(EVENT_FILE_SUFFIX) && !entry.name.startsWith('.');
      if (isEventFile) listing.files.push(file);
      else listing.strangers.push({ path: file, reason: kindOf(entry) });
    }
  }

  async #entries(folder: string): Promise<Dirent[]> {
    const opened = await this.#inside.open(folder);
    try {
      return await readdir(opened.at(), { withFileTypes: true });
    } finally {
      await opened.close();
    }
  }

  async #topEntries(): Promise<Dirent[]> {
    try {
      return await this.#entries(EVENTS_DIR);
    } catch (cause) {
      const events = path.join(this.#root, EVENTS_DIR);
      if (!(await lstat(events)).isSymbolicLink()) throw cause;
      throw new RunfoldError('ledger_unreadable', `${events} is a symbolic link, which is not followed`, {
        hint: 'Put the folder itself there. The log’s own directory may be a link, what is in it may not.',
        cause,
      });
    }
  }

  async read(file: string, from: number, length: number): Promise<Part | StorageProblem> {
    let folder: OpenFolder | undefined;
    let handle: FileHandle | undefined;
    try {
      // on NFS, without opening its directory first, a path may stand for an older file for most of a minute
      folder = await this.#inside.open(path.posix.dirname(file));
      handle = await open(folder.at(path.posix.basename(file)), OPEN_FLAGS);
      const stats = await handle.stat();
      if (!stats.isFile()) return { path: file, reason: kindOf(stats) };
      const bytes = await readFully(handle, from, Math.min(length, stats.size - from));
      const { size, mtimeMs, uid, gid, nlink: links } = stats;
      return { size, mtimeMs, uid, gid, links, bytes };
    } catch (error) {
      return { path: file, reason: errnoOf(error) ?? messageOf(error) };
    } finally {
      // nothing was written through them: whatever close says, what was read was read
      await handle?.close().catch(() => undefined);
      await folder?.close().catch(() => undefined);
    }
  }
}

/** The same as `nodeIo.readText`, on another thread. */
async function readSmall(file: string): Promise<string> {
  // a FIFO that bears the name must not hang us
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error('it is not a regular file');
    if (stats.size > SMALL_FILE_BYTES) throw new Error(`it has ${stats.size} bytes`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

async function readFully(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  if (length <= 0) return Buffer.alloc(0);
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

function kindOf(
  entry: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket'>,
): string {
  if (entry.isFile()) return 'not an event file';
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'symbolic link';
  if (entry.isFIFO()) return 'FIFO';
  return entry.isSocket() ? 'socket' : 'device';
}
