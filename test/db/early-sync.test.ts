// What is brought to the disk early leaves no descriptor behind, whenever it ends.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
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
  early.end();
  early.end();
  await vi.waitFor(() => expect(isOpen(file)).toBe(false), 10_000);
});
