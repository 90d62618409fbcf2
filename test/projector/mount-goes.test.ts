// A mount that goes while a pass is under way looks as if its files had been deleted, one by one.
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { IN_MEMORY, openForWriting } from '../../src/db/open.ts';
import { RunfoldError } from '../../src/errors.ts';
import type { LedgerInfo } from '../../src/events/ledger.ts';
import { Projector } from '../../src/projector/projector.ts';
import { A, B, created, writerFile } from '../helpers/lines.ts';
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';

/** Goes after the next listing. */
class LeavingMount extends MemoryStorage {
  leaves = false;
  isAway = false;

  override identify(): Promise<LedgerInfo> {
    if (this.isAway) return Promise.reject(new RunfoldError('ledger_not_found', 'no log'));
    return super.identify();
  }

  override async list(wanted?: (folder: string) => boolean) {
    const listing = await super.list(wanted);
    if (this.leaves) this.isAway = true;
    return listing;
  }

  override read(file: string, from: number, length: number) {
    if (this.isAway) return Promise.resolve({ path: file, reason: 'ENOENT' });
    return super.read(file, from, length);
  }
}

test('no file is gone because the mount is: the pass fails, and the next one goes on', async () => {
  const mount = new LeavingMount();
  for (const name of [A, B]) {
    const file = writerFile(name, created(0));
    mount.append(file.path, file.bytes, 0);
  }
  const db = openForWriting(IN_MEMORY);
  const projector = new Projector(db, LEDGER, mount, systemClock);
  await projector.pass();
  const states = (): unknown => db.prepare('SELECT path, state FROM _files ORDER BY path').all();
  const before = states();
  mount.leaves = true;
  await expect(projector.pass({ thorough: true })).rejects.toThrow('no log');
  expect(states()).toEqual(before);
  mount.leaves = false;
  mount.isAway = false;
  expect((await projector.pass({ thorough: true })).events).toBe(0);
  expect(states()).toEqual(before);
  mount.files.delete(writerFile(A).path);
  await projector.pass({ thorough: true });
  expect(db.prepare("SELECT count(*) FROM _files WHERE state = 'missing'").pluck().get()).toBe(1);
  db.close();
});
