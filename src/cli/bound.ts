// An end that a command sets itself, so that nobody waits for long.

/**
 * Aborted when `signal` is, or after `ms`. To be disposed of when the work has ended.
 *
 * A timer of its own, because Node 20 may collect `AbortSignal.timeout` as garbage before its time when only
 * `AbortSignal.any` refers to it: then it never comes.
 */
export class Bound implements Disposable {
  readonly #own = new AbortController();
  readonly #outer: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #abort = (): void => this.#own.abort();

  constructor(signal: AbortSignal, ms: number) {
    this.#outer = signal;
    this.#timer = setTimeout(this.#abort, ms);
    if (signal.aborted) this.#abort();
    else signal.addEventListener('abort', this.#abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#abort);
  }
}
