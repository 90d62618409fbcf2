// A command that meets no database starts from the snapshot in the log, and says so.
import { withPatience } from '../projector/hang.ts';
import type { Place } from '../projector/open.ts';
import { startFromSnapshot } from '../projector/start.ts';
import type { TrustLevel } from '../projector/trust.ts';
import { duration } from './human.ts';
import { say, type CliIo } from './io.ts';

/**
 * Does nothing where there is a database.
 *
 * @throws an AbortError on the signal, also if the storage hangs.
 */
export async function startIfNew(place: Place, io: CliIo, trust?: TrustLevel): Promise<void> {
  const { clock, signal } = io;
  const outcome = await withPatience(startFromSnapshot(place, { clock, signal, trust }), {
    storage: place.storage,
    clock,
    signal,
    onHang: () => undefined,
  });
  if (outcome === 'abandoned') {
    io.abandon();
    signal.throwIfAborted();
    return;
  }
  const start = outcome.value;
  if (start.kind === 'refused') {
    say(io.stderr, `${start.snapshot} is not used: ${start.why}; the log is read from its beginning`);
  }
  if (start.kind === 'started') {
    const { asOf, snapshot } = start;
    const age = asOf === null ? '' : ` (${duration(Math.max(0, clock.now() - Date.parse(asOf)) / 1000)} ago)`;
    say(io.stderr, `no database here yet: going on from ${snapshot}, as of ${asOf ?? 'no pass'}${age}`);
  }
}
