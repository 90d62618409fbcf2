// The errors of a grid file: which file, where in it, what is wrong, what to do.
import { RunfoldError } from '../errors.ts';

const SHOWN = 60;

export interface Where {
  file: string;
  /** `line 3`, `row 2`; absent: the file as a whole. */
  place?: string | undefined;
  column?: string | undefined;
}

export function gridError(where: Where, problem: string, hint: string): RunfoldError {
  const { file, place, column } = where;
  const at = [file, place, column === undefined ? undefined : `column ${quoted(column)}`];
  return new RunfoldError('usage', `${at.filter((part) => part !== undefined).join(', ')}: ${problem}`, {
    hint,
  });
}

/** A text of the file within a message, cut. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}
