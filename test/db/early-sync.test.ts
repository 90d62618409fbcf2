// What is brought to the disk early leaves no descriptor behind, whenever it ends.
import * as fs from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EarlySync } from '../../src/db/early-sync.ts';
import { tempDir } from '../events/temp-dir.ts';

const MEGABYTE = 1_048_576;

function isOpen(file: string): boolean {
  return fs.readdirSync('/proc/self/fd').some((descriptor) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${descriptor}`) === file;
    } catch {
      // the one by which the folder itself was read
      return false;
    }
  });
}

test.skipIf(!fs.existsSync('/proc/self/fd')).each([
  ['nothing was written', []],
  ['some is on its way to the disk', [40 * MEGABYTE]],
  ['more was written meanwhile', [40 * MEGABYTE, 50 * MEGABYTE, 90 * MEGABYTE]],
])('it ends when %s', async (_, written) => {
  const file = path.join(fs.realpathSync(tempDir()), 'runs.db');
  fs.writeFileSync(file, 'x'.repeat(MEGABYTE));
  const early = new EarlySync(file);
  for (const bytes of written) early.wrote(bytes);
  expect(isOpen(file)).toBe(true);
  await early.end();
  expect(isOpen(file)).toBe(false);
  await early.end();
});

test('a disk that fails meanwhile is told at the end: the system would not say it again', async () => {
  const file = path.join(tempDir(), 'runs.db');
  fs.writeFileSync(file, 'x');
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  const outcomes = [Promise.reject(full), Promise.resolve()];
  const early = new EarlySync(file, () => outcomes.shift() ?? Promise.resolve());
  early.wrote(40 * MEGABYTE);
  await setImmediate();
  early.wrote(80 * MEGABYTE);
  await setImmediate();
  expect(outcomes).toEqual([]);
  await expect(early.end()).rejects.toBe(full);
});
