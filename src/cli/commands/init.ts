// runfold init: makes the directory that jobs log into.
import path from 'node:path';
import { errnoOf, messageOf, RunfoldError } from '../../errors.ts';
import { createLedger, LEDGER_DIR } from '../../events/ledger.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';

export function init(directory: string | undefined, io: CliIo): ExitCode {
  const made = make(path.resolve(io.cwd, directory ?? LEDGER_DIR));
  say(io.stdout, `made ${made}`);
  if (path.basename(made) !== LEDGER_DIR || path.dirname(made) !== io.cwd) {
    say(io.stdout, `jobs and commands find it by: export RUNFOLD_DIR=${made}`);
  }
  return 0;
}

function make(directory: string): string {
  try {
    return createLedger(directory).path;
  } catch (cause) {
    if (errnoOf(cause) === undefined || cause instanceof RunfoldError) throw cause;
    throw new RunfoldError('ledger_not_made', `no log can be made at ${directory}: ${messageOf(cause)}`, {
      hint: 'Name a directory on storage that you may write to, and that jobs and the login node share.',
      cause,
    });
  }
}
