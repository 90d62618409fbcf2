// runfold watch: keeps the database up to date until SIGINT or SIGTERM.
import { networkFileSystem } from '../../db/network-fs.ts';
import { messageOf } from '../../errors.ts';
import { locate, OpenProjector } from '../../projector/open.ts';
import { watch as follow } from '../../projector/watch.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
import { printSafe } from '../print-safe.ts';

export interface WatchFlags extends PlaceFlags {
  quiet?: boolean;
}

export async function watch(flags: WatchFlags, io: CliIo): Promise<ExitCode> {
  const place = await locate({ ...flags, env: io.env, cwd: io.cwd }, io.clock);
  const root = place.ledger.path;
  using open = OpenProjector.open(place, 'watch', io.clock);
  const isQuiet = flags.quiet === true;
  if (!isQuiet) say(io.stderr, `following ${root} into ${place.file}; Ctrl-C ends it`);
  let total = 0;
  const end = await follow(open.projector, place.storage, {
    root,
    clock: io.clock,
    signal: io.signal,
    usePolling: networkFileSystem(root) !== undefined,
    onPass: ({ events, rejected }) => {
      total += events;
      if (isQuiet || (events === 0 && rejected === 0)) return;
      const bad = rejected === 0 ? '' : `, ${count(rejected, 'line')} rejected`;
      const time = new Date(io.clock.now()).toTimeString().slice(0, 8);
      say(io.stderr, `${time}  ${count(events, 'new event')}${bad}`);
    },
    onTrouble: (trouble) => {
      if (trouble === undefined) say(io.stderr, 'it works again');
      else say(io.stderr, `trouble: ${printSafe(messageOf(trouble))}; trying again`);
    },
  });
  if (end === 'abandoned') {
    io.abandon();
    return 1;
  }
  open.db.pragma('wal_checkpoint(TRUNCATE)');
  if (!isQuiet) say(io.stderr, `ended; ${count(total, 'event')} applied`);
  return 0;
}
