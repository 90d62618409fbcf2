// The commands on sweeps: many runs that one file describes.
import { InvalidArgumentError, Option, type Command } from 'commander';
import { RunfoldError } from '../errors.ts';
import { CELL_STATES, type CellState } from '../grid/progress.ts';
import { examples } from './answers.ts';
import type { GridFlags } from './commands/grid.ts';
import type { SubmitFlags } from './commands/grid-submit.ts';
import { withFormat } from './format/options.ts';
import type { CliIo, ExitCode } from './io.ts';
import { seconds, wholeNumber, withJson } from './options.ts';
import { collectList, withFilters, withReading } from './reading.ts';

const KEY_FROM_CONFIG = 'columns that belong to the key too, comma separated, as with a logger';

export function addSweeps(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  const grid = withFormat(withFilters(withReading(program.command('grid'))))
    .description('what of a sweep is done, what is missing, and what to run again')
    .argument('[file]', 'the grid, CSV or JSON (default: each value that has been seen with each)')
    .option('--rows <field>', 'what the rows are (default: method)')
    .option('--columns <field>', 'what the columns are (default: dataset)')
    .option('--list', 'the runs that are not completed, one by one')
    .option('--array', 'nothing but the list for sbatch --array: rows that are missing, failed or timeout')
    .addOption(
      onlyOption('these states alone, comma separated: missing, failed, timeout, pending, running …'),
    )
    .option('--key-from-config <columns>', KEY_FROM_CONFIG, collectList)
    .option('--write <file>', 'without a grid: write one of what has been seen')
    // its arguments would leave no room for what it is for
    .configureHelp({ subcommandTerm: (command) => command.name() })
    // what comes after `submit` is for that
    .enablePositionalOptions()
    .addHelpText(
      'after',
      examples(
        'runfold grid grid.csv',
        'runfold grid grid.csv --list --only failed,timeout',
        'runfold grid grid.csv --array --only failed',
        'runfold grid --exp 3 --write grid.csv',
      ),
    )
    .action(async (file: string | undefined, flags: GridFlags) => {
      const command = await import('./commands/grid.ts');
      finish(await command.grid(file, flags, io));
    });
  addSubmit(grid, io, finish);
}

function addSubmit(grid: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  withJson(withReading(grid.command('submit')))
    .description('run the rows that are missing, failed or timeout as an array, and record each at once')
    .argument('<grid>', 'the grid file, where the tasks can read it too')
    .argument('<job>', 'the job script, whose tasks call: runfold exec --grid "$RUNFOLD_GRID" -- COMMAND')
    .argument('[sbatch-options...]', 'after --: options for sbatch')
    // of --time it would say --timeout
    .showSuggestionAfterError(false)
    .configureOutput({ outputError: withWordOnSbatch })
    .addOption(onlyOption('rows in these states, comma separated (default: missing,failed,timeout)'))
    .option('--array <list>', 'these rows, whatever their state: 1-10,15')
    .addOption(new Option('--max-running <n>', 'so many at a time').argParser(positive))
    .option('--key-from-config <columns>', KEY_FROM_CONFIG, collectList)
    .addOption(
      new Option('--timeout <time>', 'how long sbatch may take: 30s, 5m')
        .argParser(seconds)
        .default(120, '2m'),
    )
    .option('--dry-run', 'show what would be submitted')
    .addHelpText(
      'after',
      examples(
        'runfold grid submit grid.csv train.sbatch',
        'runfold grid submit grid.csv train.sbatch --only timeout -- --time=8:00:00',
        'runfold grid submit grid.csv train.sbatch --max-running 20 --dry-run',
      ),
    )
    .action(async (file: string, job: string, options: string[], flags: SubmitFlags) => {
      refuseBefore(grid);
      const { gridSubmit } = await import('./commands/grid-submit.ts');
      finish(await gridSubmit(file, job, options, flags, io));
    });
}

function withWordOnSbatch(text: string, write: (text: string) => void): void {
  const isOption = text.startsWith('error: unknown option');
  write(isOption ? `${text}Options for sbatch go after --, at the end: … -- --time=1:00:00\n` : text);
}

/** What stands before `submit` would be passed over. */
function refuseBefore(grid: Command): void {
  const given = grid.options.find((option) => grid.getOptionValueSource(option.attributeName()) === 'cli');
  if (given === undefined) return;
  throw new RunfoldError('usage', `${given.long} stands before submit`, {
    hint: `Write it after: runfold grid submit … ${given.long}`,
  });
}

function positive(text: string): number {
  const value = wholeNumber(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

function onlyOption(description: string): Option {
  return new Option('--only <states>', description).argParser(statesOf);
}

function statesOf(text: string, before: CellState[] | undefined): CellState[] {
  const named = collectList(text, undefined);
  const states = named.map((name) => CELL_STATES.find((state) => state === name));
  if (states.includes(undefined)) throw new InvalidArgumentError(`States are ${CELL_STATES.join(', ')}.`);
  return [...(before ?? []), ...states.filter((state) => state !== undefined)];
}
