// Writes lines to a descriptor without ever waiting for it: stderr may be a file on the storage that hangs.
import * as fs from 'node:fs';

const LAST_WRITE_MS = 1000;

export class LateOutput {
  readonly #fd: number;
  #waiting = '';
  #isWriting = false;
  #onWritten: (() => void)[] = [];

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Whether a thread is in a write. */
  get isStuck(): boolean {
    return this.#isWriting;
  }

  write(text: string): void {
    this.#waiting += text;
    if (!this.#isWriting) this.#next();
  }

  /** Resolves when all is written or cannot be, at the latest after a second. */
  async written(): Promise<void> {
    if (!this.#isWriting) return;
    await new Promise<void>((resolve) => {
      this.#onWritten.push(resolve);
      setTimeout(resolve, LAST_WRITE_MS);
    });
  }

  #next(): void {
    const text = this.#waiting;
    this.#waiting = '';
    this.#isWriting = text !== '';
    if (text === '') {
      for (const tell of this.#onWritten.splice(0)) tell();
      return;
    }
    // a closed or full stderr is no reason to disturb the command
    fs.write(this.#fd, text, () => this.#next());
  }
}
