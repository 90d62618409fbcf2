// A decimal is the double that JavaScript makes of it; and where it is said to be the shortest, JavaScript writes it so.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EXACT_DIGITS, MORE_DIGITS, NearestDouble, POWERS_OF_TEN } from '../../src/projector/decimal.ts';

const double = new NearestDouble();

/** As the reader of lines gives it; false if it is not for this. */
function set(token: string): boolean {
  const [whole = '', decimals = ''] = token.split('.');
  const digits = (whole + decimals).replace(/^0+/, '');
  const tail = digits.slice(EXACT_DIGITS);
  if (tail.length > MORE_DIGITS || tail.length > decimals.length || decimals.length >= POWERS_OF_TEN.length) {
    return false;
  }
  double.set(Number(digits.slice(0, EXACT_DIGITS)), Number(tail), tail.length, decimals.length);
  return true;
}

const digitsOf = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.nat(9).map(String), minLength: 1, maxLength });
const positive = fc.double({ min: 1e-9, max: 1e15, noNaN: true });
/** As any program may write them; shortest; one digit too many, or another last one; in the middle between two doubles. */
const token = fc.oneof(
  fc.tuple(digitsOf(15), digitsOf(22)).map(([whole, decimals]) => `${Number(whole)}.${decimals}`),
  positive.map(String),
  fc
    .tuple(positive, digitsOf(2))
    .map(([value, more]) => `${value}${Number.isInteger(value) ? '.' : ''}${more}`),
  fc.tuple(positive, digitsOf(1)).map(([value, last]) => String(value).slice(0, -1) + last),
  fc.tuple(positive, fc.integer({ min: 15, max: 18 })).map(([value, digits]) => value.toPrecision(digits)),
  fc
    .tuple(fc.integer({ min: 2 ** 50, max: 2 ** 53 - 1 }), fc.integer({ min: 1, max: 6 }))
    .map(([value, bits]) => exactly(BigInt(value) * 2n + 1n, bits + 1)),
);

/** `value` / 2 ** bits, all of its digits. */
function exactly(value: bigint, bits: number): string {
  const digits = (value * 5n ** BigInt(bits)).toString().padStart(bits + 1, '0');
  return `${digits.slice(0, -bits)}.${digits.slice(-bits)}`;
}

test('any decimal is the double that is nearest to it', () => {
  let plain = 0;
  let shortest = 0;
  let known = 0;
  fc.assert(
    fc.property(token, (text) => {
      if (!/^\d+(?:\.\d+)?$/.test(text) || !set(text)) return;
      plain += 1;
      if (Number.isNaN(double.value)) return;
      known += 1;
      expect(double.value).toBe(Number(text));
      if (!double.isShortest) return;
      shortest += 1;
      expect(String(double.value)).toBe(text);
    }),
    { numRuns: 20_000 },
  );
  expect(plain).toBeGreaterThan(5000);
  expect(known).toBeGreaterThan(plain * 0.7);
  expect(shortest).toBeGreaterThan(plain * 0.1);
});

test('what is in the middle between two doubles is not guessed', () => {
  // 2 ** 50 + 1/8, whose neighbours are 2 ** 50 and 2 ** 50 + 1/4
  expect(set('1125899906842624.125')).toBe(false);
  expect(set('140737488355328.015625')).toBe(true);
  expect(double.value).toBeNaN();
});
