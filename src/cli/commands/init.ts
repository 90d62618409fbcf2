// runfold init: makes the directory that jobs log into.
import path from 'node:path';
import { createLedger, LEDGER_DIR } from '../../events/ledger.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';

export function init(directory: string | undefined, io: CliIo): ExitCode {
  const { path: made } = createLedger(path.resolve(io.cwd, directory ?? LEDGER_DIR));
  say(io.stdout, `made ${made}`);
  if (path.basename(made) !== LEDGER_DIR || path.dirname(made) !== io.cwd) {
    say(io.stdout, `jobs and commands find it by: export RUNFOLD_DIR=${made}`);
  }
  return 0;
}
