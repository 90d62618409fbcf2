// What work that fails must not leave behind: connections, locks, files.
import * as fs from 'node:fs';
import { beforeEach, expect, test, vi } from 'vitest';
import { lockHolder, ProjectorLock } from '../../src/db/lock.ts';
import { swapIn } from '../../src/db/swap.ts';
import { openForBuilding } from '../../src/db/open.ts';
import { verify } from '../../src/projector/verify.ts';
import { LEDGER } from '../helpers/memory-storage.ts';
import { Desk } from './desk.ts';
import { faults, openConnections } from './faulty-database.ts';
import { LOG, NOW_MS, storageOf } from './files.ts';
import { rebuildIt, sync } from './works.ts';

vi.mock('better-sqlite3', async () => ({ default: (await import('./faulty-database.ts')).FaultyDatabase }));

const HOLDER = { host: 'h', pid: 1, since: '', purpose: 'test' };

beforeEach(() => {
  faults.end();
  // of a test that has failed
  for (const db of openConnections) db.close();
});

async function synced(): Promise<Desk> {
  const desk = new Desk(storageOf(LOG.GROWN), NOW_MS);
  await sync(desk);
  return desk;
}

test('a lock is released although no statement works any more', async () => {
  const { file } = await synced();
  const lock = ProjectorLock.acquire(file, HOLDER);
  faults.begin(0, false, { code: 'SQLITE_IOERR_WRITE', effect: 'refused' });
  lock.release();
  faults.end();
  expect(lockHolder(file)).toBeUndefined();
});

test('a rebuild whose last checkpoint fails leaves no connection open', async () => {
  const desk = await synced();
  const built = `${desk.file}.built`;
  openForBuilding(built).close();
  faults.watch();
  await swapIn(built, desk.file, false);
  const checkpoint = faults.calls.findIndex((call) => call.includes('wal_checkpoint'));
  openForBuilding(built).close();
  faults.begin(checkpoint, true, { code: 'SQLITE_IOERR_WRITE', effect: 'refused' });
  await expect(swapIn(built, desk.file, false)).rejects.toThrow('wal_checkpoint');
  expect(openConnections.size).toBe(0);
});

async function verifyUntil(desk: Desk, signal?: AbortSignal, onCompare?: () => void): Promise<unknown> {
  const { storage, clock, file } = desk;
  return await verify(file, {
    ledger: LEDGER,
    storage,
    clock,
    ...(signal && { signal }),
    ...(onCompare && { onCompare }),
  });
}

test('a comparison that is interrupted says so, and leaves neither a connection nor a file', async () => {
  const desk = await synced();
  const ending = new AbortController();
  const verifying = verifyUntil(desk, ending.signal, () => ending.abort());
  await expect(verifying).rejects.toMatchObject({ name: 'AbortError' });
  expect(openConnections.size).toBe(0);
  expect(fs.readdirSync(desk.dir).filter((name) => name.includes('verify'))).toEqual([]);
});

test('a verify whose own database cannot be made closes the live one', async () => {
  const desk = await synced();
  faults.watch();
  await verifyUntil(desk);
  const version = faults.calls.findIndex((call) => call.includes('sqlite_version'));
  faults.begin(version, true, { code: 'SQLITE_FULL', effect: 'refused' });
  await expect(verifyUntil(desk)).rejects.toMatchObject({ code: 'database_not_writable' });
  expect(openConnections.size).toBe(0);
});

test('a rebuild whose database cannot be made leaves nothing beside the live one', async () => {
  const desk = await synced();
  faults.watch();
  await rebuildIt(desk);
  const version = faults.calls.findIndex((call) => call.includes('sqlite_version'));
  faults.begin(version, true, { code: 'SQLITE_FULL', effect: 'refused' });
  await expect(rebuildIt(desk)).rejects.toMatchObject({ code: 'database_not_writable' });
  expect(fs.readdirSync(desk.dir).filter((name) => name.includes('build'))).toEqual([]);
});
