// How many calls to the shared storage have been made: each open, stat, read, close, and each read of a folder.

export class CallCount {
  #total = 0;

  /** Since the process began. */
  get total(): number {
    return this.#total;
  }

  add(calls: number): void {
    this.#total += calls;
  }
}
