// Ends what runs before the node's administrators do: login nodes kill what has used too much processor time.

const CHECK_MS = 250;

/** Aborts `signal` when this process, with all its threads and since its start, has used so much. */
export class CpuBudget implements Disposable {
  readonly #ending = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(seconds: number, usedSeconds: () => number = usedByThisProcess) {
    this.#timer = setInterval(() => {
      if (usedSeconds() >= seconds) this.#ending.abort();
    }, CHECK_MS);
    this.#timer.unref();
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function usedByThisProcess(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
