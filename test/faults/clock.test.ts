// A clock that is set back: nothing waits for the time that was to be reached again.
import { expect, test, vi } from 'vitest';
import { takeTurn } from '../../src/db/turn.ts';
import { PACE } from '../../src/projector/pace.ts';
import { TimedStorage } from '../../src/projector/timed-storage.ts';
import { watch } from '../../src/projector/watch.ts';
import { at, DAY, file, metric, notes, NOTES } from '../helpers/lines.ts';
import { Desk } from './desk.ts';
import { waiting } from './faster-clock.ts';
import { LOG, MTIME_MS, NOW_MS, storageOf } from './files.ts';
import { sync } from './works.ts';

vi.mock('node:timers/promises', async (original) => {
  const { fasterClock } = await import('./faster-clock.ts');
  return fasterClock(await original());
});

const A_DAY = 86_400_000;

function points(desk: Desk): number {
  return desk.dump()['run_metrics']?.length ?? 0;
}

test('the thorough sweep is due when it was planned by a clock that was ahead', async () => {
  const desk = new Desk(storageOf(LOG.GROWN), NOW_MS + A_DAY);
  await sync(desk);
  using open = desk.open();
  expect(await open.projector.pass()).toMatchObject({ thorough: false });
  desk.clock.nowMs -= A_DAY;
  expect(await open.projector.pass()).toMatchObject({ thorough: true });
  expect(await open.projector.pass()).toMatchObject({ thorough: false });
});

test('watch goes on looking: what comes after the clock was set back is there as soon as ever', async () => {
  const storage = storageOf([notes(metric(1))]);
  const desk = new Desk(storage, NOW_MS);
  const ending = new AbortController();
  let waits = 0;
  let waitedMs = 0;
  waiting.onWait = (ms) => {
    desk.clock.nowMs += ms;
    waits += 1;
    if (waits === 5) {
      desk.clock.nowMs -= A_DAY;
      storage.append(`events/${DAY}/new.ndjson`, notes(metric(2)).bytes, desk.clock.nowMs);
      storage.append(NOTES, notes(metric(3)).bytes, desk.clock.nowMs);
    }
    if (waits > 5) waitedMs += ms;
    if (waits > 200) ending.abort();
  };
  using open = desk.open();
  try {
    const { dir: root, clock } = desk;
    const onPass = (): void => {
      if (points(desk) === 3) ending.abort();
    };
    const options = { root, clock, signal: ending.signal, isOnNetwork: false, onPass };
    await watch(open.projector, new TimedStorage(storage, clock), options);
  } finally {
    waiting.onWait = undefined;
  }
  expect(points(desk)).toBe(3);
  expect(waitedMs).toBeLessThanOrEqual(PACE.slowestLook);
});

test('a hole that a clock ahead has given up too early is read when it fills', async () => {
  const filled = new Desk(storageOf(LOG.FILLED), NOW_MS);
  await sync(filled);
  const storage = storageOf(LOG.GROWN);
  const desk = new Desk(storage, NOW_MS + A_DAY);
  await sync(desk);
  expect(desk.dump()['_holes']).toHaveLength(1);
  desk.clock.nowMs = MTIME_MS;
  await sync(desk);
  expect(desk.dump()['_holes']).toHaveLength(1);
  storageOf(LOG.FILLED, storage);
  await sync(desk);
  expect(desk.dump()).toEqual(filled.dump());
});

test('a hole in a file of a time to come waits until then, and the other files do not wait with it', async () => {
  const hole = file(`events/${DAY}/hole.ndjson`, metric(1), Buffer.alloc(20), '\n', metric(2));
  const storage = storageOf([hole]);
  storage.files.set(hole.path, { bytes: hole.bytes, mtimeMs: NOW_MS + A_DAY });
  storage.append(NOTES, notes(metric(3)).bytes, NOW_MS);
  const desk = new Desk(storage, NOW_MS);
  await sync(desk);
  expect(points(desk)).toBe(2);
  desk.clock.nowMs += A_DAY + 16 * 60_000;
  await sync(desk);
  expect(points(desk)).toBe(3);
});

test('SLURM is asked, although by the clock that was it was asked in a time to come', () => {
  const { file: database } = new Desk(storageOf([]), NOW_MS);
  const now = Date.parse(at(0));
  expect(takeTurn(database, now + A_DAY, 60_000)).toMatchObject({ isOurs: true });
  expect(takeTurn(database, now, 60_000)).toMatchObject({ isOurs: true });
  expect(takeTurn(database, now + 1000, 60_000)).toMatchObject({ isOurs: false, lastAt: now });
});
