// The command that runs a command, in a file of its own: it is loaded without all the others.
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ExecFlags } from './commands/exec.ts';
import { examples } from './examples.ts';
import type { CliIo, ExitCode } from './io.ts';
import { countOf, seconds, withKey, withLedger } from './options.ts';
import { newProgram, runProgram } from './run-program.ts';

export function addExec(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  const command = withKey(withLedger(program.command('exec')), 'the script’s name')
    .description('run any command as a run: its end, errors and use of resources are recorded')
    .usage('[options] -- COMMAND…')
    .argument('<command...>', 'the command and its arguments, after --')
    .option('--config <name=value...>', 'hyperparameters and the like, or one JSON object')
    .option('--key-from-config <names>', 'names in config that belong to the key too, comma separated', names)
    .option('--tag <tag>', 'a tag; repeat it for more', collect)
    .option('--notes <text>', 'free text')
    .option('--resume', 'it goes on from a checkpoint (default: if $SLURM_RESTART_COUNT is above 0)')
    .option('--no-resume', 'it starts over')
    .option('--grid <file>', 'a CSV or JSON file: its row $SLURM_ARRAY_TASK_ID gives key and arguments')
    .addOption(new Option('--row <n>', 'with --grid: this row, from 1').argParser(countOf))
    .option('--independent', 'each task of srun or mpirun is a run of its own: the rank is not looked at')
    .addOption(
      new Option('--sample-every <time>', 'look at processor, memory and GPUs this often; 0: never')
        .argParser(sampleTime)
        .default(15, '15s'),
    )
    .addOption(
      new Option('--log-wait <time>', 'after the command: wait so long for a log that does not answer')
        .argParser(seconds)
        .default(60, '60s'),
    )
    .addHelpText(
      'after',
      examples(
        'runfold exec --dataset iris --method mlp --seed 1 -- python3 train.py --lr 0.1',
        'runfold exec --seed 1 --config lr=0.1 --key-from-config lr -- ./train 0.1',
        'runfold exec --grid grid.csv -- python3 train.py',
        "srun -n 4 sh -c 'runfold exec --independent --seed $SLURM_PROCID -- ./train'",
      ),
    )
    .action(async (words: string[], flags: ExecFlags) => {
      const { exec } = await import('./commands/exec.ts');
      finish(await exec(words, flags, io));
    });
  refuseMissingValues(command);
}

/** `--dataset $NAME -- …` with an empty variable would take the dashes, or the next option, for the value. */
function refuseMissingValues({ options }: Command): void {
  const own = new Set(['--', ...options.flatMap(({ long, short }) => [long, short])]);
  for (const option of options.filter(({ required }) => required)) {
    const parse = option.parseArg;
    option.argParser((text: string, before: unknown) => {
      if (own.has(text)) {
        throw new InvalidArgumentError(`${option.long} has no value (is a variable empty?)`);
      }
      if (parse !== undefined) return parse(text, before);
      return option.variadic ? [...(Array.isArray(before) ? before : []), text] : text;
    });
  }
}

/** One command line of `exec`. Without the other commands, since every job pays for its start. */
export async function runExec(args: readonly string[], io: CliIo): Promise<ExitCode> {
  return await runProgram(makeExecProgram, args, io);
}

function makeExecProgram(io: CliIo, finish: (code: ExitCode) => void): Command {
  const program = newProgram(io);
  addExec(program, io, finish);
  for (const command of program.commands) {
    command.showHelpAfterError('(runfold exec --help lists its options)');
  }
  return program;
}

function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

function names(text: string): string[] {
  return text.split(',').filter((name) => name !== '');
}

const LEAST_SECONDS = 1;

function sampleTime(text: string): number {
  const value = seconds(text);
  if (value === 0 || value >= LEAST_SECONDS) return value;
  throw new InvalidArgumentError('It must be 0, or at least 1s.');
}
