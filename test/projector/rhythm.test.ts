import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PACE } from '../../src/projector/pace.ts';
import { nextLookAt, seen, type Rhythm } from '../../src/projector/rhythm.ts';

const START = Date.UTC(2026, 10, 23, 10);

interface Watched {
  looks: number;
  /** Of each line that was seen, how long after it was written. */
  late: number[];
}

/** Looks at a file as `watch` does; `writes` are times, and the storage's clock is `skew` ahead. */
function follow(writes: readonly number[], skew = 0): Watched {
  const watched: Watched = { looks: 0, late: [] };
  let rhythm: Rhythm | undefined;
  let done = 0;
  for (let now = START; done < writes.length; now = nextLookAt(rhythm, now)) {
    const there = writes.filter((at) => at <= now).length;
    const mtimeMs = (writes[there - 1] ?? START - 1000) + skew;
    watched.looks += 1;
    for (const at of writes.slice(done, there)) watched.late.push(now - at);
    rhythm = seen(rhythm, { now, mtimeMs, lines: there - done });
    done = there;
  }
  return watched;
}

const looks = fc.array(
  fc.record({
    wait: fc.oneof(fc.nat(2_000), fc.nat(4_000_000)),
    mtime: fc.integer({ min: -4_000_000, max: 4_000_000 }),
    lines: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(10_000)),
  }),
  { minLength: 1 },
);

test('whatever was seen, the next look comes, and never later than the slowest', () => {
  fc.assert(
    fc.property(looks, (history) => {
      let now = START;
      let rhythm: Rhythm | undefined;
      for (const { wait, mtime, lines } of history) {
        now += wait;
        rhythm = seen(rhythm, { now, mtimeMs: START + mtime, lines });
        const wanted = nextLookAt(rhythm, now) - now;
        expect(wanted).toBeGreaterThanOrEqual(PACE.soonAfter);
        expect(wanted).toBeLessThanOrEqual(PACE.slowestLook);
      }
    }),
  );
});

const pace = fc.record({
  gap: fc.integer({ min: 1_000, max: 900_000 }),
  /** Each gap is longer or shorter by up to so much of it. */
  jitter: fc.double({ min: 0, max: 0.05, noNaN: true }),
  dice: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 12, maxLength: 40 }),
  /** Of the storage’s clock. */
  skew: fc.integer({ min: -400, max: 400 }),
});

test('of a file with a rhythm, slow or fast, lines are seen soon after they are written, with few looks', () => {
  fc.assert(
    fc.property(pace, ({ gap, jitter, dice, skew }) => {
      let at = START;
      const writes = dice.map((by) => (at += Math.round(gap * (1 + jitter * by))));
      const { looks: made, late } = follow(writes, skew);
      // the rhythm is known after some lines; a line that comes earlier than any before it is seen when those came
      const soon = PACE.soonAfter + PACE.firstLook + 2 * jitter * gap + Math.abs(skew);
      expect(Math.max(...late.slice(6))).toBeLessThanOrEqual(Math.ceil(soon * 1.1));
      const rare = (writes.length * gap) / PACE.slowestLook;
      // the first lines are looked for at the pace of any file that has just grown
      expect(made).toBeLessThanOrEqual(rare * 1.3 + writes.length * 24 + 120);
    }),
  );
});

test('a file with a line every five minutes is looked at a few times a minute, and seen within a second', () => {
  const { looks: made, late } = follow(Array.from({ length: 100 }, (_, nth) => START + (nth + 1) * 300_000));
  expect(Math.max(...late.slice(4))).toBeLessThan(1_000);
  expect(made / 500).toBeLessThan(4);
});

test('a file that has become faster is found to be so, also if each look finds several lines', () => {
  const slow = Array.from({ length: 10 }, (_, nth) => START + (nth + 1) * 60_000);
  const fast = Array.from({ length: 60 }, (_, nth) => START + 600_000 + (nth + 1) * 2_000);
  const { late } = follow([...slow, ...fast]);
  expect(Math.max(...late.slice(-20))).toBeLessThan(1_000);
});

test('a pause is not taken for the rhythm', () => {
  const before = Array.from({ length: 10 }, (_, nth) => START + (nth + 1) * 5_000);
  const after = Array.from({ length: 10 }, (_, nth) => START + 3_600_000 + (nth + 1) * 5_000);
  const { late } = follow([...before, ...after]);
  expect(Math.max(...late.slice(-3))).toBeLessThan(1_000);
  expect(Math.max(...late)).toBeLessThanOrEqual(PACE.slowestLook);
});
