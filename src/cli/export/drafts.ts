// Files that are there whole or not at all: written under another name, and renamed at the end.
import { existsSync, rmSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { RunfoldError } from '../../errors.ts';

/** Several files that appear together at the end; whatever ends it before leaves none of them. */
export class Drafts implements Disposable {
  readonly #directory: string;
  readonly #names: readonly string[];
  readonly #mayReplace: boolean;
  readonly #written: string[] = [];

  /** @throws RunfoldError `file_exists` if one of the files is there and may not be replaced. */
  constructor(directory: string, names: readonly string[], mayReplace: boolean) {
    this.#directory = directory;
    this.#names = names;
    this.#mayReplace = mayReplace;
    this.#refuseToReplace();
  }

  /** Writes one of them, on to the disk, in a directory that is made if need be; `onChunk` comes after each chunk. */
  async write(name: string, chunks: AsyncIterable<string | Uint8Array>, onChunk: () => void): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const draft = this.#draft(name);
    await using file = await open(draft, 'wx');
    this.#written.push(name);
    for await (const chunk of chunks) {
      await file.writeFile(chunk);
      onChunk();
    }
    await file.sync();
  }

  /** Gives all that were written their names. Throws as the constructor does. */
  async publish(): Promise<void> {
    // somebody else may have made one meanwhile
    this.#refuseToReplace();
    for (const name of this.#written) {
      await rename(this.#draft(name), path.join(this.#directory, name));
    }
    await using directory = await open(this.#directory, 'r');
    await directory.sync();
  }

  /** Removes what has not been given its name. */
  [Symbol.dispose](): void {
    for (const name of this.#written) rmSync(this.#draft(name), { force: true });
  }

  #draft(name: string): string {
    return path.join(this.#directory, `.${name}.part-${process.pid}`);
  }

  #refuseToReplace(): void {
    if (this.#mayReplace) return;
    const taken = this.#names.filter((name) => existsSync(path.join(this.#directory, name)));
    if (taken.length === 0) return;
    throw new RunfoldError('file_exists', `there is already ${taken.join(', ')} in ${this.#directory}`, {
      hint: 'Name another directory, or replace them with --force.',
    });
  }
}
