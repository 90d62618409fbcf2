import { expect, onTestFinished, test } from 'vitest';
import { KnownFolders } from '../../src/projector/known-folders.ts';
import { openForWriting } from '../../src/db/open.ts';
import { PACE } from '../../src/projector/pace.ts';
import { Projector } from '../../src/projector/projector.ts';
import type { IsKnown, Listing } from '../../src/projector/storage.ts';
import { created, writerFile } from '../helpers/lines.ts';
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';
import { nthWriter } from './home.ts';

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

/** As some file systems in user space: a folder has changed when it was mounted. */
class Unchanging extends MemoryStorage {
  override async list(wanted?: (folder: string) => boolean, isKnown?: IsKnown): Promise<Listing> {
    const listing = await super.list(wanted);
    const listed = [...listing.folders].filter((folder) => isKnown?.(folder, 5) !== true);
    const folders = new Set(listed);
    const files = listing.files.filter((file) => folders.has(file.slice(0, file.lastIndexOf('/'))));
    return { ...listing, files, folders, changedAt: new Map(listed.map((folder) => [folder, 5])) };
  }
}

test('where a sweep finds a file in a folder that had not changed, all folders are listed from then on', async () => {
  let now = NOW;
  const storage = new Unchanging();
  const db = openForWriting(':memory:');
  onTestFinished(() => void db.close());
  const projector = new Projector(db, LEDGER, storage, { now: () => now });
  const add = (nth: number): string => {
    const { path, bytes } = writerFile(nthWriter(nth), created(0));
    storage.append(path, Buffer.from(bytes), now);
    return path;
  };
  add(1);
  for (let nth = 0; nth < 3; nth += 1, now += PACE.clockStep) await projector.pass();
  const hidden = add(2);
  expect((await projector.pass()).grown).toEqual([]);
  expect((await projector.pass({ thorough: true })).grown).toEqual([hidden]);
  now += PACE.clockStep;
  const next = add(3);
  expect((await projector.pass()).grown).toEqual([next]);
});
