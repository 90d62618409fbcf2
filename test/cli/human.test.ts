import fc from 'fast-check';
import { expect, test } from 'vitest';
import { count } from '../../src/cli/human.ts';

test('a count has its thousands apart', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(), fc.maxSafeNat()), (number) => {
      const noun = number === 1 ? 'line' : 'lines';
      expect(count(number, 'line')).toBe(`${number.toLocaleString('en-US')} ${noun}`);
    }),
  );
});
