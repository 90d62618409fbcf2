// Opening what is below the log's directory, with no symbolic link on the way.
import { constants } from 'node:fs';
import { open, readlink, realpath, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../errors.ts';
import { OPEN_FLAGS } from '../events/file-io.ts';

/** A folder that stays the one that was opened, whatever takes its place meanwhile. */
export class OpenFolder {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #isByHandle: boolean;

  constructor(handle: FileHandle, absolute: string, isByHandle: boolean) {
    this.#handle = handle;
    this.#path = absolute;
    this.#isByHandle = isByHandle;
  }

  /** The folder itself, or a name in it, for a call that takes a path. */
  at(name = ''): string {
    return this.#isByHandle ? `/proc/self/fd/${this.#handle.fd}/${name}` : path.join(this.#path, name);
  }

  /** When a name was last added, removed or changed in it: the ctime, which nobody can set back. */
  async changedAtMs(): Promise<number> {
    return (await this.#handle.stat()).ctimeMs;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Folders of one log. Its own directory may be reached by links, which the user has chosen; no other may. */
export class Inside {
  readonly #root: string;
  #realRoot: string | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Opens a folder, given relative to the log. The caller closes it.
   *
   * @throws a system error: ENOTDIR if it, or a folder above it, is a symbolic link.
   */
  async open(folder: string): Promise<OpenFolder> {
    const absolute = path.join(this.#root, folder);
    const handle = await open(absolute, OPEN_FLAGS.directory);
    try {
      const real = await realPathOf(handle);
      // without /proc (no Linux) only the last folder is known to be none
      if (real === undefined || (await this.#isAt(folder, real))) {
        return new OpenFolder(handle, absolute, real !== undefined);
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return new OpenFolder(await this.#descend(folder), absolute, true);
  }

  /** Where the kernel says that an open folder is, costs no call to the storage; opening each one above it does. */
  async #isAt(folder: string, real: string): Promise<boolean> {
    if (this.#realRoot !== undefined && path.join(this.#realRoot, folder) === real) return true;
    this.#realRoot = await realpath(this.#root);
    return path.join(this.#realRoot, folder) === real;
  }

  async #descend(folder: string): Promise<FileHandle> {
    let handle = await open(this.#root, constants.O_RDONLY | constants.O_DIRECTORY);
    for (const name of folder.split('/')) {
      const above = handle;
      try {
        handle = await open(`/proc/self/fd/${above.fd}/${name}`, OPEN_FLAGS.directory);
      } finally {
        await above.close();
      }
    }
    return handle;
  }
}

async function realPathOf(handle: FileHandle): Promise<string | undefined> {
  try {
    return await readlink(`/proc/self/fd/${handle.fd}`);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
