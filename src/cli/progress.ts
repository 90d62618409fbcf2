// Long work says how far it is, on a terminal only.
import type { PassProgress } from '../projector/pass-result.ts';
import { bytes, count } from './human.ts';
import type { CliIo } from './io.ts';

const EVERY_MS = 200;

export class ProgressLine {
  readonly #io: CliIo;
  readonly #label: string;
  #shownAt: number;
  #isShown = false;

  constructor(io: CliIo, label: string) {
    this.#io = io;
    this.#label = label;
    // what is done at once needs no progress
    this.#shownAt = io.clock.now();
  }

  readonly update = ({ bytesDone, lines }: PassProgress): void => {
    this.show(() => `${count(lines, 'line')}, ${bytes(bytesDone)}`);
  };

  /** The same where it is known how much there is. */
  readonly updateOfWhole = ({ bytesDone, bytesTotal, lines }: PassProgress): void => {
    this.show(() => `${count(lines, 'line')}, ${bytes(bytesDone)} of ${bytes(bytesTotal)}`);
  };

  /** Says how far it is, unless that was said, or the work begun, only just now. */
  show(howFar: () => string): void {
    const now = this.#io.clock.now();
    if (this.#io.stderr.isTTY !== true || now - this.#shownAt < EVERY_MS) return;
    this.#shownAt = now;
    this.#isShown = true;
    this.#io.stderr.write(`\r\u001B[K${this.#label}: ${howFar()}`);
  }

  /** Takes the line away, so that what is printed next has its own. */
  done(): void {
    if (this.#isShown) this.#io.stderr.write('\r\u001B[K');
    this.#isShown = false;
  }
}
