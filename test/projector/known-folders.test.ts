import { expect, test } from 'vitest';
import { KnownFolders } from '../../src/projector/known-folders.ts';
import { PACE } from '../../src/projector/pace.ts';

const NOW = Date.UTC(2026, 10, 23, 10);

test('without a sweep nothing is known', () => {
  expect(new KnownFolders(undefined).isKnown('events/a', 0, NOW)).toBe(false);
});

test('a folder that changed well before the last sweep is known, by any clock within reach', () => {
  const folders = new KnownFolders(NOW);
  expect(folders.isKnown('events/a', NOW - PACE.clockDifference - 1, NOW)).toBe(true);
  expect(folders.isKnown('events/a', NOW - PACE.clockDifference, NOW)).toBe(false);
});

test('a folder is known when it was listed twice, a step of any clock apart, and has not changed since', () => {
  const folders = new KnownFolders(undefined);
  folders.note('events/a', 5, NOW);
  expect(folders.isKnown('events/a', 5, NOW + PACE.clockStep)).toBe(false);
  folders.note('events/a', 5, NOW + PACE.clockStep - 1);
  expect(folders.isKnown('events/a', 5, NOW + 60_000)).toBe(false);
  folders.note('events/a', 5, NOW + PACE.clockStep);
  expect(folders.isKnown('events/a', 5, NOW + 60_000)).toBe(true);
  expect(folders.isKnown('events/a', 6, NOW + 60_000)).toBe(false);
  expect(folders.isKnown('events/a', 5, NOW)).toBe(false);
  folders.note('events/a', 6, NOW + 60_000);
  expect(folders.isKnown('events/a', 6, NOW + 120_000)).toBe(false);
});
