// The table of commands.
import type { Command } from 'commander';
import { RunfoldError } from '../errors.ts';
import { addAnnotations, addAnswers, examples } from './answers.ts';
import { addCurves } from './curves.ts';
import { emitApart, emitPlaces, isApart } from './emit-apart.ts';
import { addExec } from './exec.ts';
import { newProgram, runProgram } from './run-program.ts';
import { addSlurm } from './slurm.ts';
import { addJobs } from './job-answers.ts';
import { addTakeouts } from './takeouts.ts';
import { addSweeps } from './sweeps.ts';
import { addUpkeep } from './upkeep.ts';
import { withKey, withLedger } from './options.ts';
import { watched } from './watched.ts';
import { withFields, type EmittedType } from './event-fields.ts';
import type { CliIo, ExitCode } from './io.ts';
import { shown } from '../query/arguments.ts';
import { nearest } from '../nearest.ts';
import type { EmitFlags } from './commands/emit.ts';
import type { InitFlags } from './commands/init.ts';

/** Sub-commands of `emit`, with what each is for. */
export const EMITTED: Readonly<Record<EmittedType, string>> = {
  run_created: 'begin an attempt of a run; prints RUNFOLD_… exports for eval',
  status_changed: 'say how it goes: pending, running, completed, failed, timeout',
  metric: 'a point of a curve',
  result: 'final results: --results acc=0.93',
  error: 'an exception',
  slurm_info: 'what is known of its SLURM job',
  run_annotated: 'tags, notes or hiding, afterwards',
  resource_sample: 'processor and memory use',
};

/** What stands below the options of each, after its name. */
const EMIT_EXAMPLES: Readonly<Record<EmittedType, readonly string[]>> = {
  run_created: ['--dataset iris --method mlp --seed 1 --config lr=0.01 epochs=40'],
  status_changed: ['--status running', '--status failed --exit-code 1 --reason "out of memory"'],
  metric: ['--epoch 1 --loss 0.71 --extra acc=0.66 val/loss=0.8'],
  result: ['--results test_accuracy=0.93 parameters=12000'],
  error: ['--exception-type ValueError --message "bad shape"'],
  slurm_info: ['--source env --job-id "$SLURM_JOB_ID"'],
  run_annotated: ['--tags baseline,paper', '--hidden true'],
  resource_sample: ['--cpu-percent 180 --rss-mb 900'],
};

/** Runs one command line and returns its exit code; never throws. */
export async function runCli(args: readonly string[], io: CliIo): Promise<ExitCode> {
  return await runProgram(makeProgram, args, io);
}

/** All commands, for `runCli` and for the test that holds the documents against them. */
export function makeProgram(io: CliIo, finish: (code: ExitCode) => void): Command {
  const program = newProgram(io);

  program.commandsGroup('The log:');
  program
    .command('init')
    .description('make a log directory (default: ./.runfold)')
    .argument('[dir]')
    .option('--shared <group>', 'for all members of a group; again on a log that there is: sets the modes')
    .addHelpText(
      'after',
      examples(
        'runfold init',
        'runfold init /shared/ada/iris/.runfold',
        'runfold init --shared vision /shared/vision/.runfold',
      ),
    )
    .action(async (directory: string | undefined, flags: InitFlags) => {
      const { init } = await import('./commands/init.ts');
      finish(await init(directory, flags, io));
    });

  addExec(program, io, finish);
  addEmit(program, io, finish);

  program.commandsGroup('Questions:');
  addAnswers(program, io, finish);
  addJobs(program, io, finish);
  addCurves(program, io, finish);
  addTakeouts(program, io, finish);

  program.commandsGroup('Sweeps:');
  addSweeps(program, io, finish);

  program.commandsGroup('Your own word on a run:');
  addAnnotations(program, io, finish);

  program.commandsGroup('The database behind the answers:');
  addUpkeep(program, io, finish);

  program.commandsGroup('SLURM:');
  addSlurm(program, io, finish);

  program.commandsGroup('Help:');
  addHelp(program);
  pointToHelp(program, 'runfold');
  return program;
}

/** In the place of commander's own, which answers a command that there is not with all that there are. */
function addHelp(program: Command): void {
  program
    .helpCommand(false)
    .command('help')
    .description('the options of a command')
    .argument('[command...]', 'which')
    .addHelpText('after', examples('runfold help runs', 'runfold help emit metric'))
    .action((words: string[]) => {
      let command = program;
      for (const [index, word] of words.entries()) {
        const inner = command.commands.find((each) => each.name() === word);
        if (inner === undefined) throw noCommand(command, words.slice(0, index), word);
        command = inner;
      }
      command.outputHelp();
    });
}

function noCommand(parent: Command, before: readonly string[], word: string): RunfoldError {
  const near = nearest(
    word,
    parent.commands.map((command) => command.name()),
  );
  return new RunfoldError('usage', `there is no command ${shown([...before, word].join(' '))}`, {
    hint:
      near === undefined
        ? `${['runfold', ...before].join(' ')} --help lists the commands`
        : `Did you mean ${[...before, near].join(' ')}?`,
  });
}

/** What commander says after an error of its own. */
function pointToHelp(command: Command, path: string): void {
  const what = command.name() === path ? 'the commands' : 'its options';
  command.showHelpAfterError(`(${path} --help lists ${what})`);
  for (const inner of command.commands) pointToHelp(inner, `${path} ${inner.name()}`);
}

function addEmit(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  const emit = withEmitFlags(program.command('emit'))
    .description('write events from the shell: `emit -` takes them from stdin, one JSON object a line')
    .argument('[source]', '- for stdin')
    // else a type that there is not would be told by what its options are called
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText(
      'after',
      examples(
        'eval "$(runfold emit run-created --dataset iris --method mlp --seed 1)"',
        'runfold emit metric --epoch 1 --loss 0.71 --extra acc=0.66',
        './train | runfold emit -',
      ),
    )
    .action(async (source: string | undefined, flags: EmitFlags, command: Command) => {
      if (source !== '-') throw noType(source, command);
      refuseMore(command);
      const places = emitPlaces(flags, io);
      if (isApart(places, io)) {
        finish(await emitApart(places, io));
        return;
      }
      const { emitStream } = await import('./commands/emit.ts');
      finish(await emitStream(flags, io));
    });
  // the options are made from the schemas, which take long to load
  const isAboutEmit = io.args?.includes('emit') ?? true;
  for (const [type, description] of Object.entries(EMITTED) as [EmittedType, string][]) {
    const ofType = withEmitFlags(emit.command(nameOf(type)));
    if (isAboutEmit) withFields(ofType, type);
    ofType
      .description(description)
      .addHelpText(
        'after',
        examples(...EMIT_EXAMPLES[type].map((line) => `runfold emit ${nameOf(type)} ${line}`)),
      )
      .action(async (_: unknown, command: Command) => {
        const { emitOne } = await import('./commands/emit.ts');
        const flags = command.optsWithGlobals<EmitFlags & Record<string, unknown>>();
        const lost = '; what was to be written is lost then';
        finish(watched(emitPlaces(flags, io), io, lost, () => emitOne(type, flags, flags, io)));
      });
  }
}

function nameOf(type: string): string {
  return type.replaceAll('_', '-');
}

function noType(source: string | undefined, command: Command): RunfoldError {
  if (source?.startsWith('-') === true) return noOption(source, command);
  const types = Object.keys(EMITTED).map(nameOf);
  const near = source === undefined ? undefined : nearest(source, types);
  return new RunfoldError(
    'usage',
    source === undefined
      ? 'emit needs a type of event, or - for stdin'
      : `${shown(source)} is no type of event`,
    {
      hint: near === undefined ? `There are: ${types.join(', ')}; or - for stdin.` : `Did you mean ${near}?`,
    },
  );
}

/** What `-` does not take, in the place of commander. */
function refuseMore(command: Command): void {
  const [, more] = command.args;
  if (more === undefined) return;
  if (!more.startsWith('-'))
    throw new RunfoldError('usage', `too many arguments: ${shown(more)}`, { hint: HELP_OF_EMIT });
  throw noOption(more, command);
}

function noOption(option: string, command: Command): RunfoldError {
  const near = nearest(
    option,
    command.options.flatMap(({ short, long }) => [short, long].filter((flag) => flag !== undefined)),
  );
  return new RunfoldError('usage', `emit has no option ${option}`, {
    hint: near === undefined ? HELP_OF_EMIT : `Did you mean ${near}?`,
  });
}

const HELP_OF_EMIT = 'See: runfold emit --help';

function withEmitFlags(command: Command): Command {
  return withKey(withLedger(command))
    .option('--run <id>', 'the run’s id, instead of its key (default: $RUNFOLD_RUN_ID)')
    .option('--attempt <id>', 'which execution of the run (default: $RUNFOLD_ATTEMPT)')
    .option('--ts <time>', 'when, RFC 3339 (default: now)');
}
