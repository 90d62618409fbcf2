// Decimals to doubles, and back where that is nothing to do, without a string for each: of a million lines that is a second.

const HALVES = 2 ** 27 + 1;

/** Of so many digits an integer is a double, and so is 10 to the power of up to 22. */
export const EXACT_DIGITS = 15;
export const POWERS_OF_TEN: readonly number[] = Array.from({ length: 23 }, (_, power) =>
  Number(`1e${power}`),
);
/** Digits beyond those, so that they are few enough to be a small correction. */
export const MORE_DIGITS = 7;
/** JavaScript writes what is smaller with an exponent. */
const LEAST_PLAIN = 1e-6;
/** At least half the distance to the next double, as a part of one; a little more, for what is rounded. */
const HALF_STEP = 1.001 * 2 ** -53;

/** The double nearest to a decimal without exponent or sign. Its fields are of the decimal given last. */
export class NearestDouble {
  /** NaN if the decimal is too near to the middle between two doubles to say. */
  value = 0;
  /** Whether JavaScript would write the value just as the decimal was; if not so, it may. */
  isShortest = false;

  /**
   * @param head the first EXACT_DIGITS digits, without zeros in front, as an integer
   * @param tail the next `tailDigits`, at most MORE_DIGITS and all of them after the point
   * @param decimals how many are after the point, at most 22
   */
  set(head: number, tail: number, tailDigits: number, decimals: number): void {
    const whole = POWERS_OF_TEN[decimals] ?? Number.NaN;
    if (tailDigits === 0) {
      // both are exact, so the quotient is rounded once; and no other decimal of so few digits is the same double
      this.value = head / whole;
      this.isShortest = decimals === 0 || (head % 10 !== 0 && this.value >= LEAST_PLAIN);
      return;
    }
    const part = POWERS_OF_TEN[decimals - tailDigits] ?? Number.NaN;
    const quotient = head / part;
    const remainder = remainderOf(head, quotient, part) / part;
    const rest = tail / whole;
    const correction = remainder + rest;
    // more than all that was rounded in it
    const error = (Math.abs(remainder) + rest) * 2 ** -50;
    const value = quotient + (correction - error);
    this.value = value === quotient + (correction + error) ? value : Number.NaN;
    // it is, if no decimal of as many digits is nearer, and none of fewer digits would be read as this double
    const unit = 1 / whole;
    const off = value - quotient - correction;
    const down = (tail % 10) * unit;
    const halfStep = value * HALF_STEP;
    this.isShortest =
      Math.abs(off) < unit * 0.49 &&
      off + down > halfStep &&
      10 * unit - down - off > halfStep &&
      value >= LEAST_PLAIN;
  }
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
