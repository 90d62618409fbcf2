// Asks SLURM again and again while watch follows the log. It holds up nobody: not a pass, not a query, not Ctrl-C.
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, RunfoldError } from '../errors.ts';
import type { Place } from '../projector/open.ts';
import type { RunCommand } from '../slurm/run-command.ts';
import type { CliIo } from './io.ts';
import { saidOnce } from './said-once.ts';
import { POLITE_MS, refreshOnce, type Refreshed } from './slurm-refresh.ts';

type Asked = Extract<Refreshed, { kind: 'asked' }>;

export interface SlurmWatchOptions {
  place: Place;
  io: Pick<CliIo, 'clock' | 'env' | 'signal'>;
  run: RunCommand;
  everyMs: number;
  onAnswer: (asked: Asked) => void;
  /** Said when it begins and, with undefined, when it is over. */
  onTrouble: (message: string | undefined) => void;
}

/** What is being written when the end comes gets this long, as a look at the log does. */
const PATIENCE_MS = 2_000;

/** Goes on from `begin` until `io.signal`, `end` or the end of its scope. */
export class SlurmWatch implements Disposable {
  readonly #options: SlurmWatchOptions;
  readonly #ended = new AbortController();
  #work: Promise<void> | undefined;
  readonly #stop = (): void => this.#ended.abort();
  readonly #say: (trouble: string | undefined) => void;

  constructor(options: SlurmWatchOptions) {
    this.#options = options;
    this.#say = saidOnce(options.onTrouble);
    if (options.io.signal.aborted) this.#stop();
    else options.io.signal.addEventListener('abort', this.#stop, { once: true });
  }

  /** For when the log has been read: before, there may be no job to ask about yet. Again, it does nothing. */
  begin(): void {
    this.#work ??= this.#ask();
  }

  /** `abandoned`: a call to the storage hangs. */
  async end(): Promise<'ended' | 'abandoned'> {
    this.#stop();
    if (this.#work === undefined) return 'ended';
    const gaveUp = new AbortController();
    const patience = sleep(PATIENCE_MS, 'abandoned' as const, { signal: gaveUp.signal });
    try {
      return await Promise.race([this.#work.then(() => 'ended' as const), patience]);
    } finally {
      // the sleep that is cut off rejects, and nobody waits for it
      patience.catch(() => undefined);
      gaveUp.abort();
    }
  }

  [Symbol.dispose](): void {
    this.#stop();
    this.#options.io.signal.removeEventListener('abort', this.#stop);
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const pauseMs = await this.#askOnce();
      // only an abort rejects, which the loop sees
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Returns how long to wait then. */
  async #askOnce(): Promise<number> {
    const { io, onAnswer, everyMs } = this.#options;
    const { signal } = this.#ended;
    try {
      const refreshed = await refreshOnce({ ...this.#options, io: { ...io, signal } });
      // somebody else has asked: what he has learned is in the log, the next turn may be ours
      if (refreshed.kind === 'too_early') return refreshed.lastAt + POLITE_MS - io.clock.now();
      if (refreshed.kind === 'nothing_to_ask') return everyMs;
      onAnswer(refreshed);
      this.#say(refreshed.notes.length === 0 ? undefined : refreshed.notes.join('; '));
    } catch (error) {
      // whatever it is, a storage that is away or a database that is being made anew, the log is still followed
      if (!signal.aborted) this.#say(troubleOf(error));
    }
    return everyMs;
  }
}

function troubleOf(error: unknown): string {
  const hint = error instanceof RunfoldError && error.code !== 'slurm_silent' ? error.hint : undefined;
  return hint === undefined ? messageOf(error) : `${messageOf(error)}. ${hint}`;
}
