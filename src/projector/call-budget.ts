// How many calls the shared storage is asked for: counted over the last minute, and held below what the user allows. Pure.

/** Where the storage is shared by the network: four a second, a look being four. */
export const DEFAULT_CALLS_PER_FILE = 240;
export const MINUTE_MS = 60_000;
/** A log with fewer live files is treated as if it had so many: listing folders costs the same for one. */
export const LEAST_FILES = 10;
/** Of a minute's calls so many may come at once; the others come evenly, so that no minute has more than all. */
const AT_ONCE = 0.2;
const SLOTS = 60;

/** Calls of the last minute, in slots of a second. */
export class CallMeter {
  readonly #slots = new Map<number, number>();

  add(now: number, calls: number): void {
    const second = Math.floor(now / (MINUTE_MS / SLOTS));
    this.#slots.set(second, (this.#slots.get(second) ?? 0) + calls);
    // also those of a clock that has been set back since
    for (const slot of this.#slots.keys())
      if (slot <= second - SLOTS || slot > second) this.#slots.delete(slot);
  }

  lastMinute(now: number): number {
    const second = Math.floor(now / (MINUTE_MS / SLOTS));
    let calls = 0;
    for (const [slot, made] of this.#slots) if (slot > second - SLOTS && slot <= second) calls += made;
    return calls;
  }
}

/** A bucket that fills evenly: what is spent is taken from it, and while it is empty there is nothing to spend. */
export class CallBudget {
  readonly #perFile: number;
  #liveFiles = 0;
  #left = Number.POSITIVE_INFINITY;
  #at: number | undefined;

  /** `perFile`: calls for each live file and minute; Infinity: no limit. */
  constructor(perFile: number) {
    this.#perFile = perFile;
  }

  get perMinute(): number {
    return this.#perFile * Math.max(LEAST_FILES, this.#liveFiles);
  }

  /** How many calls may be made now. */
  left(now: number, liveFiles: number): number {
    this.#liveFiles = liveFiles;
    if (!this.#isLimited) return Number.POSITIVE_INFINITY;
    const mostAtOnce = this.perMinute * AT_ONCE;
    // a clock that was set back gives nothing
    const passed = Math.max(0, now - (this.#at ?? now));
    this.#at = now;
    this.#left = Math.min(mostAtOnce, this.#left + passed * this.#rate);
    return this.#left;
  }

  /** Calls that were made; more than were left is a debt that is paid before anything else. */
  spend(calls: number): void {
    if (this.#isLimited) this.#left -= calls;
  }

  /** Milliseconds until so many calls may be made, or as many as there can be at once. */
  waitFor(calls: number): number {
    if (!this.#isLimited) return 0;
    const needed = Math.min(calls, this.perMinute * AT_ONCE) - this.#left;
    return needed <= 0 ? 0 : needed / this.#rate;
  }

  /** How many minutes' budget so many calls are. */
  minutesFor(calls: number): number {
    return Math.max(0, calls) / this.perMinute;
  }

  get #isLimited(): boolean {
    return this.#perFile !== Number.POSITIVE_INFINITY;
  }

  /** Calls a millisecond. */
  get #rate(): number {
    return (this.perMinute * (1 - AT_ONCE)) / MINUTE_MS;
  }
}
