// Every call to the shared storage of every kind of work fails once, and from then on: nothing is lost, nothing doubled.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { DirectoryStorage } from '../../src/projector/storage.ts';
import { tempDir } from '../events/temp-dir.ts';
import { until } from '../process/until.ts';
import type { GivenFile } from '../helpers/lines.ts';
import { LEDGER } from '../helpers/memory-storage.ts';
import { below, fileFaults } from './faulty-files.ts';
import { LOG, MTIME_MS } from './files.ts';
import { sweep } from './sweep.ts';
import { WORKS } from './works.ts';

vi.mock('node:fs', async (original) => {
  const { faultyCallbacks } = await import('./faulty-files.ts');
  return faultyCallbacks(await original());
});
vi.mock('node:fs/promises', async (original) => {
  const { faultyFs } = await import('./faulty-files.ts');
  return faultyFs(await original());
});
vi.mock('node:timers/promises', async (original) => {
  const { fasterClock } = await import('./faster-clock.ts');
  return fasterClock(await original());
});

const ALL = process.env['RUNFOLD_FAULTS'] === 'all';
const CODES = ['EIO', 'EMFILE', 'ESTALE', 'EACCES', 'ENOENT', 'ETIMEDOUT'];

/** A log of real files, in a directory of its own. */
function directoryOf(files: readonly GivenFile[]): DirectoryStorage {
  const root = tempDir();
  below.root = root;
  const { ledger_id, created_at } = LEDGER;
  const sentinel = { format: 'runfold', version: 1, ledger_id, created_at };
  fs.writeFileSync(path.join(root, 'ledger.json'), JSON.stringify(sentinel));
  for (const { path: file, bytes } of files) {
    const absolute = path.join(root, file);
    fs.mkdirSync(path.dirname(absolute), { recursive: true });
    fs.writeFileSync(absolute, bytes);
    fs.utimesSync(absolute, MTIME_MS / 1000, MTIME_MS / 1000);
  }
  return new DirectoryStorage(root);
}

test.each(Object.entries(WORKS))('%s, with each file call failing', async (_, work) => {
  const calls = await sweep(work, {
    plan: fileFaults,
    faultsOf: (_call, k, isOnce) => (ALL ? CODES : [CODES[(k + (isOnce ? 0 : 1)) % CODES.length]!]),
    storageOf: directoryOf,
  });
  expect(calls).toBeGreaterThan(20);
});

test.each(['the file', 'its folder'])('a file is read although the close of %s fails', async (what) => {
  const [file] = LOG.FIRST;
  const storage = directoryOf(LOG.FIRST);
  const closes = (): number[] => fileFaults.calls.flatMap((call, k) => (call === 'close' ? [k] : []));
  /** The folder is closed after the answer. */
  const readToTheEnd = async (): Promise<unknown> => {
    const read = await storage.read(file!.path, 0, 100);
    await until('file and folder are closed', () => closes().length === 2);
    return read;
  };
  fileFaults.watch();
  const read = await readToTheEnd();
  const [ofFile = 0, ofFolder = 0] = closes();
  fileFaults.begin(what === 'the file' ? ofFile : ofFolder, true, 'EIO');
  expect(await readToTheEnd()).toEqual(read);
  expect(fileFaults.hits).toBe(1);
});
