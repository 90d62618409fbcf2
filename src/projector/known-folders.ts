// Which folders need no listing, since nothing was added or removed there since they were listed.
import { PACE } from './pace.ts';

interface Listed {
  /** When the folder had last changed, by the storage's clock. */
  changedAtMs: number;
  /** The first and the last listing that found it so, by this machine's clock. */
  firstAt: number;
  lastAt: number;
}

export class KnownFolders {
  readonly #lastSweepAt: number | undefined;
  readonly #listed = new Map<string, Listed>();
  #isReliable = true;

  /** `lastSweepAt`: when all folders were listed and noted in the database, at the latest. */
  constructor(lastSweepAt: number | undefined) {
    this.#lastSweepAt = lastSweepAt;
  }

  isKnown(folder: string, changedAtMs: number, now: number): boolean {
    if (!this.#isReliable) return false;
    const listed = this.#listed.get(folder);
    if (listed === undefined) {
      return this.#lastSweepAt !== undefined && changedAtMs < this.#lastSweepAt - PACE.clockDifference;
    }
    // a clock that was set back says nothing about what came since
    if (now < listed.lastAt) return false;
    // a storage's clock may stand still for a second, in which a folder changes again without a sign of it
    return listed.changedAtMs === changedAtMs && listed.lastAt - listed.firstAt >= PACE.clockStep;
  }

  /** Something new was found in a folder that was known: this storage does not say when folders change. */
  distrust(): void {
    this.#isReliable = false;
  }

  /** Called when the listing has been noted. */
  note(folder: string, changedAtMs: number, now: number): void {
    const listed = this.#listed.get(folder);
    const firstAt = listed?.changedAtMs === changedAtMs ? Math.min(listed.firstAt, now) : now;
    this.#listed.set(folder, { changedAtMs, firstAt, lastAt: now });
  }
}
