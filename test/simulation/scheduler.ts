// Time that passes only when everybody waits: calls take simulated milliseconds, and come back in a fixed order.
import { setImmediate } from 'node:timers/promises';

interface Due {
  at: number;
  order: number;
  run: () => void;
}

/** Something that works and waits: a process of the simulation. */
export class Actor {
  /** What it waits for: calls to the storage, and sleeps. */
  readonly waits = new Set<(error: Error) => void>();
  isBusy = false;
}

export class Scheduler {
  #now: number;
  #order = 0;
  readonly #due: Due[] = [];
  readonly #actors = new Set<Actor>();

  constructor(startMs: number) {
    this.#now = startMs;
  }

  get now(): number {
    return this.#now;
  }

  /** Calls `run` later; what comes back takes it off again. */
  at(ms: number, run: () => void): () => void {
    const due = { at: Math.max(ms, this.#now), order: this.#order, run };
    this.#order += 1;
    const index = this.#due.findIndex((other) => other.at > due.at);
    this.#due.splice(index === -1 ? this.#due.length : index, 0, due);
    return () => {
      const position = this.#due.indexOf(due);
      if (position !== -1) this.#due.splice(position, 1);
    };
  }

  /** What `answer` gives when `ms` have passed; or an error, if the actor's waits are broken off before. */
  wait<T>(actor: Actor, ms: number, answer: () => T): Promise<T> {
    const { promise, resolve, reject } = withResolvers<T>();
    const breakOff = (error: Error): void => {
      cancel();
      actor.waits.delete(breakOff);
      reject(error);
    };
    const cancel = this.at(this.#now + ms, () => {
      actor.waits.delete(breakOff);
      try {
        resolve(answer());
      } catch (error) {
        reject(error);
      }
    });
    actor.waits.add(breakOff);
    return promise;
  }

  /** A sleep that a signal ends. */
  async sleep(actor: Actor, ms: number, signal: AbortSignal): Promise<void> {
    const woken = new Error('woken');
    const asleep = this.wait(actor, ms, () => undefined);
    const [breakOff] = [...actor.waits].slice(-1);
    const wake = (): void => breakOff?.(woken);
    signal.addEventListener('abort', wake);
    try {
      await asleep;
    } catch (error) {
      if (error !== woken) throw error;
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  /** Lets an actor begin; `runUntil` and `finish` let it go on. */
  start(actor: Actor, work: () => Promise<void>): Promise<void> {
    actor.isBusy = true;
    this.#actors.add(actor);
    const done = work().finally(() => {
      actor.isBusy = false;
      this.#actors.delete(actor);
    });
    // whoever started it looks at how it ended
    done.catch(() => undefined);
    return done;
  }

  async runUntil(ms: number): Promise<void> {
    await this.#untilAllWait();
    for (let next = this.#due[0]; next !== undefined && next.at <= ms; next = this.#due[0]) {
      this.#due.shift();
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await this.#untilAllWait();
    }
    this.#now = Math.max(this.#now, ms);
  }

  /** Until the actor has ended. */
  async finish(actor: Actor): Promise<void> {
    await this.#untilAllWait();
    while (actor.isBusy) {
      const [next] = this.#due;
      if (next === undefined) throw new Error('an actor waits for nothing');
      await this.runUntil(next.at);
    }
  }

  async #untilAllWait(): Promise<void> {
    do await setImmediate();
    while ([...this.#actors].some((actor) => actor.isBusy && actor.waits.size === 0));
  }
}

function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
