// The words of a line as a shell hands them over, and what is handed back.
import type { Candidate } from './complete.ts';
import type { Shell } from './shells.ts';

/** What bash parts words at, beyond what parts them for the program. */
const BREAKS = /^[=:]+$/;
/** Another such sign; it begins a word, as in `@last`, since nothing tells where it does not. */
const OPENING = '@';

export interface Line {
  /** As the program would get them; the last is the one that is being typed. */
  words: string[];
  /** How many characters of that one the shell keeps by itself. */
  kept: number;
}

/** `given` is what stands after the name of the program, up to the word that is being typed, which may be empty. */
export function lineOf(shell: Shell, given: readonly string[]): Line {
  const typed = given.length === 0 ? [''] : given.map(unquoted);
  return shell === 'bash' ? joined(typed) : { words: typed, kept: 0 };
}

/** bash makes three words of `--format=csv`. */
function joined(parts: readonly string[]): Line {
  const words: string[] = [];
  let sticks = false;
  let kept = 0;
  for (const part of parts) {
    const isOpening = part === OPENING && !sticks;
    const isBreak = BREAKS.test(part) || part === OPENING;
    const before = (sticks || (isBreak && !isOpening)) && words.length > 0 ? (words.pop() ?? '') : '';
    words.push(before + part);
    kept = isBreak ? before.length + part.length : before.length;
    sticks = isBreak;
  }
  return { words, kept };
}

/** Roughly: what was typed is compared with plain words, and nothing of it is run. */
function unquoted(word: string): string {
  return word.replaceAll(/["'\\]/g, '');
}

/** One candidate a line; zsh and fish show what comes after the tab. */
export function answerLines(shell: Shell, candidates: readonly Candidate[], kept: number): string[] {
  return candidates.map(({ value, description }) => {
    const word = value.slice(kept);
    return shell === 'bash' || description === '' ? word : `${word}\t${description}`;
  });
}
