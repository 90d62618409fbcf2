// Which call fails: the k-th, once or from then on.

export class FaultPlan<Fault> {
  /** What was called, since `begin`. */
  calls: string[] = [];
  /** How many of them have failed. */
  hits = 0;
  #at = Infinity;
  #isOnce = true;
  #fault: Fault | undefined;

  /** Counts the calls from here on, without failing any. */
  watch(): void {
    this.begin(Infinity, true, undefined);
  }

  /** The first call is 0. */
  begin(k: number, isOnce: boolean, fault: Fault | undefined): void {
    this.calls = [];
    this.hits = 0;
    this.#at = k;
    this.#isOnce = isOnce;
    this.#fault = fault;
  }

  end(): void {
    this.#at = Infinity;
  }

  /** What happens in the place of this call, if anything does. */
  meet(call: string): Fault | undefined {
    const k = this.calls.push(call) - 1;
    if (this.#isOnce ? k !== this.#at : k < this.#at) return undefined;
    this.hits += 1;
    return this.#fault;
  }
}
