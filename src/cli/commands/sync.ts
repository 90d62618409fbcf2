// runfold sync: one pass, or a rebuild.
import { isoTime } from '../../clock.ts';
import { RunfoldError } from '../../errors.ts';
import { withPatience } from '../../projector/hang.ts';
import { OpenProjector, rebuildLocked, type Place } from '../../projector/open.ts';
import type { PassResult } from '../../projector/pass-result.ts';
import type { RebuildResult } from '../../projector/rebuild.ts';
import type { TrustLevel } from '../../projector/trust.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
import { waitForPlace } from '../place.ts';
import { jsonSafe, printSafe } from '../print-safe.ts';
import { ProgressLine } from '../progress.ts';
import { startIfNew } from '../start.ts';

export interface SyncFlags extends PlaceFlags {
  rebuild?: boolean;
  loseMissing?: boolean;
  trust?: TrustLevel;
  thorough?: boolean;
  json?: boolean;
}

export async function sync(flags: SyncFlags, io: CliIo): Promise<ExitCode> {
  if (flags.loseMissing === true && flags.rebuild !== true) {
    throw new RunfoldError('usage', '--lose-missing goes with --rebuild');
  }
  const place = await waitForPlace(flags, io);
  const progress = new ProgressLine(io, flags.rebuild === true ? 'rebuilding' : 'reading');
  const outcome = await withPatience(work(flags, place, progress, io), {
    storage: place.storage,
    clock: io.clock,
    signal: io.signal,
    onHang: (call) => {
      const what =
        call === undefined ? 'answers again' : `has not answered since ${isoTime(call.since)}: ${call.path}`;
      say(io.stderr, `the storage ${printSafe(what)}`);
    },
  });
  progress.done();
  if (outcome === 'abandoned') {
    io.abandon();
    return 1;
  }
  for (const line of outcome.value) say(io.stdout, line);
  // between two transactions: the next one goes on from there
  if (io.signal.aborted) say(io.stderr, 'interrupted: not all has been read');
  return io.signal.aborted ? 1 : 0;
}

/** What to print. */
async function work(flags: SyncFlags, place: Place, progress: ProgressLine, io: CliIo): Promise<string[]> {
  const options = { onProgress: progress.update, signal: io.signal };
  if (flags.rebuild === true) {
    const result = await rebuildLocked(
      place,
      {
        ...options,
        onProgress: progress.updateOfWhole,
        loseMissing: flags.loseMissing === true,
        trust: flags.trust,
      },
      io.clock,
    );
    if (flags.json !== true) return describeRebuild(place.file, result);
    return [JSON.stringify({ ...result.pass, lost: result.lost, damaged: result.damaged ?? null })];
  }
  await startIfNew(place, io, flags.trust);
  using open = OpenProjector.open(place, 'sync', io.clock, { trust: flags.trust });
  const result = await open.projector.pass({
    ...options,
    ...(flags.thorough === true && { thorough: true }),
  });
  return [flags.json === true ? jsonSafe(result) : summary(result, 'new event')];
}

function describeRebuild(file: string, { pass, lost, damaged }: RebuildResult): string[] {
  return [
    `rebuilt ${printSafe(file)}: ${summary(pass, 'event')}`,
    ...lost.map(
      ({ path, reason, events }) => `left behind: ${printSafe(path)} (${reason}, ${count(events, 'event')})`,
    ),
    ...(damaged === undefined ? [] : [`the damaged database is at ${printSafe(damaged)}`]),
  ];
}

function summary({ events, rejected, files }: PassResult, noun: string): string {
  const bad = rejected === 0 ? '' : `, ${count(rejected, 'line')} rejected (see: runfold doctor)`;
  return `${count(events, noun)} from ${count(files, 'file')}${bad}`;
}
