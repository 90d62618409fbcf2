// The grid as it was submitted, kept in the log: its file is edited while its tasks wait.
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { ensureDirectory, nodeIo, syncDirectory } from '../events/file-io.ts';
import { GRIDS_DIR } from '../events/layout.ts';
import { readLedger } from '../events/ledger.ts';
import { gridDigest } from '../grid/grid.ts';
import type { GridFile } from './grid-file.ts';

/** Of the digest: enough that no two grids of one log share a name. */
const NAMED_DIGITS = 16;

/**
 * The absolute path of the copy, which is made unless it is there.
 *
 * @throws RunfoldError of `readLedger`; a system error
 */
export function keepGrid(ledger: string, { bytes, digest, grid }: GridFile): string {
  readLedger(ledger);
  const folder = path.join(ledger, GRIDS_DIR);
  const file = path.join(folder, `${digest.slice(0, NAMED_DIGITS)}.${grid.format}`);
  if (submittedBytes(file, digest) !== undefined) return file;
  ensureDirectory(nodeIo, folder, 0o777);
  const draft = `${file}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  try {
    writeNew(draft, bytes);
    fs.renameSync(draft, file);
  } finally {
    fs.rmSync(draft, { force: true });
  }
  syncDirectory(nodeIo, folder);
  syncDirectory(nodeIo, ledger);
  return file;
}

/** Of a file that is what was submitted; undefined if it is not, or cannot be read. */
export function submittedBytes(file: string, digest: string): Buffer | undefined {
  try {
    const bytes = fs.readFileSync(file);
    return gridDigest(bytes) === digest ? bytes : undefined;
  } catch {
    // no copy: whoever asks makes one, or says what is wrong with the grid itself
    return undefined;
  }
}

function writeNew(file: string, bytes: Uint8Array): void {
  const fd = fs.openSync(file, 'wx', 0o666);
  try {
    fs.writeFileSync(fd, bytes);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
