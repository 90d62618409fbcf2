// Commands that read make one pass first, unless something keeps the database up to date already.
import { existsSync } from 'node:fs';
import { isoTime } from '../clock.ts';
import { RunfoldError } from '../errors.ts';
import { withPatience } from '../projector/hang.ts';
import { OpenProjector, type Place } from '../projector/open.ts';
import type { PassOptions, PassResult } from '../projector/projector.ts';
import { say, type CliIo } from './io.ts';
import { ProgressLine } from './progress.ts';

/** A command that reads does not keep anyone waiting for longer than this. */
const BOUND_MS = 10_000;

/** Makes a bounded pass, or says on stderr who holds the database; then the tables are as fresh as that one keeps them. */
export async function freshen(
  place: Place,
  io: CliIo,
  options: PassOptions = {},
): Promise<PassResult | undefined> {
  const isFirst = !existsSync(place.file);
  try {
    using open = OpenProjector.open(place, 'sync', io.clock);
    const progress = new ProgressLine(io, 'reading');
    // the first read makes the database: half of it would answer nothing
    const signal = isFirst ? io.signal : AbortSignal.any([io.signal, AbortSignal.timeout(BOUND_MS)]);
    const pass = open.projector.pass({ ...options, onProgress: progress.update, signal });
    const outcome = await withPatience(pass, {
      storage: place.storage,
      clock: io.clock,
      signal,
      onHang: () => undefined,
    });
    progress.done();
    if (outcome === 'abandoned') {
      const path = place.storage.oldest?.path ?? 'the log';
      say(io.stderr, `not synced: the storage does not answer (${path})`);
      io.abandon();
      return undefined;
    }
    io.signal.throwIfAborted();
    if (signal.aborted)
      say(io.stderr, `not synced to the end within ${BOUND_MS / 1000} s; run: runfold sync`);
    else say(io.stderr, `as of ${isoTime(io.clock.now())}`);
    return outcome.value;
  } catch (error) {
    if (!(error instanceof RunfoldError) || error.code !== 'projector_running') throw error;
    say(io.stderr, `not synced: ${error.message}`);
    return undefined;
  }
}
