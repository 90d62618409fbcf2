// What is read of a file goes where it was asked to go, if there is room.
import { expect, test } from 'vitest';
import type { Part, StorageProblem } from '../../src/projector/storage.ts';
import { A, created, metric, writerFile } from '../helpers/lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';

const FILE = writerFile(A, created(0), metric(1));

function bytesOf(read: Part | StorageProblem): Buffer {
  if ('reason' in read) throw new Error(read.reason);
  return read.bytes;
}

test('bytes go into the memory that was given, from its beginning on', async () => {
  const { storage } = new TempLedger(FILE);
  const shared = new SharedArrayBuffer(FILE.bytes.length + 20);
  const bytes = bytesOf(await storage.read(FILE.path, 3, 100_000, new Uint8Array(shared, 10)));
  expect(bytes.equals(FILE.bytes.subarray(3))).toBe(true);
  expect([bytes.buffer, bytes.byteOffset]).toEqual([shared, 10]);
  expect(Buffer.from(shared, 10, bytes.length).equals(bytes)).toBe(true);
});

test('where there is too little room they go elsewhere', async () => {
  const { storage } = new TempLedger(FILE);
  const small = new Uint8Array(10);
  const bytes = bytesOf(await storage.read(FILE.path, 0, 100_000, small));
  expect(bytes.equals(FILE.bytes)).toBe(true);
  expect(small).toEqual(new Uint8Array(10));
});
