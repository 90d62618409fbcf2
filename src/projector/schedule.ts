// Which paths are to be looked at when. Times are cut into ticks, so that looks come together and none is searched for.

/** Milliseconds: what is due within one tick is due at its end. */
export const TICK_MS = 50;

export class Schedule {
  readonly #ticks = new Map<number, Set<string>>();
  readonly #tickOf = new Map<string, number>();
  /** No tick before it holds a path. */
  #first = 0;

  get size(): number {
    return this.#tickOf.size;
  }

  has(path: string): boolean {
    return this.#tickOf.has(path);
  }

  /** In the place of when it was due before. */
  set(path: string, dueAt: number): void {
    this.delete(path);
    const tick = Math.ceil(dueAt / TICK_MS);
    if (this.size === 0 || tick < this.#first) this.#first = tick;
    this.#tickOf.set(path, tick);
    const others = this.#ticks.get(tick);
    if (others === undefined) this.#ticks.set(tick, new Set([path]));
    else others.add(path);
  }

  /** All that is planned is due then. */
  setAll(dueAt: number): void {
    // a copy: setting one puts it at the end
    for (const path of Array.from(this.#tickOf.keys())) this.set(path, dueAt);
  }

  delete(path: string): void {
    const tick = this.#tickOf.get(path);
    if (tick === undefined) return;
    this.#tickOf.delete(path);
    const paths = this.#ticks.get(tick);
    paths?.delete(path);
    if (paths?.size === 0) this.#ticks.delete(tick);
  }

  /** When the first of all is due; undefined if there is none. */
  get nextAt(): number | undefined {
    if (this.size === 0) return undefined;
    // few ticks have paths, but after a clock was put right they may be far from one another
    if (!this.#ticks.has(this.#first)) this.#first = Math.min(...this.#ticks.keys());
    return this.#first * TICK_MS;
  }

  /** At most so many of those that are due, the longest overdue first; they stay due until they are set anew. */
  due(now: number, most: number): string[] {
    const due: string[] = [];
    const ticks = [...this.#ticks.keys()].filter((tick) => tick * TICK_MS <= now);
    for (const tick of ticks.toSorted((a, b) => a - b)) {
      for (const path of this.#ticks.get(tick) ?? []) {
        if (due.length >= most) return due;
        due.push(path);
      }
    }
    return due;
  }
}
