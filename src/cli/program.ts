// The table of commands.
import { Command, CommanderError } from 'commander';
import { errnoOf, messageOf, RunfoldError } from '../errors.ts';
import { CLIENT } from '../events/client.ts';
import { addAnnotations, addAnswers, examples } from './answers.ts';
import { addCurves } from './curves.ts';
import { addTakeouts } from './takeouts.ts';
import { addUpkeep } from './upkeep.ts';
import { withKey, withLedger } from './options.ts';
import { withFields, type EmittedType } from './event-fields.ts';
import { say, type CliIo, type ExitCode } from './io.ts';
import { printSafe } from './print-safe.ts';
import type { EmitFlags } from './commands/emit.ts';

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

/** Runs one command line and returns its exit code; never throws. */
export async function runCli(args: readonly string[], io: CliIo): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = makeProgram({ ...io, args }, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return explain(error, io);
  }
}

function explain(error: unknown, io: CliIo): ExitCode {
  if (io.signal.aborted && error instanceof Error && error.name === 'AbortError') {
    say(io.stderr, 'interrupted');
    return 1;
  }
  say(io.stderr, `runfold: ${printSafe(messageOf(error))}`);
  if (error instanceof RunfoldError) {
    if (error.hint !== undefined) say(io.stderr, `  ${printSafe(error.hint)}`);
    return error.code === 'usage' || error.code === 'invalid_key' ? 2 : 1;
  }
  if (errnoOf(error)?.startsWith('SQLITE_CORRUPT') === true) {
    say(io.stderr, '  The database is damaged. Run: runfold sync --rebuild. It makes it anew from the log.');
    return 1;
  }
  // a system error says itself what is wrong; anything else is ours
  if (errnoOf(error) === undefined && error instanceof Error) {
    say(io.stderr, `This is a bug in runfold; please report it with: ${error.stack ?? ''}`);
  }
  return 1;
}

/** All commands, for `runCli` and for the test that holds the documents against them. */
export function makeProgram(io: CliIo, finish: (code: ExitCode) => void): Command {
  const program = new Command('runfold')
    .description(
      'Tracks experiments on SLURM clusters: jobs append to a log, and you ask what is running, what failed and why, and which method wins.',
    )
    .version(CLIENT.version)
    .exitOverride()
    .showHelpAfterError('(runfold --help lists the commands)')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => say(io.stderr, text.trimEnd()),
    });

  program.commandsGroup('The log:');
  program
    .command('init')
    .description('make a log directory (default: ./.runfold)')
    .argument('[dir]')
    .action(async (directory: string | undefined) => {
      const { init } = await import('./commands/init.ts');
      finish(init(directory, io));
    });

  addEmit(program, io, finish);

  program.commandsGroup('Questions:');
  addAnswers(program, io, finish);
  addCurves(program, io, finish);
  addTakeouts(program, io, finish);

  program.commandsGroup('Your own word on a run:');
  addAnnotations(program, io, finish);

  program.commandsGroup('The database behind the answers:');
  addUpkeep(program, io, finish);

  return program;
}

function addEmit(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  const emit = withEmitFlags(program.command('emit'))
    .description('write events from the shell: `emit -` takes them from stdin, one JSON object a line')
    .argument('[source]', '- for stdin')
    .addHelpText(
      'after',
      examples(
        'eval "$(runfold emit run-created --dataset iris --method mlp --seed 1)"',
        'runfold emit metric --epoch 1 --loss 0.71 --extra acc=0.66',
        './train | runfold emit -',
      ),
    )
    .action(async (source: string | undefined, flags: EmitFlags) => {
      if (source !== '-')
        throw new RunfoldError('usage', 'emit needs a type or -', {
          hint: 'See: runfold emit --help',
        });
      const { emitStream } = await import('./commands/emit.ts');
      finish(await emitStream(flags, io));
    });
  for (const [type, description] of Object.entries(EMITTED) as [EmittedType, string][]) {
    withFields(withEmitFlags(emit.command(type.replaceAll('_', '-'))), type)
      .description(description)
      .action(async (_: unknown, command: Command) => {
        const { emitOne } = await import('./commands/emit.ts');
        const flags = command.optsWithGlobals<EmitFlags & Record<string, unknown>>();
        finish(emitOne(type, flags, flags, io));
      });
  }
}

function withEmitFlags(command: Command): Command {
  return withKey(withLedger(command))
    .option('--run <id>', 'the run’s id, instead of its key (default: $RUNFOLD_RUN_ID)')
    .option('--attempt <id>', 'which execution of the run (default: $RUNFOLD_ATTEMPT)')
    .option('--ts <time>', 'when, RFC 3339 (default: now)');
}
