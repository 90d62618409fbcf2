import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventSchemas } from '../../src/events/event-schemas.ts';
import { plainMetric } from '../../src/events/plain-metric.ts';

const odd = fc.constantFrom<unknown>(
  null, undefined, '', 'x', 'NaN', 'nan', '-Infinity', '1', true, false, 0, -0, 1, -1, 0.5, 1e300, 2 ** 53, -(2 ** 53),
  2 ** 53 - 1, Number.POSITIVE_INFINITY, [], [1], {}, { a: 1 }, '0123456789abcdef', '0123456789ABCDEF',
  '0123456789abcdef\n', '2026-11-23T10:15:00.123Z',
); // prettier-ignore
const extra = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'toString')), odd, {
  noNullPrototype: true,
});
const VALID = {
  type: 'metric',
  ts: '2026-11-23T10:15:00.123Z',
  seq: 2,
  run_id: '0123456789abcdef',
  attempt: 'a',
  elapsed_seconds: 1.5,
  epoch: 1,
  step: 10,
  loss: 0.5,
  f1: 'NaN',
  fitness: -1,
  behavioral_comparison: 3,
  gpu_memory_mb: 1024,
  extra: { acc: 0.5 },
};
/** A valid metric with a few of its fields as anything, some left out, and some that are unknown. */
const metricLike = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...Object.keys(VALID).slice(1)), fc.oneof(odd, extra), { maxKeys: 3 }),
    fc.subarray(Object.keys(VALID).slice(1), { maxLength: 4 }),
    fc.dictionary(fc.string(), odd, { maxKeys: 1, noNullPrototype: true }),
  )
  .map(([changed, dropped, unknown]) => {
    const raw: Record<string, unknown> = { ...unknown, ...VALID, ...changed };
    for (const name of dropped) delete raw[name];
    return raw;
  });

test('what is plain is what the schema accepts, and the same event', () => {
  let plain = 0;
  fc.assert(
    fc.property(metricLike, (raw) => {
      const event = plainMetric(raw);
      const { success, data } = eventSchemas().metric.safeParse(raw);
      expect(event !== undefined).toBe(success);
      expect(event).toEqual(data);
      plain += Number(success);
    }),
    { numRuns: 5000 },
  );
  expect(plain).toBeGreaterThan(500);
});
