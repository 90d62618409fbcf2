// Brings a file that grows to the disk meanwhile, so that the fsync at its end finds little left to do.
import { close, fdatasync, openSync } from 'node:fs';

/** So much more is written before it is brought to the disk again. */
const STEP_BYTES = 32 * 1_048_576;

export class EarlySync {
  readonly #descriptor: number;
  #next = STEP_BYTES;
  #isBusy = false;
  #hasEnded = false;

  constructor(file: string) {
    this.#descriptor = openSync(file, 'r');
  }

  /** Called now and then; `bytes` is what has been written so far, roughly. */
  wrote(bytes: number): void {
    if (bytes < this.#next || this.#isBusy || this.#hasEnded) return;
    this.#next = bytes + STEP_BYTES;
    this.#isBusy = true;
    // a disk that fails says so again at the end, where it counts
    fdatasync(this.#descriptor, () => {
      this.#isBusy = false;
      if (this.#hasEnded) this.#close();
    });
  }

  /** Not before SQLite has closed the file: closing another descriptor of it takes its locks away. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (!this.#isBusy) this.#close();
  }

  #close(): void {
    close(this.#descriptor);
  }
}
