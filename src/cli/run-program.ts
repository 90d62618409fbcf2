// From a command line to an exit code, whatever the commands are.
import { Command, CommanderError } from 'commander';
import { databaseTrouble } from '../db/trouble.ts';
import { errnoOf, messageOf, RunfoldError } from '../errors.ts';
import { CLIENT } from '../events/client.ts';
import { say, type CliIo, type ExitCode } from './io.ts';
import { printSafe } from './print-safe.ts';

/** A program that has no commands yet. */
export function newProgram(io: CliIo): Command {
  return (
    new Command('runfold')
      .description(
        'Tracks experiments on SLURM clusters: jobs append to a log, and you ask what is running, what failed and why, and which method wins.',
      )
      .version(CLIENT.version)
      // so that an option of a command is also one of the command below it
      .enablePositionalOptions()
      .exitOverride()
      .configureOutput({
        writeOut: (text) => void io.stdout.write(text),
        writeErr: (text) => say(io.stderr, text.trimEnd()),
      })
  );
}

/** Runs one command line and returns its exit code; never throws. */
export async function runProgram(
  make: (io: CliIo, finish: (code: ExitCode) => void) => Command,
  args: readonly string[],
  io: CliIo,
): Promise<ExitCode> {
  let code: ExitCode = 0;
  // not a copy of `io`, which would open all of its streams
  const withArgs = io.args === undefined ? { ...io, args } : io;
  const program = make(withArgs, (result) => {
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

function explain(thrown: unknown, io: CliIo): ExitCode {
  const error = isOfSqlite(thrown) ? (databaseTrouble(undefined, thrown) ?? thrown) : thrown;
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

/** Those of the system name their file themselves. */
function isOfSqlite(error: unknown): boolean {
  return errnoOf(error)?.startsWith('SQLITE_') === true;
}
