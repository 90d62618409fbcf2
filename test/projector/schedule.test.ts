import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Schedule, TICK_MS } from '../../src/projector/schedule.ts';

const path = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), path, at: fc.nat(20_000) }),
  fc.record({ kind: fc.constant('delete' as const), path }),
  fc.record({ kind: fc.constant('due' as const), now: fc.nat(25_000), most: fc.nat(6) }),
);

test('it says what a map of due times would say, to a tick', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const schedule = new Schedule();
      const model = new Map<string, number>();
      for (const one of steps) {
        if (one.kind === 'set') {
          schedule.set(one.path, one.at);
          model.set(one.path, Math.ceil(one.at / TICK_MS) * TICK_MS);
        } else if (one.kind === 'delete') {
          schedule.delete(one.path);
          model.delete(one.path);
        } else {
          const due = schedule.due(one.now, one.most);
          const times = due.map((name) => model.get(name) ?? Number.NaN);
          const all = [...model.values()].filter((at) => at <= one.now).toSorted((a, b) => a - b);
          expect(times).toEqual(all.slice(0, one.most));
          expect(new Set(due).size).toBe(due.length);
        }
        expect(schedule.size).toBe(model.size);
        expect(schedule.nextAt).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
      }
    }),
  );
});

test('with room for a few looks only, each path has its turn', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 }), (paths, most) => {
      const schedule = new Schedule();
      for (let nth = 0; nth < paths; nth += 1) schedule.set(`${nth}`, nth);
      const seen = new Set<string>();
      let now = 10_000;
      for (let round = 0; round < Math.ceil(paths / most); round += 1) {
        for (const due of schedule.due(now, most)) {
          seen.add(due);
          schedule.set(due, now + TICK_MS);
        }
        now += TICK_MS;
      }
      expect(seen.size).toBe(paths);
    }),
  );
});

test('a clock that is put right by years is no search through all of them', () => {
  const schedule = new Schedule();
  const later = 5 * 365 * 86_400_000;
  schedule.set('a', 0);
  schedule.set('b', TICK_MS);
  expect(schedule.due(later, 1)).toEqual(['a']);
  schedule.set('a', later);
  expect(schedule.due(later, 2)).toEqual(['b', 'a']);
  schedule.set('b', later);
  expect(schedule.nextAt).toBe(later);
});
