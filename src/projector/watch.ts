// pass() again and again: soon after a hint, and in sweeps that need no hints.
import { setTimeout as delay } from 'node:timers/promises';
import { isoTime, type Clock } from '../clock.ts';
import { errnoOf, RunfoldError } from '../errors.ts';
import type { FileState } from './file-state.ts';
import { withPatience } from './hang.ts';
import { Hints, type HintSource, type HintsOptions } from './hints.ts';
import { nextLookIn, PACE } from './pace.ts';
import type { PassResult, Projector } from './projector.ts';
import type { TimedStorage } from './timed-storage.ts';

export interface WatchOptions {
  /** The ledger's directory. */
  root: string;
  clock: Clock;
  /** Ends the watch, after the transaction that is under way. */
  signal: AbortSignal;
  usePolling: boolean;
  onPass?: (result: PassResult) => void;
  /** Something is wrong that may pass: said when it begins (with the error) and when it is over (undefined). */
  onTrouble?: (trouble: unknown) => void;
  /** How to wait so many milliseconds, or until the signal; injected, as the clock is. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Where hints come from; chokidar by default. */
  hints?: (options: HintsOptions) => HintSource;
}

/** `abandoned`: a call to the storage was still hanging when the signal came. */
export type WatchEnd = 'ended' | 'abandoned';

const RETRY_MS = 2_000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** What a database disk or a ledger that is away for a while says. */
const PASSING_CODES = new Set([
  'SQLITE_FULL',
  'SQLITE_IOERR',
  'SQLITE_BUSY',
  'SQLITE_CANTOPEN',
  'SQLITE_READONLY',
]);

/** Follows the ledger until the signal. Throws what is no passing trouble. */
export async function watch(
  projector: Projector,
  storage: TimedStorage,
  options: WatchOptions,
): Promise<WatchEnd> {
  const { clock, signal, onTrouble } = options;
  const end = await withPatience(new Watch(projector, options).run(), {
    storage,
    clock,
    signal,
    onHang: (call) =>
      onTrouble?.(
        call && new Error(`the storage has not answered since ${isoTime(call.since)}: ${call.path}`),
      ),
  });
  return end === 'abandoned' ? 'abandoned' : 'ended';
}

class Watch {
  readonly #projector: Projector;
  readonly #options: WatchOptions;
  /** When to look at a path because of a hint. */
  readonly #hinted = new Map<string, number>();
  readonly #nextLook = new Map<string, number>();
  readonly #hints: HintSource;
  /** Folders of days that have been listed once. */
  readonly #oldFolders = new Set<string>();
  #nextListing = 0;
  #isInTrouble = false;
  #wake: AbortController = new AbortController();

  constructor(projector: Projector, options: WatchOptions) {
    this.#projector = projector;
    this.#options = options;
    const { hints = (wanted: HintsOptions) => new Hints(wanted) } = options;
    this.#hints = hints({
      root: options.root,
      usePolling: options.usePolling,
      onHint: (file) => this.#hint(file),
      // a watcher that fails is a hint less
      onError: (error) => options.onTrouble?.(error),
    });
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    await this.#attempt(() => this.#sweep());
    const wakeUp = (): void => this.#wake.abort();
    signal.addEventListener('abort', wakeUp);
    try {
      while (!signal.aborted) await this.#step();
    } finally {
      signal.removeEventListener('abort', wakeUp);
      await this.#hints.stop();
    }
  }

  #hint(file: string): void {
    this.#hinted.set(file, this.#options.clock.now());
    this.#wake.abort();
  }

  async #step(): Promise<void> {
    const now = this.#options.clock.now();
    const hinted = [...this.#hinted].filter(([, due]) => due <= now).map(([file]) => file);
    if (hinted.length > 0) {
      for (const file of hinted) this.#hinted.delete(file);
      await this.#attempt(() => this.#lookAt(hinted));
      return;
    }
    const nextLook = Math.min(this.#nextListing, ...this.#nextLook.values());
    if (nextLook <= now) {
      await this.#attempt(() => this.#sweep());
      return;
    }
    await this.#sleepUntil(Math.min(nextLook, ...this.#hinted.values()));
  }

  async #sleepUntil(due: number): Promise<void> {
    this.#wake = new AbortController();
    // a signal or hint that came just before would not wake us
    if (this.#options.signal.aborted) return;
    const wait = Math.max(1, due - this.#options.clock.now());
    const { sleep = sleepFor } = this.#options;
    await sleep(wait, this.#wake.signal);
  }

  async #lookAt(files: string[]): Promise<void> {
    const { signal } = this.#options;
    const result = await this.#projector.pass({ only: files, signal });
    const secondLook = this.#options.clock.now() + PACE.secondLook;
    // the hint may have come before the last append of a burst; the second look needs no third
    for (const file of result.grown) if (!this.#hinted.has(file)) this.#hinted.set(file, secondLook);
    this.#schedule(files);
    this.#options.onPass?.(result);
  }

  async #sweep(): Promise<void> {
    const { clock, signal } = this.#options;
    const now = clock.now();
    const isListing = now >= this.#nextListing;
    const due = (file: FileState): boolean => (this.#nextLook.get(file.path) ?? 0) <= now;
    const looked = [...this.#projector.activeFiles.values()].filter(
      (file) => file.state === 'live' && due(file),
    );
    if (isListing) {
      const result = await this.#projector.pass({ due, folders: this.#recentFolders(now), signal });
      this.#nextListing = clock.now() + PACE.listing;
      this.#schedule([...looked.map(({ path }) => path), ...result.grown, ...this.#unscheduled()]);
      this.#options.onPass?.(result);
    } else {
      const paths = looked.map(({ path }) => path);
      const result = await this.#projector.pass({ only: paths, signal });
      this.#schedule(paths);
      this.#options.onPass?.(result);
    }
  }

  /** Live files that no look has been planned for. */
  #unscheduled(): string[] {
    const paths: string[] = [];
    for (const { path, state } of this.#projector.activeFiles.values()) {
      if (state === 'live' && !this.#nextLook.has(path)) paths.push(path);
    }
    return paths;
  }

  #schedule(files: readonly string[]): void {
    const now = this.#options.clock.now();
    for (const path of files) {
      const file = this.#projector.file(path);
      if (file?.state === 'live') {
        this.#nextLook.set(path, now + nextLookIn(now - file.mtimeMs));
        this.#hints.follow(path);
      } else {
        this.#nextLook.delete(path);
        this.#hints.forget(path);
      }
    }
  }

  /** The folders in which files appear or grow: those of yesterday to tomorrow, of active files, and new ones. */
  #recentFolders(now: number): (folder: string) => boolean {
    const recent = new Set([-1, 0, 1].map((days) => dayOf(now + days * 86_400_000)));
    for (const path of this.#projector.activeFiles.keys()) recent.add(path.split('/')[1] ?? '');
    return (folder) => {
      const isNew = !this.#oldFolders.has(folder);
      // a folder that is no day is somebody's own, and may get a new file at any time
      if (isNew && DAY.test(folder)) this.#oldFolders.add(folder);
      return isNew || recent.has(folder);
    };
  }

  /** Trouble that may pass is said once, and tried again. */
  async #attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
      if (this.#isInTrouble) this.#options.onTrouble?.(undefined);
      this.#isInTrouble = false;
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (!this.#isInTrouble) this.#options.onTrouble?.(error);
      this.#isInTrouble = true;
      await this.#sleepUntil(this.#options.clock.now() + RETRY_MS);
    }
  }
}

async function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  // to be woken is no failure
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function mayPass(error: unknown): boolean {
  if (error instanceof RunfoldError) {
    return error.code === 'ledger_not_found' || error.code === 'ledger_unreadable';
  }
  const code = errnoOf(error);
  if (code === undefined) return false;
  return PASSING_CODES.has(code.split('_').slice(0, 2).join('_')) || /^E[A-Z]+$/.test(code);
}
