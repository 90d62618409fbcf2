// The ledger's shared storage, as the projector sees it: lists and reads, never writes.
// Calls that may hang are made on other threads, so that they hold none of those that answer queries.
import { constants, type Dirent } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, messageOf, RunfoldError } from '../errors.ts';
import { nodeIo, SMALL_FILE_BYTES } from '../events/file-io.ts';
import { EVENT_FILE_SUFFIX, EVENTS_DIR, LEDGER_FILE } from '../events/layout.ts';
import { readLedger, type LedgerInfo } from '../events/ledger.ts';
import { CallCount } from './call-count.ts';
import { threadedCalls, type FileCalls } from './file-calls.ts';
import { FolderReads } from './folder-reads.ts';
import { Inside } from './inside.ts';
import { kindOf } from './kind-of.ts';

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
  /** Of these folders, where it is known: when something was last added, removed or renamed there. */
  changedAt?: ReadonlyMap<string, number>;
}

/** Whether what is in a folder is known, given when it last changed (milliseconds, by the storage's clock). */
export type IsKnown = (folder: string, changedAtMs: number) => boolean;

/** Injected, so that tests can stand in for an NFS that lies. */
export interface LedgerStorage {
  /** Reads `ledger.json`. @throws RunfoldError `ledger_not_found` (not mounted, perhaps), `ledger_unreadable`. */
  identify(): Promise<LedgerInfo>;
  /**
   * Lists `events/`; `wanted` limits which of its folders are listed, and one that `isKnown` may be left out (`folder`
   * is its name for the one and its path for the other). Throws if `events/` cannot be listed.
   */
  list(wanted?: (folder: string) => boolean, isKnown?: IsKnown): Promise<Listing>;
  /**
   * Reads at most `length` bytes from `from`. A path that cannot be read is a value, not an exception.
   *
   * @param into memory where the bytes may be put, if they have room there
   */
  read(file: string, from: number, length: number, into?: Uint8Array): Promise<Part | StorageProblem>;
  /** Calls to the file system that all of this has made so far, where they are counted. */
  readonly calls?: number;
}

export function isProblem(result: Part | StorageProblem): result is StorageProblem {
  return 'reason' in result;
}

/** The kernel gives so many names with one call, or more. */
const NAMES_PER_CALL = 300;

interface Entries {
  isKnown: boolean;
  changedAtMs: number;
  entries: Dirent[];
}

export class DirectoryStorage implements LedgerStorage {
  readonly #root: string;
  readonly #inside: Inside;
  readonly #count = new CallCount();
  readonly #reads: FolderReads;

  /** `calls`: how the many are made; `directCalls` only where none can hang. */
  constructor(root: string, calls: FileCalls = threadedCalls) {
    this.#root = root;
    this.#inside = new Inside(root, calls);
    this.#reads = new FolderReads(this.#inside, this.#count, calls);
  }

  get calls(): number {
    return this.#count.total;
  }

  async identify(): Promise<LedgerInfo> {
    // open, stat, read and close
    this.#count.add(4);
    const readText = await readSmall(path.join(this.#root, LEDGER_FILE)).then(
      (text) => () => text,
      (error: unknown) => () => {
        throw error;
      },
    );
    return readLedger(this.#root, { ...nodeIo, readText });
  }

  async list(wanted: (folder: string) => boolean = () => true, isKnown?: IsKnown): Promise<Listing> {
    const changedAt = new Map<string, number>();
    const listing: Listing = { files: [], strangers: [], folders: new Set(), changedAt };
    for (const entry of await this.#topEntries()) {
      const folder = `${EVENTS_DIR}/${entry.name}`;
      if (!entry.isDirectory() || entry.name.startsWith('.')) {
        listing.strangers.push({ path: folder, reason: kindOf(entry) });
        continue;
      }
      if (!wanted(entry.name)) continue;
      const changed = await this.#listFolder(folder, listing, isKnown);
      if (changed !== undefined) changedAt.set(folder, changed);
    }
    listing.files.sort();
    return listing;
  }

  /** Gives when the folder last changed; undefined if it was not listed. */
  async #listFolder(folder: string, listing: Listing, isKnown?: IsKnown): Promise<number | undefined> {
    let found;
    try {
      found = await this.#entries(folder, isKnown);
    } catch (error) {
      listing.strangers.push({ path: folder, reason: errnoOf(error) ?? messageOf(error) });
      return undefined;
    }
    if (found.isKnown) return undefined;
    listing.folders.add(folder);
    for (const entry of found.entries) {
      const isEventFile =
        entry.isFile() && entry.name.endsWith(EVENT_FILE_SUFFIX) && !entry.name.startsWith('.');
      const file = `${folder}/${entry.name}`;
      if (isEventFile) listing.files.push(file);
      else listing.strangers.push({ path: file, reason: kindOf(entry) });
    }
    return found.changedAtMs;
  }

  async #entries(folder: string, isKnown: IsKnown = () => false): Promise<Entries> {
    this.#count.add(3);
    const opened = await this.#inside.open(folder);
    try {
      // before the names: a change after it is seen as one the next time
      const changedAtMs = await opened.changedAtMs();
      if (isKnown(folder, changedAtMs)) return { isKnown: true, changedAtMs, entries: [] };
      const entries = await readdir(opened.at(), { withFileTypes: true });
      this.#count.add(3 + Math.floor(entries.length / NAMES_PER_CALL));
      return { isKnown: false, changedAtMs, entries };
    } finally {
      await opened.close();
    }
  }

  async #topEntries(): Promise<Dirent[]> {
    try {
      return (await this.#entries(EVENTS_DIR)).entries;
    } catch (cause) {
      const events = path.join(this.#root, EVENTS_DIR);
      if (!(await lstat(events)).isSymbolicLink()) throw cause;
      throw new RunfoldError('ledger_unreadable', `${events} is a symbolic link, which is not followed`, {
        hint: 'Put the folder itself there. The log’s own directory may be a link, what is in it may not.',
        cause,
      });
    }
  }

  read(file: string, from: number, length: number, into?: Uint8Array): Promise<Part | StorageProblem> {
    return this.#reads.read(file, from, length, into);
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
