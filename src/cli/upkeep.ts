// The commands that keep the database up to date, and say whether all is well.
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { DoctorFlags } from './commands/doctor.ts';
import type { SnapshotFlags } from './commands/snapshot.ts';
import type { StatusFlags } from './commands/status.ts';
import type { SyncFlags } from './commands/sync.ts';
import type { VerifyFlags } from './commands/verify.ts';
import type { WatchFlags } from './commands/watch.ts';
import { examples } from './answers.ts';
import type { TrustLevel } from '../projector/trust.ts';
import type { CliIo, ExitCode } from './io.ts';
import { countOf, seconds, withJson, withPlace } from './options.ts';
import { withReading } from './reading.ts';

/** As in src/projector/trust.ts, which a help need not load. */
const TRUST_LEVELS: readonly TrustLevel[] = ['owner', 'group', 'all'];

export function addUpkeep(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  withJson(withPlace(program.command('sync')))
    .description('read what is new in the log into the database, once')
    .option('--rebuild', 'make the database anew from the whole log')
    .option('--lose-missing', 'with --rebuild: go on without rows whose files are gone or changed')
    .option('--thorough', 'look at finished files and old folders too')
    .addOption(trustOption())
    .addHelpText('after', examples('runfold sync', 'runfold sync --rebuild'))
    .action(async (flags: SyncFlags) => {
      const { sync } = await import('./commands/sync.ts');
      finish(await sync(flags, io));
    });

  withPlace(program.command('watch'))
    .description('keep the database up to date until Ctrl-C')
    .option('-q, --quiet', 'say nothing while all is well')
    .addOption(
      new Option(
        '--cpu-budget <time>',
        'end when so much processor time is used, with exit code 0',
      ).argParser(positiveSeconds),
    )
    .addOption(
      new Option(
        '--calls-per-file <n>',
        'at most so many calls to the storage for each live file and minute, over all (default: 240 on a network file system, else no limit)',
      ).argParser(callsPerFile),
    )
    .option('--slurm', 'ask SLURM too, as slurm refresh does')
    .addOption(
      new Option('--slurm-every <time>', 'how often, 60s at least')
        .argParser(politeSeconds)
        .default(60, '60s'),
    )
    .addOption(trustOption())
    .option('--snapshot [path]', 'publish a copy of the database (default: snapshot.db in the log)')
    .addOption(
      new Option(
        '--every <time>',
        'with --snapshot: how often, if something is new (default: 60s)',
      ).argParser(positiveSeconds),
    )
    .addHelpText(
      'after',
      examples(
        'runfold watch --quiet &',
        'runfold watch --cpu-budget 10m',
        'runfold watch --slurm --slurm-every 5m',
        'runfold watch --snapshot --every 5m',
      ),
    )
    .action(async (flags: WatchFlags) => {
      const { watch } = await import('./commands/watch.ts');
      finish(await watch(flags, io));
    });

  withJson(withReading(program.command('snapshot')))
    .description('copy the database to where other machines and other people find it')
    .argument('[path]', 'default: snapshot.db in the log')
    .addHelpText('after', examples('runfold snapshot', 'runfold snapshot ~/runs.db'))
    .action(async (path: string | undefined, flags: SnapshotFlags) => {
      const { snapshot } = await import('./commands/snapshot.ts');
      finish(await snapshot(path, flags, io));
    });

  withJson(withReading(program.command('status')))
    .description('how far the log has been read, and who keeps the database')
    .addHelpText('after', examples('runfold status --json'))
    .action(async (flags: StatusFlags) => {
      const { status } = await import('./commands/status.ts');
      finish(await status(flags, io));
    });

  withJson(withReading(program.command('doctor')))
    .description('everything that is wrong with the log, and what to do; exit code 3 if there is something')
    .addHelpText('after', examples('runfold doctor'))
    .action(async (flags: DoctorFlags) => {
      const { doctor } = await import('./commands/doctor.ts');
      finish(await doctor(flags, io));
    });

  withJson(withReading(program.command('verify')))
    .description('prove that the database is what the log says, by a rebuild beside it; exit code 3 if not')
    .addHelpText('after', examples('runfold verify && echo equal'))
    .action(async (flags: VerifyFlags) => {
      const { verify } = await import('./commands/verify.ts');
      finish(await verify(flags, io));
    });
}

/** Fewer would not do for a look at one file and at the folders. */
const LEAST_CALLS = 20;

function callsPerFile(text: string): number {
  const value = countOf(text);
  if (value >= LEAST_CALLS) return value;
  throw new InvalidArgumentError(`It must be ${LEAST_CALLS} or more.`);
}

function trustOption(): Option {
  const option = new Option(
    '--trust <whose>',
    'whose files are read: owner, group or all; kept until changed',
  );
  return option.choices(TRUST_LEVELS);
}

function positiveSeconds(text: string): number {
  const value = seconds(text);
  if (value >= 1) return value;
  throw new InvalidArgumentError('It must be 1s or more.');
}

const POLITE_SECONDS = 60;

function politeSeconds(text: string): number {
  const value = seconds(text);
  if (value >= POLITE_SECONDS) return value;
  throw new InvalidArgumentError(`It must be ${POLITE_SECONDS}s or more.`);
}
