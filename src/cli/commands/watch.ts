// runfold watch: keeps the database up to date until SIGINT or SIGTERM.
import { writeCallsNote } from '../../db/calls-note.ts';
import { networkFileSystem } from '../../db/network-fs.ts';
import { databaseTrouble } from '../../db/trouble.ts';
import { errnoOf, messageOf, RunfoldError } from '../../errors.ts';
import { DEFAULT_CALLS_PER_FILE } from '../../projector/call-budget.ts';
import { OpenProjector, type Place } from '../../projector/open.ts';
import type { TrustLevel } from '../../projector/trust.ts';
import { watch as follow } from '../../projector/watch.ts';
import { runCommand } from '../../slurm/run-command.ts';
import { CpuBudget } from '../cpu-budget.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
import { waitForPlace } from '../place.ts';
import { printSafe } from '../print-safe.ts';
import { SlurmWatch } from '../slurm-watch.ts';
import { snapshotInProcess } from '../snapshot/in-process.ts';
import { SnapshotWatch } from '../snapshot/watch.ts';
import { startIfNew } from '../start.ts';
import { describeJobs } from '../slurm-words.ts';
import { snapshotTarget } from './snapshot.ts';

export interface WatchFlags extends PlaceFlags {
  quiet?: boolean;
  slurm?: boolean;
  /** Seconds. */
  cpuBudget?: number;
  callsPerFile?: number;
  /** Seconds. */
  slurmEvery: number;
  trust?: TrustLevel;
  /** Without a path it is true. */
  snapshot?: string | true;
  /** Seconds. */
  every?: number;
}

const SNAPSHOT_SECONDS = 60;

export async function watch(flags: WatchFlags, io: CliIo): Promise<ExitCode> {
  if (flags.every !== undefined && flags.snapshot === undefined) {
    throw new RunfoldError('usage', '--every goes with --snapshot');
  }
  const place = await waitForPlace(flags, io);
  const root = place.ledger.path;
  await startIfNew(place, io, flags.trust);
  using open = OpenProjector.open(place, 'watch', io.clock, { trust: flags.trust });
  const isQuiet = flags.quiet === true;
  if (!isQuiet) say(io.stderr, `following ${root} into ${place.file}; Ctrl-C ends it`);
  let total = 0;
  using asking = flags.slurm === true ? askSlurm(flags, place, io) : undefined;
  await using snapshots = flags.snapshot === undefined ? undefined : publish(flags, place, io);
  using cpu = flags.cpuBudget === undefined ? undefined : new CpuBudget(flags.cpuBudget);
  const isOnNetwork = networkFileSystem(root) !== undefined;
  const callsPerFile = flags.callsPerFile ?? (isOnNetwork ? DEFAULT_CALLS_PER_FILE : undefined);
  const end = await follow(open.projector, place.storage, {
    root,
    clock: io.clock,
    signal: cpu === undefined ? io.signal : AbortSignal.any([io.signal, cpu.signal]),
    isOnNetwork,
    ...(callsPerFile !== undefined && { callsPerFile }),
    onCalls: (calls) => writeCallsNote(place.file, calls),
    onPass: (result) => {
      const { events, rejected } = result;
      asking?.begin();
      snapshots?.passed(result);
      total += events;
      if (isQuiet || (events === 0 && rejected === 0)) return;
      const bad = rejected === 0 ? '' : `, ${count(rejected, 'line')} rejected`;
      const time = new Date(io.clock.now()).toTimeString().slice(0, 8);
      say(io.stderr, `${time}  ${count(events, 'new event')}${bad}`);
    },
    // so that `status` can say it
    onHang: (call) => {
      if (call === undefined) place.note.answers(place.ledger);
      else place.note.hangs(place.ledger, call, call.since - 1);
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
  await snapshots?.end();
  open.db.pragma('wal_checkpoint(TRUNCATE)');
  if (cpu?.signal.aborted === true) {
    say(
      io.stderr,
      `${flags.cpuBudget} s of processor time are used up (--cpu-budget): the next one goes on from here`,
    );
  }
  if (!isQuiet) say(io.stderr, `ended; ${count(total, 'event')} applied`);
  return 0;
}

function publish(flags: WatchFlags, place: Place, io: CliIo): SnapshotWatch {
  const target = snapshotTarget(flags.snapshot === true ? undefined : flags.snapshot, place, io);
  return new SnapshotWatch({
    everyMs: (flags.every ?? SNAPSHOT_SECONDS) * 1000,
    make: (signal) => snapshotInProcess(place, target, signal),
    onTrouble: (trouble) => {
      const what = trouble === undefined ? 'are made again' : `${printSafe(trouble)}; trying again`;
      say(io.stderr, `snapshots: ${what}`);
    },
  });
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
