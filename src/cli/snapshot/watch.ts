// Publishes a snapshot every so often while watch follows the log, if there is something new in it.
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import type { PassResult } from '../../projector/pass-result.ts';
import { saidOnce } from '../said-once.ts';

export interface SnapshotWatchOptions {
  everyMs: number;
  /** Makes one. */
  make: (signal: AbortSignal) => Promise<unknown>;
  /** Said when it begins and, with undefined, when it is over. */
  onTrouble: (message: string | undefined) => void;
}

/** The last one, at the end, gets so long. */
const LAST_MS = 30_000;

export class SnapshotWatch implements AsyncDisposable {
  readonly #options: SnapshotWatchOptions;
  readonly #ended = new AbortController();
  #work: Promise<void> | undefined;
  /** The first one is due whatever is there: it may be of another day. */
  #isDue = true;
  readonly #say: (trouble: string | undefined) => void;

  constructor(options: SnapshotWatchOptions) {
    this.#options = options;
    this.#say = saidOnce(options.onTrouble);
  }

  /** After each pass: the first one begins it. */
  passed({ lines, thorough }: Pick<PassResult, 'lines' | 'thorough'>): void {
    if (lines > 0 || thorough) this.#isDue = true;
    this.#work ??= this.#run();
  }

  /** Makes a last one, if there is something new. */
  async end(): Promise<void> {
    this.#ended.abort();
    if (this.#work === undefined) return;
    await this.#work;
    await this.#makeIfDue(AbortSignal.timeout(LAST_MS));
  }

  /** If it has not ended well there is no last one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#work;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await this.#makeIfDue(signal);
      // only an abort rejects, which the loop sees
      await sleep(this.#options.everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #makeIfDue(signal: AbortSignal): Promise<void> {
    if (!this.#isDue) return;
    this.#isDue = false;
    try {
      await this.#options.make(signal);
      this.#say(undefined);
    } catch (error) {
      this.#isDue = true;
      // whatever it is, a full disk or a storage that is away, the log is still followed
      if (!this.#ended.signal.aborted || signal !== this.#ended.signal) this.#say(messageOf(error));
    }
  }
}
