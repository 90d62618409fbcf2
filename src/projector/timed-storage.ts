// Knows which call to the shared storage has not come back: a hard mount that hangs never does.
import type { Clock } from '../clock.ts';
import type { LedgerInfo } from '../events/ledger.ts';
import type { IsKnown, LedgerStorage, Listing, Part, StorageProblem } from './storage.ts';

export interface PendingCall {
  path: string;
  /** Milliseconds since 1970. */
  since: number;
}

export class TimedStorage implements LedgerStorage {
  readonly #storage: LedgerStorage;
  readonly #clock: Clock;
  readonly #pending = new Set<PendingCall>();

  constructor(storage: LedgerStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** The call that has waited longest, if any is under way. */
  get oldest(): PendingCall | undefined {
    const [first, ...others] = this.#pending;
    return others.reduce((oldest, call) => (oldest && oldest.since <= call.since ? oldest : call), first);
  }

  identify(): Promise<LedgerInfo> {
    return this.#timed('ledger.json', () => this.#storage.identify());
  }

  get calls(): number {
    return this.#storage.calls ?? 0;
  }

  list(wanted: (folder: string) => boolean = () => true, isKnown?: IsKnown): Promise<Listing> {
    return this.#timed('events', (pending) => {
      // of thousands of folders one after the other, each is a call that came back
      const ask = (folder: string): boolean => {
        pending.since = this.#clock.now();
        return wanted(folder);
      };
      return this.#storage.list(ask, isKnown);
    });
  }

  read(file: string, from: number, length: number, into?: Uint8Array): Promise<Part | StorageProblem> {
    return this.#timed(file, () => this.#storage.read(file, from, length, into));
  }

  async #timed<T>(path: string, call: (pending: PendingCall) => Promise<T>): Promise<T> {
    const pending = { path, since: this.#clock.now() };
    this.#pending.add(pending);
    try {
      return await call(pending);
    } finally {
      this.#pending.delete(pending);
    }
  }
}
