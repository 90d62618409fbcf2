// Waiting that takes no time.
import type * as timers from 'node:timers/promises';

type Timers = typeof timers;

/** Told of each wait, which then takes no time. */
export const waiting: { onWait: ((ms: number) => void) | undefined } = { onWait: undefined };

/** node:timers/promises for `vi.mock`: while a `watch` is disturbed, waiting takes no time but that of the desk. */
export function fasterClock(real: Timers): Timers & { default: Timers } {
  const setTimeout = async (ms?: number, value?: unknown, options?: object): Promise<unknown> => {
    if (waiting.onWait === undefined) return await real.setTimeout(ms, value, options);
    waiting.onWait(ms ?? 0);
    await real.setImmediate();
    return value;
  };
  const changed = { ...real, setTimeout } as Timers;
  return { ...changed, default: changed };
}
