// Commands that read make one pass first, unless something keeps the database up to date already.
import { RunfoldError } from '../errors.ts';
import { OpenProjector, type Place } from '../projector/open.ts';
import type { PassOptions, PassResult } from '../projector/projector.ts';
import { say, type CliIo } from './io.ts';
import { ProgressLine } from './progress.ts';

/** Makes a pass, or says on stderr who holds the database; then the tables are as fresh as that one keeps them. */
export async function freshen(place: Place, io: CliIo, options: PassOptions = {}): Promise<PassResult | undefined> {
  try {
    using open = OpenProjector.open(place, 'sync', io.clock);
    const progress = new ProgressLine(io, 'reading');
    const result = await open.projector.pass({ ...options, onProgress: progress.update, signal: io.signal });
    progress.done();
    return result;
  } catch (error) {
    if (!(error instanceof RunfoldError) || error.code !== 'projector_running') throw error;
    say(io.stderr, `not synced: ${error.message}`);
    return undefined;
  }
}
