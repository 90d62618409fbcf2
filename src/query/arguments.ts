// Arguments come from command lines and web requests: what has a wrong type is refused before it is bound,
// because SQLite would quietly make NULL of NaN, and U+FFFD of a lone surrogate.
import { RunfoldError, type ErrorCode } from '../errors.ts';

const SHOWN_CHARACTERS = 60;

/** The error for an argument that is not what it must be. */
export function wrongArgument(
  name: string,
  expected: string,
  value: unknown,
  code: ErrorCode = 'usage',
): RunfoldError {
  return new RunfoldError(code, `${name} must be ${expected}, not ${shown(value)}`);
}

/** A value for an error message: short, on one line, with nothing that a terminal would act on. */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    const isLong = value.length > SHOWN_CHARACTERS;
    return `${quoted(value.slice(0, SHOWN_CHARACTERS))}${isLong ? '…' : ''}`;
  }
  if (typeof value === 'number' || value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** JSON escapes the ASCII control characters; there are others, and some turn the direction of the text. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
