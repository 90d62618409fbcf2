// Brings a file that grows to the disk meanwhile, so that the fsync at its end finds little left to do.
import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';

/** So much more is written before it is brought to the disk again. */
const STEP_BYTES = 32 * 1_048_576;

export class EarlySync {
  readonly #descriptor: number;
  readonly #sync: (descriptor: number) => Promise<void>;
  #next = STEP_BYTES;
  #busy: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;
  #hasEnded = false;

  constructor(file: string, sync: (descriptor: number) => Promise<void> = promisify(fdatasync)) {
    this.#descriptor = openSync(file, 'r');
    this.#sync = sync;
  }

  /** Called now and then; `bytes` is what has been written so far, roughly. */
  wrote(bytes: number): void {
    if (bytes < this.#next || this.#busy !== undefined || this.#hasEnded) return;
    this.#next = bytes + STEP_BYTES;
    this.#busy = this.#bringToDisk();
  }

  async #bringToDisk(): Promise<void> {
    try {
      await this.#sync(this.#descriptor);
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#busy = undefined;
  }

  /**
   * Not before SQLite has closed the file, and awaited before it is opened again: closing another descriptor of a file
   * takes the locks away that this process has on it. A second call does nothing.
   *
   * @throws what the disk said: the system tells of a page that could not be written once, and an fsync of the whole
   *   that comes later does not know of it
   */
  async end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    await this.#busy;
    closeSync(this.#descriptor);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
