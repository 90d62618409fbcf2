import fc from 'fast-check';
import { expect, test } from 'vitest';
import { thousands } from '../../src/cli/human.ts';

test('whole numbers are grouped as toLocaleString does it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeNat(), fc.nat(20_000)), (number) => {
      expect(thousands(number)).toBe(number.toLocaleString('en-US'));
    }),
  );
});
