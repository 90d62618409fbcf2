// The commands that answer from the database, and those with which people say something of a run.
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { HideFlags, NoteFlags, TagFlags } from './commands/annotate.ts';
import type { CompareFlags } from './commands/compare.ts';
import type { ErrorsFlags } from './commands/errors.ts';
import type { LeaderboardFlags } from './commands/leaderboard.ts';
import type { RunsFlags } from './commands/runs.ts';
import type { ShowFlags } from './commands/show.ts';
import { examples } from './examples.ts';
import { withFormat } from './format/options.ts';
import type { CliIo, ExitCode } from './io.ts';
import { wholeNumber, withJson } from './options.ts';
import { collect, fieldList, withFilters, withPaging, withReading } from './reading.ts';

export { examples };

export const RUN = 'run id, its first characters, or @last';

export function addAnswers(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  withFormat(withPaging(withFilters(withReading(program.command('runs')))))
    .description('list runs: how they are, and what came of them')
    .option('--select <fields>', 'these fields, comma separated: dataset,config.lr,final.acc …', fieldList)
    .option('--active', 'those that are pending or running, with the age of their newest line')
    .addHelpText(
      'after',
      examples(
        'runfold runs --status failed,timeout',
        "runfold runs --method mlp -w 'config.lr<0.01' --sort -final.f1",
        'runfold runs --select dataset,method,seed,config.lr,final.f1 --format csv',
        'runfold runs --active',
      ),
    )
    .action(async (flags: RunsFlags) => {
      const { runs } = await import('./commands/runs.ts');
      finish(await runs(flags, io));
    });

  withJson(withReading(program.command('show')))
    .description('everything about one run')
    .argument('<run>', RUN)
    .addHelpText('after', examples('runfold show @last', 'runfold show 7k2m --json'))
    .action(async (run: string, flags: ShowFlags) => {
      const { show } = await import('./commands/show.ts');
      finish(await show(run, flags, io));
    });

  withFormat(withFilters(withReading(program.command('errors'))))
    .description('what went wrong, in how many runs; with a run: its errors, with their tracebacks')
    .argument('[run]', RUN)
    .addOption(
      new Option('--by <what>', 'one line for each exception type, or for each place in the code')
        .choices(['type', 'place'])
        .default('type'),
    )
    .addHelpText(
      'after',
      examples('runfold errors', 'runfold errors --by place --method mlp', 'runfold errors @last'),
    )
    .action(async (run: string | undefined, flags: ErrorsFlags) => {
      const { errors } = await import('./commands/errors.ts');
      finish(await errors(run, flags, io));
    });

  withFormat(withReading(program.command('compare')))
    .description('runs side by side: what differs first')
    .argument('<runs...>', `two or more: ${RUN}`)
    .option('--diff', 'only what differs')
    .addHelpText('after', examples('runfold compare 7k2m 9q4w --diff'))
    .action(async (ids: string[], flags: CompareFlags) => {
      const { compare } = await import('./commands/compare.ts');
      finish(await compare(ids, flags, io));
    });

  addLeaderboard(program, io, finish);
}

function addLeaderboard(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  withFormat(withFilters(withReading(program.command('leaderboard'))))
    .description('mean and spread of a metric, by method and data set or other fields')
    .argument('<metric>', 'f1, val/acc, results.accuracy …')
    .option('--rows <field>', 'what the rows are (default: method)')
    .option('--columns <field>', 'what the columns are (default: dataset)')
    .option('--at <place>', 'final, best, or where another metric is best: best:val/acc (default: final)')
    .addOption(new Option('--goal <which>', 'which is better').choices(['min', 'max']))
    .option('--all-statuses', 'runs of every status count (default: completed ones)')
    .addOption(new Option('--spread <what>', 'beside the mean (default: std)').choices(['std', 'ci', 'none']))
    .option('--no-counts', 'leave (4/4) out where all runs count')
    .addOption(new Option('--digits <n>', 'digits after the point (default: 3)').argParser(digits))
    .addOption(new Option('--scale <factor>', 'multiply what is shown; 100 for per cent').argParser(factor))
    .option('--rename <label=NEW>', 'another name for a row or column; repeat it for more', collect)
    .option('--order <labels>', 'rows and columns that come first, comma separated', collect)
    .addHelpText(
      'after',
      examples(
        'runfold leaderboard f1 --scale 100 --digits 1',
        'runfold leaderboard test/acc --goal max --at best:val/acc --no-counts --format latex',
        'runfold leaderboard loss --rows config.lr --columns method --spread ci',
      ),
    )
    .action(async (metric: string, flags: LeaderboardFlags) => {
      const { leaderboard } = await import('./commands/leaderboard.ts');
      finish(await leaderboard(metric, flags, io));
    });
}

/** What a person says of a run. */
export function addAnnotations(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  withReading(program.command('tag'))
    .description('add tags to a run')
    .argument('<run>', RUN)
    .argument('[tags...]', 'tags to add')
    .option('--remove <tag>', 'take this tag away; repeat it for more', collect)
    .addHelpText('after', examples('runfold tag @last baseline', 'runfold tag 7k2m --remove baseline'))
    .action(async (run: string, tags: string[], flags: TagFlags) => {
      const { tag } = await import('./commands/annotate.ts');
      finish(await tag(run, tags, flags, io));
    });

  withReading(program.command('note'))
    .description('write a note on a run, in the place of the one before')
    .argument('<run>', RUN)
    .argument('<text...>', 'the note; - takes it from stdin')
    .option('--append', 'as a further line of the note that is there')
    .addHelpText('after', examples('runfold note @last lr was too high'))
    .action(async (run: string, words: string[], flags: NoteFlags) => {
      const { note } = await import('./commands/annotate.ts');
      finish(await note(run, words, flags, io));
    });

  withReading(program.command('hide'))
    .description('leave runs out of lists and leaderboards; nothing is deleted')
    .argument('<runs...>', RUN)
    .option('--undo', 'show them again')
    .addHelpText('after', examples('runfold hide 7k2m 9q4w', 'runfold runs --hidden -w hidden=true'))
    .action(async (ids: string[], flags: HideFlags) => {
      const { hide } = await import('./commands/annotate.ts');
      finish(await hide(ids, flags, io));
    });
}

const MOST_DIGITS = 20;

function digits(text: string): number {
  const value = wholeNumber(text);
  if (value >= 0 && value <= MOST_DIGITS) return value;
  throw new InvalidArgumentError(`It must be from 0 to ${MOST_DIGITS}.`);
}

function factor(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a number above 0.');
}

/** What stands below the options of a command. */
