// runfold completion: what shells need to complete command lines, and what they ask then.
import type { Command } from 'commander';
import { complete } from '../completion/complete.ts';
import { knownValues } from '../completion/known.ts';
import { FILES_MARK, SCRIPTS, type Shell } from '../completion/shells.ts';
import { answerLines, lineOf } from '../completion/words.ts';
import type { CliIo, ExitCode } from '../io.ts';

export function completion(shell: Shell, io: CliIo): ExitCode {
  io.stdout.write(SCRIPTS[shell]);
  return 0;
}

export async function completeLine(
  program: Command,
  shell: Shell,
  given: readonly string[],
  io: CliIo,
): Promise<ExitCode> {
  const { words, kept } = lineOf(shell, given);
  const wanted = complete(program, words);
  if (wanted.kind === 'files') {
    io.stdout.write(`${FILES_MARK}\n`);
    return 0;
  }
  const candidates = wanted.kind === 'known' ? await knownValues(wanted, io) : wanted.candidates;
  for (const line of answerLines(shell, candidates, kept)) io.stdout.write(`${line}\n`);
  return 0;
}
