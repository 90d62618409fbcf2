import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CallBudget, CallMeter, LEAST_FILES, MINUTE_MS } from '../../src/projector/call-budget.ts';

const START = Date.UTC(2026, 10, 23, 10);
/** Waits, and how much of what is left is spent. */
const spending = fc.array(
  fc.record({
    wait: fc.oneof(fc.nat(500), fc.nat(90_000)),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { maxLength: 300 },
);
const perFile = fc.integer({ min: 20, max: 1_000 });
const liveFiles = fc.nat(2_000);

test('who spends what is left never spends more than the budget in any minute', () => {
  fc.assert(
    fc.property(spending, perFile, liveFiles, (steps, each, files) => {
      const budget = new CallBudget(each);
      const spent: { now: number; calls: number }[] = [];
      let now = START;
      for (const { wait, part } of steps) {
        now += wait;
        const calls = Math.floor(budget.left(now, files) * part);
        budget.spend(calls);
        spent.push({ now, calls });
      }
      for (const { now: from } of spent) {
        const inMinute = spent.filter((one) => one.now >= from && one.now < from + MINUTE_MS);
        const calls = inMinute.reduce((sum, one) => sum + one.calls, 0);
        expect(calls).toBeLessThanOrEqual(each * Math.max(LEAST_FILES, files));
      }
    }),
  );
});

test('after the time that it names there is as much as was asked for; a debt is paid first', () => {
  fc.assert(
    fc.property(
      perFile,
      liveFiles,
      fc.nat(5_000),
      fc.integer({ min: 1, max: 40 }),
      (each, files, debt, calls) => {
        const budget = new CallBudget(each);
        budget.left(START, files);
        budget.spend(debt);
        const wait = budget.waitFor(calls);
        expect(budget.left(START + Math.ceil(wait), files)).toBeGreaterThanOrEqual(
          Math.min(calls, 0.2 * budget.perMinute) - 1e-6,
        );
      },
    ),
  );
});

test('without a limit there is always enough', () => {
  const budget = new CallBudget(Number.POSITIVE_INFINITY);
  expect(budget.left(START, 0)).toBe(Number.POSITIVE_INFINITY);
  budget.spend(1_000_000);
  expect([budget.left(START, 5), budget.waitFor(10)]).toEqual([Number.POSITIVE_INFINITY, 0]);
});

test('the calls of the last minute are counted to a second, also when the clock is set back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ wait: fc.nat(20_000), calls: fc.nat(50) })),
      fc.nat(120_000),
      (steps, after) => {
        const meter = new CallMeter();
        const made: { now: number; calls: number }[] = [];
        let now = START;
        for (const { wait, calls } of steps) {
          now += wait;
          meter.add(now, calls);
          made.push({ now, calls });
        }
        now += after;
        const within = (ms: number): number =>
          made.filter((one) => one.now > now - ms).reduce((sum, one) => sum + one.calls, 0);
        expect(meter.lastMinute(now)).toBeGreaterThanOrEqual(within(MINUTE_MS - 1_000));
        expect(meter.lastMinute(now)).toBeLessThanOrEqual(within(MINUTE_MS));
        meter.add(START - 3_600_000, 7);
        expect(meter.lastMinute(START - 3_600_000)).toBe(7);
      },
    ),
  );
});
