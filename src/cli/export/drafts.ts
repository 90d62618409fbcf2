// Files that are there whole or not at all: written under another name, and renamed at the end.
import { existsSync, rmSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { RunfoldError } from '../../errors.ts';

/** Several files that appear together at the end; whatever ends it before leaves none of them. */
export class Drafts implements Disposable {
  readonly #directory: string;
  readonly #names: readonly string[];
  readonly #written: string[] = [];

  private constructor(directory: string, names: readonly string[]) {
    this.#directory = directory;
    this.#names = names;
  }

  /**
   * Makes the directory if there is none.
   *
   * @throws RunfoldError `file_exists` if one of the files is there and may not be replaced.
   */
  static async in(directory: string, names: readonly string[], mayReplace: boolean): Promise<Drafts> {
    const drafts = new Drafts(directory, names);
    if (!mayReplace) drafts.#refuseToReplace();
    await mkdir(directory, { recursive: true });
    return drafts;
  }

  /** Writes one of them, on to the disk; `onChunk` is called after each chunk. */
  async write(name: string, chunks: AsyncIterable<string | Uint8Array>, onChunk: () => void): Promise<void> {
    const draft = this.#draft(name);
    await using file = await open(draft, 'wx');
    this.#written.push(name);
    for await (const chunk of chunks) {
      await file.writeFile(chunk);
      onChunk();
    }
    await file.sync();
  }

  /** Gives all that were written their names. */
  async publish(mayReplace: boolean): Promise<void> {
    // somebody else may have made one meanwhile
    if (!mayReplace) this.#refuseToReplace();
    for (const name of this.#written.splice(0)) {
      await rename(this.#draft(name), path.join(this.#directory, name));
    }
    await using directory = await open(this.#directory, 'r');
    await directory.sync();
  }

  [Symbol.dispose](): void {
    for (const name of this.#written) rmSync(this.#draft(name), { force: true });
  }

  #draft(name: string): string {
    return path.join(this.#directory, `.${name}.part-${process.pid}`);
  }

  #refuseToReplace(): void {
    const taken = this.#names.filter((name) => existsSync(path.join(this.#directory, name)));
    if (taken.length === 0) return;
    throw new RunfoldError('file_exists', `there is already ${taken.join(', ')} in ${this.#directory}`, {
      hint: 'Name another directory, or replace them with --force.',
    });
  }
}
