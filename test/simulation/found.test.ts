// What the simulation has found, each as its history by hand.
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { IN_MEMORY, openForWriting } from '../../src/db/open.ts';
import { Projector } from '../../src/projector/projector.ts';
import type { Part, StorageProblem } from '../../src/projector/storage.ts';
import { verify } from '../../src/projector/verify.ts';
import { tempDir } from '../events/temp-dir.ts';
import { A, at, created, metric, status, writerFile, type GivenFile } from '../helpers/lines.ts';
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';

const clock = { now: () => Date.parse(at(60)) };

/** Answers as `lie` says, where it says anything. */
class LyingStorage extends MemoryStorage {
  lie: (file: string, part: Part) => Part | StorageProblem = (_, part) => part;

  override async read(file: string, from: number, length: number): Promise<Part | StorageProblem> {
    const part = await super.read(file, from, length);
    return 'reason' in part ? part : this.lie(file, part);
  }
}

/** The database of what `storage` shows now, as a file. */
async function readOnce(storage: LyingStorage, ...files: GivenFile[]): Promise<string> {
  for (const { path: to, bytes } of files) storage.append(to, bytes, Date.parse(at(1)));
  const db = openForWriting(IN_MEMORY);
  await new Projector(db, LEDGER, storage, clock).pass({ thorough: true });
  const file = path.join(tempDir(), 'runs.db');
  fs.writeFileSync(file, db.serialize());
  db.close();
  return file;
}

test('verify leaves out a file that it cannot read as far as the line that stopped it', async () => {
  const storage = new LyingStorage();
  const stopped = writerFile(A, created(0), metric(1, { loss: 1 }), '{"type":"writer_opened","format":2}\n');
  const file = await readOnce(storage, stopped);
  // it was read up to there before; the line itself is read last
  let reads = 0;
  storage.lie = (name, part) => ((reads += 1) === 1 ? part : { path: name, reason: 'ESTALE' });
  const { differences, leftOut } = await verify(file, { ledger: LEDGER, storage, clock });
  expect(reads).toBeGreaterThan(1);
  expect(differences).toEqual([]);
  expect(leftOut).toEqual([{ path: stopped.path, writer: A, reason: 'ESTALE', events: 2 }]);
});

test('verify leaves out the runs of a file whose header was a hole, which has filled since', async () => {
  const storage = new LyingStorage();
  const late = writerFile(A, created(0), status(1, 'running'));
  // all but the last LF has not come, for so long that it is given up
  storage.lie = (_, part) => ({ ...part, bytes: part.bytes.fill(0, 0, part.bytes.length - 1) });
  const file = await readOnce(storage, late);
  storage.lie = (_, part) => part;
  const { differences, leftOut } = await verify(file, { ledger: LEDGER, storage, clock });
  expect(differences).toEqual([]);
  expect(leftOut).toEqual([{ path: late.path, writer: A, reason: 'rewritten', events: 0 }]);
});
