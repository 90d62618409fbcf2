// What somebody who mistyped a name may have meant.
import { closestMatch } from 'leven';

/** One wrong letter in so many. */
const LETTERS_A_MISTAKE = 3;
const MOST_MISTAKES = 3;

/** The candidate that is almost `name`, whatever the case; of equals the first. Undefined: none is near. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const typed = name.toLowerCase();
  // a single letter is like any other
  if (typed.length < 2) return candidates.find((candidate) => candidate === name);
  const maxDistance = Math.min(MOST_MISTAKES, Math.ceil(typed.length / LETTERS_A_MISTAKE));
  const lower = candidates.map((candidate) => candidate.toLowerCase());
  const found = closestMatch(typed, lower, { maxDistance });
  return found === undefined ? undefined : candidates[lower.indexOf(found)];
}
