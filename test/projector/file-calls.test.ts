// Calls that are made at once give what calls on other threads give, and leave the others their turn.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { directCalls, threadedCalls } from '../../src/projector/file-calls.ts';
import { isProblem, DirectoryStorage } from '../../src/projector/storage.ts';
import { tempDir } from '../events/temp-dir.ts';

const SIZE = 200_000;

function makeLog(): string {
  const root = tempDir();
  const day = path.join(root, 'events', '2026-11-20');
  fs.mkdirSync(day, { recursive: true });
  fs.writeFileSync(path.join(day, 'whole.ndjson'), Buffer.alloc(SIZE, 'x'));
  fs.writeFileSync(path.join(day, 'empty.ndjson'), '');
  fs.symlinkSync('whole.ndjson', path.join(day, 'link.ndjson'));
  fs.mkdirSync(path.join(day, 'folder.ndjson'));
  execFileSync('mkfifo', [path.join(day, 'fifo.ndjson')]);
  fs.symlinkSync('2026-11-20', path.join(root, 'events', '2026-11-21'));
  return root;
}

const NAMES = ['whole', 'empty', 'link', 'folder', 'fifo', 'missing'];
const PATHS = ['2026-11-20', '2026-11-21', '2026-11-22'].flatMap((day) =>
  NAMES.map((name) => `events/${day}/${name}.ndjson`),
);
/** From and length: little, much, nothing, and beyond the end. */
const RANGES = [[0, 64], [100, SIZE], [SIZE, 10], [SIZE + 5, 10]] as const; // prettier-ignore

test('every kind of file in every kind of folder is read, or not, in the same way', async () => {
  const root = makeLog();
  const [direct, threaded] = [directCalls, threadedCalls].map((calls) => new DirectoryStorage(root, calls));
  expect(await direct?.list()).toEqual(await threaded?.list());
  let read = 0;
  for (const file of PATHS) {
    for (const [from, length] of RANGES) {
      const part = await direct?.read(file, from, length);
      expect(part).toEqual(await threaded?.read(file, from, length));
      if (part !== undefined && !isProblem(part)) read += part.bytes.length;
    }
  }
  expect(read).toBe(64 + SIZE - 100);
  expect(direct?.calls).toBe(threaded?.calls);
});

test('signals and timers get a turn between two batches', async () => {
  const storage = new DirectoryStorage(makeLog(), directCalls);
  const [first = ''] = PATHS;
  let turns = 0;
  setImmediate(() => (turns += 1));
  await storage.read(first, 0, 10);
  await storage.read(first, 0, 10);
  expect(turns).toBe(1);
});
