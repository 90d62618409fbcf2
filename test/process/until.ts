// Waiting for a condition, never for a time.
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 10;

/** Looks again and again until `look` gives something that is true, and returns it; rejects after the deadline. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  deadlineMs = 60_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== null && seen !== false) return seen as NonNullable<Exclude<T, false>>;
    if (performance.now() > giveUpAt) throw new Error(`waited ${deadlineMs} ms in vain until ${what}`);
    await sleep(POLL_MS);
  }
}
