// The clock is passed in, so that tests can hold it.

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A time as events and tables write it: `2026-11-23T10:15:00.123Z`. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
