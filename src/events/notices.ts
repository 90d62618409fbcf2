// What is said to a person on stderr: one line each, once each, never an exception.
import { writeSync } from 'node:fs';

export type Say = (line: string) => void;

const MAX_NOTICES = 40;

export class Notices {
  readonly #say: Say;
  readonly #said = new Set<string>();

  constructor(say: Say = sayOnStderr) {
    this.#say = say;
  }

  /** Says `text`, unless something was said under this key before or too much in all. */
  once(key: string, text: string): void {
    if (this.#said.has(key) || this.#said.size >= MAX_NOTICES) return;
    this.#said.add(key);
    this.always(text);
  }

  always(text: string): void {
    try {
      this.#say(`runfold: ${printable(text)}`);
    } catch {
      // There is nowhere left to say that saying failed.
    }
  }
}

/** Not process.stderr: its errors come later, as events that would end the program. */
function sayOnStderr(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // A closed or full stderr is no reason to disturb the training.
  }
}

/** One line without control characters: names of files and metrics, and system messages, come from anywhere. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
