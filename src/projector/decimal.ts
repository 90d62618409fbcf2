// Decimals to doubles without making a string of each: of a million lines that is a second.

const HALVES = 2 ** 27 + 1;

/** Of so many digits an integer is a double, and so is 10 to the power of up to 22. */
export const EXACT_DIGITS = 15;
export const POWERS_OF_TEN: readonly number[] = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
/** Digits beyond those, so that they are few enough to be a small correction. */
export const MORE_DIGITS = 7;

/**
 * The double nearest to the decimal that has `decimals` digits (at most 22) after its point: `head` are its first
 * EXACT_DIGITS digits, without zeros in front, as an integer, and `tail` the next `tailDigits`, at most MORE_DIGITS and
 * all of them after the point. NaN if it is too near to the middle between two doubles to say.
 */
export function nearestDouble(head: number, tail: number, tailDigits: number, decimals: number): number {
  const whole = POWERS_OF_TEN[decimals] ?? Number.NaN;
  // both are exact, so the quotient is rounded once
  if (tailDigits === 0) return head / whole;
  const part = POWERS_OF_TEN[decimals - tailDigits] ?? Number.NaN;
  const quotient = head / part;
  const remainder = remainderOf(head, quotient, part) / part;
  const rest = tail / whole;
  const correction = remainder + rest;
  // more than all that was rounded in it
  const error = (Math.abs(remainder) + rest) * 2 ** -50;
  const low = quotient + (correction - error);
  return low === quotient + (correction + error) ? low : Number.NaN;
}

/** `dividend` - `quotient` * `divisor`, exactly: the product in halves of 26 bits (Dekker 1971). */
function remainderOf(dividend: number, quotient: number, divisor: number): number {
  const product = quotient * divisor;
  const quotientHigh = HALVES * quotient - (HALVES * quotient - quotient);
  const quotientLow = quotient - quotientHigh;
  const divisorHigh = HALVES * divisor - (HALVES * divisor - divisor);
  const divisorLow = divisor - divisorHigh;
  const high = quotientHigh * divisorHigh - product;
  const error = high + quotientHigh * divisorLow + quotientLow * divisorHigh + quotientLow * divisorLow;
  return dividend - product - error;
}
