// Whether the bytes that were read from a file are still what they were.
import { crc32 } from 'node:zlib';
import type { FileState } from './file-state.ts';
import type { Range } from './file-store.ts';
import { isProblem, type LedgerStorage } from './storage.ts';

const READ_BYTES = 4 * 1_048_576;

/**
 * Reads all bytes before the file's offset again, save the ranges that its CRC leaves out (holes and lines too
 * long, in order), and compares.
 */
export async function isIntact(
  file: Pick<FileState, 'path' | 'offset' | 'crc'>,
  uncounted: readonly Range[],
  storage: LedgerStorage,
): Promise<boolean> {
  let crc = 0;
  let from = 0;
  for (const { offset, length } of [...uncounted, { offset: file.offset, length: 0 }]) {
    const sum = await checksum(file.path, from, offset, crc, storage);
    if (sum === undefined) return false;
    crc = sum;
    from = offset + length;
  }
  return crc === file.crc;
}

async function checksum(
  path: string,
  from: number,
  to: number,
  crc: number,
  storage: LedgerStorage,
): Promise<number | undefined> {
  let sum = crc;
  for (let at = from; at < to;) {
    const part = await storage.read(path, at, Math.min(READ_BYTES, to - at));
    if (isProblem(part) || part.bytes.length === 0) return undefined;
    sum = crc32(part.bytes, sum);
    at += part.bytes.length;
  }
  return sum;
}
