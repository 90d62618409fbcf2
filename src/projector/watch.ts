// pass() again and again: soon after a hint, and in sweeps that need no hints.
import { setTimeout as delay } from 'node:timers/promises';
import { isoTime, type Clock } from '../clock.ts';
import type { StorageCalls } from '../db/calls-note.ts';
import { errnoOf, RunfoldError } from '../errors.ts';
import type { FileState } from './file-state.ts';
import { withPatience } from './hang.ts';
import { Hints, type HintSource, type HintsOptions } from './hints.ts';
import { CallBudget, CallMeter, MINUTE_MS } from './call-budget.ts';
import { PACE } from './pace.ts';
import type { PassOptions, Projector } from './projector.ts';
import type { PassResult } from './pass-result.ts';
import { nextLookAt, seen, silentLookAt, type Rhythm } from './rhythm.ts';
import { Schedule } from './schedule.ts';
import type { PendingCall, TimedStorage } from './timed-storage.ts';

export interface WatchOptions {
  /** The ledger's directory. */
  root: string;
  clock: Clock;
  /** Ends the watch, after the transaction that is under way. */
  signal: AbortSignal;
  /** On a network file system, where the kernel says nothing of what other machines write. */
  isOnNetwork: boolean;
  /** At most so many calls to the storage for each live file and minute, over all; default: no limit. */
  callsPerFile?: number;
  onPass?: (result: PassResult) => void;
  /** Told every PACE.report at most. */
  onCalls?: (calls: StorageCalls) => void;
  /** Something is wrong that may pass: said when it begins (with the error) and when it is over (undefined). */
  onTrouble?: (trouble: unknown) => void;
  /** The call to the storage that does not come back, and undefined when it has. `onTrouble` is told too. */
  onHang?: (call: PendingCall | undefined) => void;
  /** How to wait so many milliseconds, or until the signal; injected, as the clock is. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Where hints come from; chokidar by default. */
  hints?: (options: HintsOptions) => HintSource;
}

/** `abandoned`: a call to the storage was still hanging when the signal came. */
export type WatchEnd = 'ended' | 'abandoned';

const RETRY_MS = 2_000;
/** Open, stat, read and close. */
const LOOK_CALLS = 4;
/** ledger.json, and opening the folder of the files. */
const PASS_CALLS = 6;
/** Listings take up to a third of the budget. */
const LISTING_SHARE = 3;
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
  const end = await withPatience(new Watch(projector, storage, options).run(), {
    storage,
    clock,
    signal,
    onHang: (call) => {
      options.onHang?.(call);
      onTrouble?.(
        call && new Error(`the storage has not answered since ${isoTime(call.since)}: ${call.path}`),
      );
    },
  });
  return end === 'abandoned' ? 'abandoned' : 'ended';
}

/** `lines`: how many came from which file. */
interface Passed extends Pick<PassResult, 'thorough' | 'listingCalls'> {
  lines: Map<string, number>;
}

class Watch {
  readonly #projector: Projector;
  readonly #storage: TimedStorage;
  readonly #options: WatchOptions;
  readonly #budget: CallBudget;
  readonly #meter = new CallMeter();
  /** When to look at a path because of a hint. */
  readonly #hinted = new Map<string, number>();
  /** Of the live files. */
  readonly #schedule = new Schedule();
  readonly #rhythms = new Map<string, Rhythm>();
  readonly #hints: HintSource | undefined;
  /** Folders of days that have been listed once. */
  readonly #oldFolders = new Set<string>();
  #nextListing = 0;
  #nextReport = 0;
  /** Until then no file is looked at. */
  #restUntil = 0;
  /** By the last step. */
  #now = 0;
  #isInTrouble = false;
  #wake: AbortController = new AbortController();

  constructor(projector: Projector, storage: TimedStorage, options: WatchOptions) {
    this.#projector = projector;
    this.#storage = storage;
    this.#options = options;
    this.#budget = new CallBudget(options.callsPerFile ?? Number.POSITIVE_INFINITY);
    // where other machines write, nobody says so: a look learns more than a hint could, and sooner
    if (options.isOnNetwork) return;
    const { hints = (wanted: HintsOptions) => new Hints(wanted) } = options;
    this.#hints = hints({
      root: options.root,
      onHint: (file) => this.#hint(file),
      // a watcher that fails is a hint less
      onError: (error) => options.onTrouble?.(error),
    });
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    await this.#attempt(() => this.#list([]));
    const wakeUp = (): void => this.#wake.abort();
    signal.addEventListener('abort', wakeUp);
    try {
      while (!signal.aborted) await this.#step();
    } finally {
      signal.removeEventListener('abort', wakeUp);
      await this.#hints?.stop();
    }
  }

  #hint(file: string): void {
    this.#hinted.set(file, this.#options.clock.now());
    this.#wake.abort();
  }

  async #step(): Promise<void> {
    const now = this.#options.clock.now();
    if (now < this.#now) this.#lookAtAll(now);
    this.#now = now;
    const left = this.#budget.left(now, this.#schedule.size);
    const most = Math.floor((left - PASS_CALLS) / LOOK_CALLS);
    if (now >= this.#nextListing && left > 0) {
      await this.#attempt(() => this.#list(this.#schedule.due(now, most)));
      return;
    }
    const files = now < this.#restUntil ? [] : this.#due(now, most);
    if (files.length > 0) await this.#attempt(() => this.#look(files));
    else if (this.#projector.isSweeping) await this.#attempt(() => this.#sweepOn());
    else await this.#sleepUntil(this.#nextStepAt(now));
  }

  /** The clock was set back: what was due then may be far away. */
  #lookAtAll(now: number): void {
    this.#nextListing = now;
    this.#nextReport = now;
    this.#restUntil = now;
    this.#schedule.setAll(now);
    for (const path of this.#hinted.keys()) this.#hinted.set(path, now);
  }

  /** Hinted files and live ones, at most so many. */
  #due(now: number, most: number): string[] {
    const due = new Set<string>();
    for (const [file, at] of this.#hinted) {
      if (due.size >= most) break;
      if (at <= now) due.add(file);
    }
    for (const file of this.#schedule.due(now, most - due.size)) due.add(file);
    return [...due];
  }

  #nextStepAt(now: number): number {
    let dueAt = this.#schedule.nextAt ?? Number.POSITIVE_INFINITY;
    for (const at of this.#hinted.values()) dueAt = Math.min(dueAt, at);
    const canLookAt = Math.max(this.#restUntil, now + this.#budget.waitFor(PASS_CALLS + LOOK_CALLS));
    const canListAt = now + this.#budget.waitFor(PASS_CALLS);
    return Math.min(Math.max(dueAt, canLookAt), Math.max(this.#nextListing, canListAt));
  }

  async #sleepUntil(due: number): Promise<void> {
    this.#wake = new AbortController();
    // a signal or hint that came just before would not wake us
    if (this.#options.signal.aborted) return;
    const wait = Math.max(1, due - this.#options.clock.now());
    const { sleep = sleepFor } = this.#options;
    await sleep(wait, this.#wake.signal);
  }

  async #look(files: string[]): Promise<void> {
    const hinted = files.filter((file) => this.#hinted.delete(file));
    const { lines } = await this.#pass((options) => this.#projector.pass({ ...options, only: files }));
    const secondLook = this.#options.clock.now() + PACE.secondLook;
    // the hint may have come before the last append of a burst; the second look needs no third
    for (const file of hinted) {
      if (lines.has(file) && !this.#hinted.has(file)) this.#hinted.set(file, secondLook);
    }
    this.#plan(files, lines);
  }

  /** A part of a sweep: live files that are due come first. */
  async #sweepOn(): Promise<void> {
    const { lines } = await this.#pass((options) => this.#projector.sweepOn(options), 'sweeps');
    this.#plan([...lines.keys()], lines);
  }

  async #list(files: string[]): Promise<void> {
    const due = new Set(files);
    const isFirst = this.#schedule.size === 0;
    const asked = new Set<string>();
    const wanted: PassOptions = {
      due: ({ path }) => isFirst || due.has(path) || !this.#schedule.has(path),
      folders: this.#recentFolders(this.#options.clock.now(), asked),
      sliced: true,
    };
    const pass = (options: PassOptions): Promise<PassResult> =>
      this.#projector.pass({ ...options, ...wanted });
    const { lines, thorough, listingCalls } = await this.#pass(pass);
    // not before: a pass that failed may have listed none of them. A folder that is no day is somebody's own, and may
    // get a new file at any time
    for (const folder of asked) if (DAY.test(folder)) this.#oldFolders.add(folder);
    for (const path of lines.keys()) due.add(path);
    for (const { path, state } of this.#projector.activeFiles.values()) {
      if (state === 'live' && !this.#schedule.has(path)) due.add(path);
    }
    this.#plan([...due], lines);
    // a listing of many folders comes less often, so that it leaves most of the budget to the files; after one of all
    // the history, as the first one is, the next one is not as long
    const isOfAll = thorough || this.#nextListing === 0;
    const share = isOfAll ? 0 : this.#budget.minutesFor(listingCalls) * LISTING_SHARE;
    this.#nextListing = this.#options.clock.now() + Math.max(PACE.listing, share * MINUTE_MS);
  }

  async #pass(
    pass: (options: PassOptions) => Promise<PassResult>,
    kind: 'looks' | 'sweeps' = 'looks',
  ): Promise<Passed> {
    const { clock, signal, onPass } = this.#options;
    const lines = new Map<string, number>();
    const onLines = (path: string, count: number): void =>
      void lines.set(path, (lines.get(path) ?? 0) + count);
    const callsBefore = this.#storage.calls;
    const startedAt = clock.now();
    const isLimited = this.#schedule.size > 0;
    let isSweep = kind === 'sweeps';
    try {
      const result = await pass({ signal, onLines });
      isSweep ||= result.thorough;
      onPass?.(result);
      return { ...result, lines };
    } finally {
      const calls = this.#storage.calls - callsBefore;
      const endedAt = clock.now();
      this.#meter.add(endedAt, calls);
      // half of the time is for others; more files are due after it, and many together cost less. A sweep does not rest,
      // and live files do not for it
      const rest = isSweep ? 0 : Math.min(PACE.longestRest, Math.max(0, endedAt - startedAt));
      this.#restUntil = Math.max(this.#restUntil, endedAt + rest);
      // the first pass and the slow sweep are as large as the history, and would end all looks for long
      if (isLimited && !isSweep) this.#budget.spend(calls);
      this.#report();
    }
  }

  #report(): void {
    const now = this.#options.clock.now();
    if (now < this.#nextReport) return;
    this.#nextReport = now + PACE.report;
    this.#options.onCalls?.({
      at: isoTime(now),
      calls: this.#meter.lastMinute(now),
      budget: this.#options.callsPerFile === undefined ? null : this.#budget.perMinute,
      per_file: this.#options.callsPerFile ?? null,
      live_files: this.#schedule.size,
    });
  }

  #plan(files: readonly string[], lines: ReadonlyMap<string, number>): void {
    const now = this.#options.clock.now();
    for (const path of files) {
      const file = this.#projector.file(path);
      if (file?.state !== 'live') {
        this.#schedule.delete(path);
        this.#rhythms.delete(path);
        this.#hints?.forget(path);
        continue;
      }
      const look = { now, mtimeMs: file.mtimeMs, lines: lines.get(path) ?? 0 };
      const rhythm = seen(this.#rhythms.get(path), look);
      this.#rhythms.set(path, rhythm);
      const at = isWaiting(file) ? silentLookAt(now, now - file.mtimeMs) : nextLookAt(rhythm, now);
      this.#schedule.set(path, at);
      this.#hints?.follow(path);
    }
  }

  /** The folders in which files appear or grow: those of yesterday to tomorrow, of active files, and new ones. */
  #recentFolders(now: number, asked: Set<string>): (folder: string) => boolean {
    const recent = new Set([-1, 0, 1].map((days) => dayOf(now + days * 86_400_000)));
    for (const path of this.#projector.activeFiles.keys()) recent.add(folderOf(path));
    return (folder) => {
      asked.add(folder);
      return !this.#oldFolders.has(folder) || recent.has(folder);
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

/** Whether the rest of a line is to come, or bytes of it. */
function isWaiting({ reason, size, offset, scanned }: FileState): boolean {
  return reason !== null || size > Math.max(offset, scanned);
}

/** The name of the day's folder, or of another one. */
function folderOf(path: string): string {
  const from = path.indexOf('/') + 1;
  return path.slice(from, path.indexOf('/', from));
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
