// The options with which a job script goes to sbatch, as far as they decide whether a grid can be submitted with it.
import { RunfoldError } from '../errors.ts';
import type { Env } from '../events/env.ts';
import { SUBMISSION_VARIABLES } from './submission.ts';

const DIRECTIVE = /^#SBATCH\s+(.*)$/;
const WORD = /"([^"]*)"|'([^']*)'|(\S+)/g;

/** The words of the `#SBATCH` lines, which end with the first line that is neither empty nor a comment. */
export function directiveWords(script: string): string[] {
  const words: string[] = [];
  for (const line of script.split(/\r?\n/)) {
    if (line.trim() !== '' && !line.startsWith('#')) break;
    const [, text = ''] = DIRECTIVE.exec(line) ?? [];
    for (const [whole, double, single] of text.matchAll(WORD)) {
      // the rest of the line is a comment
      if (whole.startsWith('#')) break;
      words.push(double ?? single ?? whole);
    }
  }
  return words;
}

/** The value of an option where it stands last, '' if it has none; undefined if it is not there. */
export function optionOf(words: readonly string[], long: string, short?: string): string | undefined {
  for (let at = words.length - 1; at >= 0; at -= 1) {
    const word = words[at] ?? '';
    if (word.startsWith(`${long}=`)) return word.slice(long.length + 1);
    if (word === long || word === short) return words[at + 1] ?? '';
    if (short !== undefined && word.startsWith(short) && !word.startsWith('--'))
      return word.slice(short.length);
  }
  return undefined;
}

export interface JobOptions {
  /** As it was named. */
  file: string;
  script: string;
  /** Those of the command line, which beat the environment, which beats the script. */
  options: readonly string[];
  env: Env;
}

/** @throws RunfoldError `usage` for what would lose the tasks' records, or the answer of sbatch */
export function checkJobOptions({ file, script, options, env }: JobOptions): void {
  const directives = directiveWords(script);
  if (optionOf(options, '--array', '-a') !== undefined) {
    throw new RunfoldError('usage', 'the array is what is submitted here', {
      hint: 'Choose rows with --array or --only before the --, and how many run at a time with --max-running.',
    });
  }
  if (options.includes('--test-only')) {
    throw new RunfoldError('usage', 'with --test-only nothing is submitted', {
      hint: 'Say --dry-run before the --.',
    });
  }
  const isWaiting = [...directives, ...options].some((word) => word === '--wait' || word === '-W');
  if (isWaiting) {
    throw new RunfoldError('usage', 'with --wait sbatch does not come back before the last task has ended', {
      hint: `Remove it from ${options.some((word) => word === '--wait' || word === '-W') ? 'the command line' : file}.`,
    });
  }
  checkExport(file, [
    { place: 'the command line', value: optionOf(options, '--export') },
    { place: '$SBATCH_EXPORT', value: env['SBATCH_EXPORT'] || undefined },
    { place: file, value: optionOf(directives, '--export') },
  ]);
}

function checkExport(file: string, said: readonly { place: string; value: string | undefined }[]): void {
  const first = said.find(({ value }) => value !== undefined);
  if (first?.value === undefined) return;
  const names = new Set(first.value.split(',').map((name) => name.trim().replace(/=.*$/s, '')));
  if (names.has('ALL') || SUBMISSION_VARIABLES.every((name) => names.has(name))) return;
  throw new RunfoldError(
    'usage',
    `--export=${first.value} in ${first.place} keeps from the tasks which submission they are of`,
    {
      hint:
        first.place === file
          ? `Say -- --export=ALL at the end of this command, or in ${file}: #SBATCH --export=${SUBMISSION_VARIABLES.join(',')}`
          : `Say --export=ALL, or --export=${SUBMISSION_VARIABLES.join(',')}`,
    },
  );
}
