// Opening what is below the log's directory, with no symbolic link on the way.
import { constants, readlinkSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../errors.ts';
import { OPEN_FLAGS } from '../events/file-io.ts';
import type { FileCalls } from './file-calls.ts';

/** A folder that stays the one that was opened, whatever takes its place meanwhile. */
export class OpenFolder {
  readonly #descriptor: number;
  /** Of the folder, in a form that stays with the descriptor where there is /proc. */
  readonly #path: string;
  readonly #calls: FileCalls;

  constructor(descriptor: number, at: string, calls: FileCalls) {
    this.#descriptor = descriptor;
    this.#path = at;
    this.#calls = calls;
  }

  /** The folder itself, or a name in it, for a call that takes a path. */
  at(name = ''): string {
    return `${this.#path}/${name}`;
  }

  /** When a name was last added, removed or changed in it: the ctime, which nobody can set back. */
  async changedAtMs(): Promise<number> {
    return (await this.#calls.stat(this.#descriptor)).ctimeMs;
  }

  async close(): Promise<void> {
    await this.#calls.close(this.#descriptor);
  }
}

/** Folders of one log. Its own directory may be reached by links, which the user has chosen; no other may. */
export class Inside {
  readonly #root: string;
  readonly #calls: FileCalls;
  #realRoot: string | undefined;

  constructor(root: string, calls: FileCalls) {
    this.#root = root;
    this.#calls = calls;
  }

  /**
   * Opens a folder, given relative to the log. The caller closes it.
   *
   * @throws a system error: ENOTDIR if it, or a folder above it, is a symbolic link.
   */
  async open(folder: string): Promise<OpenFolder> {
    const absolute = path.join(this.#root, folder);
    const descriptor = await this.#calls.open(absolute, OPEN_FLAGS.directory);
    try {
      const real = realPathOf(descriptor);
      // without /proc (no Linux) only the last folder is known to be none
      if (real === undefined) return new OpenFolder(descriptor, absolute, this.#calls);
      if (await this.#isAt(folder, real)) return this.#opened(descriptor);
    } catch (error) {
      await this.#calls.close(descriptor);
      throw error;
    }
    await this.#calls.close(descriptor);
    return this.#opened(await this.#descend(folder));
  }

  #opened(descriptor: number): OpenFolder {
    return new OpenFolder(descriptor, procPath(descriptor), this.#calls);
  }

  /** Where the kernel says that an open folder is, costs no call to the storage; opening each one above it does. */
  async #isAt(folder: string, real: string): Promise<boolean> {
    if (this.#realRoot !== undefined && path.join(this.#realRoot, folder) === real) return true;
    this.#realRoot = await realpath(this.#root);
    return path.join(this.#realRoot, folder) === real;
  }

  async #descend(folder: string): Promise<number> {
    let descriptor = await this.#calls.open(this.#root, constants.O_RDONLY | constants.O_DIRECTORY);
    for (const name of folder.split('/')) {
      const above = descriptor;
      try {
        descriptor = await this.#calls.open(`${procPath(above)}/${name}`, OPEN_FLAGS.directory);
      } finally {
        await this.#calls.close(above);
      }
    }
    return descriptor;
  }
}

function procPath(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

/** The kernel knows it without asking the storage. */
function realPathOf(descriptor: number): string | undefined {
  try {
    return readlinkSync(procPath(descriptor));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
