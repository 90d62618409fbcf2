// A process on a node: it dies at any call or statement, and then nothing of it goes on.
import type { Clock } from '../../src/clock.ts';
import type { Db } from '../../src/db/open.ts';
import { PACE } from '../../src/projector/pace.ts';
import type { LedgerStorage } from '../../src/projector/storage.ts';
import { TimedStorage } from '../../src/projector/timed-storage.ts';
import type { Client } from './client.ts';
import type { Coverage } from './coverage.ts';
import type { Actor, Scheduler } from './scheduler.ts';

class Killed extends Error {}

export class Process {
  readonly storage: TimedStorage;
  isDead = false;
  readonly #actor: Actor;
  readonly #scheduler: Scheduler;
  readonly #client: Client;
  readonly #coverage: Coverage;
  readonly #db: () => Db;
  readonly #left = { call: Number.NaN, statement: Number.NaN, full: Number.NaN };

  constructor(
    actor: Actor,
    scheduler: Scheduler,
    client: Client,
    coverage: Coverage,
    clock: Clock,
    db: () => Db,
  ) {
    this.#actor = actor;
    this.#scheduler = scheduler;
    this.#client = client;
    this.#coverage = coverage;
    this.#db = db;
    this.storage = new TimedStorage(this.#calls(client), clock);
  }

  #calls(client: Client): LedgerStorage {
    return {
      identify: () => this.#call(() => client.identify()),
      list: (wanted = () => true) => this.#call(() => client.list(wanted)),
      read: (file, from, length) => this.#call(() => client.read(file, from, length)),
    };
  }

  arm(what: 'call' | 'statement' | 'full', k: number): void {
    this.#left[what] = k;
  }

  /** Whether it is the one that was armed. */
  #isThis(what: 'call' | 'statement' | 'full'): boolean {
    this.#left[what] -= 1;
    return this.#left[what] < 0;
  }

  async #call<T>(answer: () => T): Promise<T> {
    if (this.isDead) throw new Killed();
    if (this.#isThis('call')) {
      this.#coverage.hit('killed at a storage call');
      this.die();
      throw new Killed();
    }
    const latency = this.#client.latency();
    if (latency >= PACE.hangAfter) this.#coverage.hit('hang of 10 s or more');
    return await this.#scheduler.wait(this.#actor, latency, answer);
  }

  beforeStatement(): void {
    if (this.isDead) throw new Killed();
    if (this.#isThis('statement')) {
      this.#coverage.hit('killed at a statement');
      this.die();
      throw new Killed();
    }
    if (this.#isThis('full')) this.#fail();
  }

  #fail(): void {
    this.#left.full = Number.NaN;
    const db = this.#db();
    this.#coverage.hit(db.inTransaction ? 'database full within a transaction' : 'database full');
    // SQLite rolls back by itself when it cannot go on
    if (db.inTransaction) db.exec('ROLLBACK');
    throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  }

  die(): void {
    this.isDead = true;
    if (this.#actor.waits.size > 0 && this.storage.oldest !== undefined) {
      this.#coverage.hit('killed while a call hangs');
    }
    if (this.#db().inTransaction) this.#coverage.hit('killed within a transaction');
    for (const breakOff of this.#actor.waits) breakOff(new Killed());
  }
}
