// A sweep that was cut off is begun again, whoever calls.
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { openForWriting } from '../../src/db/open.ts';
import { Projector } from '../../src/projector/projector.ts';
import type { Part, StorageProblem } from '../../src/projector/storage.ts';
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';
import { nthWriter, wholeRun } from './home.ts';

const FILES = 600;

class Looked extends MemoryStorage {
  readonly paths: string[] = [];
  onRead: ((nth: number) => void) | undefined;

  override read(file: string, from: number, length: number): Promise<Part | StorageProblem> {
    const nth = this.paths.push(file);
    this.onRead?.(nth);
    return super.read(file, from, length);
  }
}

async function sweepIsDue() {
  const storage = new Looked();
  for (let nth = 0; nth < FILES; nth += 1) {
    const { path, bytes } = wholeRun(nthWriter(nth), nth);
    storage.append(path, Buffer.from(bytes), Date.now());
  }
  const db = openForWriting(':memory:');
  const projector = new Projector(db, LEDGER, storage, systemClock);
  await projector.pass();
  db.exec('UPDATE _projection SET slow_sweep_due_at = NULL');
  storage.paths.length = 0;
  return { storage, projector, db };
}

test.each(['aborted', 'failed'])(
  'a pass in whose middle a sweep was %s is followed by a whole one',
  async (how) => {
    const { storage, projector } = await sweepIsDue();
    const ending = new AbortController();
    storage.onRead = (nth) => {
      if (nth !== 300) return;
      if (how === 'aborted') ending.abort();
      else throw new Error('the storage is gone');
    };
    const pass = projector.pass({ signal: ending.signal });
    await (how === 'aborted' ? pass : expect(pass).rejects.toThrow('the storage is gone'));
    expect(storage.paths.length).toBeLessThan(FILES);

    storage.onRead = undefined;
    storage.paths.length = 0;
    const { thorough } = await projector.pass();
    expect(thorough).toBe(true);
    expect(storage.paths.toSorted()).toEqual([...new Set(storage.paths)].toSorted());
    expect(storage.paths).toHaveLength(FILES);
    expect((await projector.pass()).thorough).toBe(false);
  },
);

test('in slices each file is looked at once, and the last slice says that it is', async () => {
  const { storage, projector } = await sweepIsDue();
  expect((await projector.pass({ sliced: true })).thorough).toBe(true);
  expect(storage.paths).toEqual([]);
  const ends: boolean[] = [];
  while (projector.isSweeping) {
    // beside the work of every day, which does not begin it again
    expect((await projector.pass({ sliced: true })).thorough).toBe(false);
    ends.push((await projector.sweepOn()).thorough);
  }
  expect(new Set(storage.paths).size).toBe(FILES);
  expect(storage.paths).toHaveLength(FILES);
  expect(ends.length).toBeGreaterThan(2);
  expect(ends.indexOf(true)).toBe(ends.length - 1);
});
