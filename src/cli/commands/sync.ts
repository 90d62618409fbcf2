// runfold sync: one pass, or a rebuild.
import { locate, OpenProjector, rebuildLocked } from '../../projector/open.ts';
import type { PassResult } from '../../projector/projector.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
import { printSafe } from '../print-safe.ts';
import { ProgressLine } from '../progress.ts';

export interface SyncFlags extends PlaceFlags {
  rebuild?: boolean;
  loseMissing?: boolean;
  thorough?: boolean;
  json?: boolean;
}

export async function sync(flags: SyncFlags, io: CliIo): Promise<ExitCode> {
  const place = await locate({ ...flags, env: io.env, cwd: io.cwd });
  const progress = new ProgressLine(io, flags.rebuild === true ? 'rebuilding' : 'reading');
  const options = { onProgress: progress.update, signal: io.signal };
  if (flags.rebuild === true) {
    const result = await rebuildLocked(place, { ...options, loseMissing: flags.loseMissing === true }, io.clock);
    progress.done();
    if (flags.json === true) say(io.stdout, JSON.stringify({ ...result.pass, lost: result.lost }));
    else {
      say(io.stdout, `rebuilt ${place.file}: ${summary(result.pass)}`);
      for (const { path, reason, events } of result.lost) {
        say(io.stdout, `left behind: ${printSafe(path)} (${reason}, ${count(events, 'event')})`);
      }
      if (result.damaged !== undefined) say(io.stdout, `the damaged database is at ${result.damaged}`);
    }
    return 0;
  }
  using open = OpenProjector.open(place, 'sync', io.clock);
  const result = await open.projector.pass({ ...options, ...(flags.thorough === true && { thorough: true }) });
  progress.done();
  if (flags.json === true) say(io.stdout, JSON.stringify(result));
  else say(io.stdout, summary(result));
  return 0;
}

function summary({ events, rejected, files }: PassResult): string {
  const bad = rejected === 0 ? '' : `, ${count(rejected, 'line')} rejected (see: runfold doctor)`;
  return `${count(events, 'new event')} from ${count(files, 'file')}${bad}`;
}
