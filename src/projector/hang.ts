// Work on the shared storage may never end: it is reported, and nobody has to wait for it.
import type { Clock } from '../clock.ts';
import { PACE } from './pace.ts';
import type { PendingCall, TimedStorage } from './timed-storage.ts';

export interface PatienceOptions {
  storage: TimedStorage;
  clock: Clock;
  /** Whoever does not want to wait any longer. */
  signal: AbortSignal;
  /** Called once when a call has not come back for PACE.hangAfter, and with undefined when it has. */
  onHang: (call: PendingCall | undefined) => void;
}

/** What `work` gives, or `abandoned` if the signal came and the work did not end soon after: it hangs. */
export async function withPatience<T>(
  work: Promise<T>,
  options: PatienceOptions,
): Promise<{ value: T } | 'abandoned'> {
  const { storage, clock, signal, onHang } = options;
  let isReported = false;
  const watchdog = setInterval(() => {
    const call = storage.oldest;
    const hangs = call !== undefined && clock.now() - call.since >= PACE.hangAfter;
    if (hangs !== isReported) onHang(hangs ? call : undefined);
    isReported = hangs;
  }, PACE.hangAfter / 10);
  watchdog.unref();
  const gaveUp = new AbortController();
  const abandoned = new Promise<'abandoned'>((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const startTimer = (): void => {
      timer = setTimeout(() => resolve('abandoned'), PACE.abandonAfter);
    };
    gaveUp.signal.addEventListener('abort', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', startTimer);
    });
    if (signal.aborted) startTimer();
    else signal.addEventListener('abort', startTimer, { once: true });
  });
  try {
    return await Promise.race([work.then((value) => ({ value })), abandoned]);
  } finally {
    clearInterval(watchdog);
    gaveUp.abort();
  }
}
