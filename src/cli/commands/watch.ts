// runfold watch: keeps the database up to date until SIGINT or SIGTERM.
import { networkFileSystem } from '../../db/network-fs.ts';
import { databaseTrouble } from '../../db/trouble.ts';
import { errnoOf, messageOf } from '../../errors.ts';
import { locate, OpenProjector, type Place } from '../../projector/open.ts';
import { watch as follow } from '../../projector/watch.ts';
import { runCommand } from '../../slurm/run-command.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
import { printSafe } from '../print-safe.ts';
import { SlurmWatch } from '../slurm-watch.ts';
import { describeJobs } from '../slurm-words.ts';

export interface WatchFlags extends PlaceFlags {
  quiet?: boolean;
  slurm?: boolean;
  /** Seconds. */
  slurmEvery: number;
}

export async function watch(flags: WatchFlags, io: CliIo): Promise<ExitCode> {
  const place = await locate({ ...flags, env: io.env, cwd: io.cwd }, io.clock);
  const root = place.ledger.path;
  using open = OpenProjector.open(place, 'watch', io.clock);
  const isQuiet = flags.quiet === true;
  if (!isQuiet) say(io.stderr, `following ${root} into ${place.file}; Ctrl-C ends it`);
  let total = 0;
  using asking = flags.slurm === true ? askSlurm(flags, place, io) : undefined;
  const end = await follow(open.projector, place.storage, {
    root,
    clock: io.clock,
    signal: io.signal,
    usePolling: networkFileSystem(root) !== undefined,
    onPass: ({ events, rejected }) => {
      asking?.begin();
      total += events;
      if (isQuiet || (events === 0 && rejected === 0)) return;
      const bad = rejected === 0 ? '' : `, ${count(rejected, 'line')} rejected`;
      const time = new Date(io.clock.now()).toTimeString().slice(0, 8);
      say(io.stderr, `${time}  ${count(events, 'new event')}${bad}`);
    },
    onTrouble: (trouble) => {
      if (trouble === undefined) say(io.stderr, 'it works again');
      else say(io.stderr, `trouble: ${printSafe(describeTrouble(trouble, place))}; trying again`);
    },
  });
  if (end === 'abandoned') {
    io.abandon();
    return 1;
  }
  if ((await asking?.end()) === 'abandoned') {
    io.abandon();
    return 1;
  }
  open.db.pragma('wal_checkpoint(TRUNCATE)');
  if (!isQuiet) say(io.stderr, `ended; ${count(total, 'event')} applied`);
  return 0;
}

function describeTrouble(trouble: unknown, { file }: Place): string {
  // what the system says of a file names it
  const isOfDatabase = errnoOf(trouble)?.startsWith('SQLITE_') === true;
  return messageOf((isOfDatabase ? databaseTrouble(file, trouble) : undefined) ?? trouble);
}

function askSlurm(flags: WatchFlags, place: Place, io: CliIo): SlurmWatch {
  return new SlurmWatch({
    place,
    io,
    run: runCommand,
    everyMs: flags.slurmEvery * 1000,
    onAnswer: ({ jobs, events }) => {
      if (events > 0 && flags.quiet !== true) say(io.stderr, `SLURM: ${describeJobs(jobs)}`);
    },
    onTrouble: (trouble) =>
      say(io.stderr, trouble === undefined ? 'SLURM answers again' : `SLURM: ${trouble}`),
  });
}
