// Reading a file that a job writes: never one that is no regular file, never more than was asked for.
import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { errnoOf, messageOf } from '../../errors.ts';

const CHUNK = 65_536;
/** How far back from its end a file is searched for the beginning of a line. */
export const FARTHEST_BACK = 8 * 1_048_576;
const LF = 10;

export interface OutputFile extends AsyncDisposable {
  handle: FileHandle;
  size: number;
  /** Another one: it is another file of that name. */
  identity: string;
}

/** Why it cannot be read, as a sentence goes on after the path. */
export interface Unreadable {
  why: string;
  isMissing: boolean;
}

/** Follows symbolic links; the path may be of anything, and a FIFO or a device is not opened. */
export async function openOutput(path: string): Promise<OutputFile | Unreadable> {
  try {
    if (!(await stat(path)).isFile()) return NOT_REGULAR;
    // it may have been replaced since: then at least it does not wait for a writer
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const { size, dev, ino, ...found } = await handle.stat().catch(async (error: unknown) => {
      await handle.close();
      throw error;
    });
    const close = (): Promise<void> => handle.close();
    if ((found.mode & constants.S_IFMT) === constants.S_IFREG)
      return { handle, size, identity: `${dev}:${ino}`, [Symbol.asyncDispose]: close };
    await close();
    return NOT_REGULAR;
  } catch (error) {
    const code = errnoOf(error);
    return { why: REASONS[code ?? ''] ?? messageOf(error), isMissing: code === 'ENOENT' };
  }
}

const NOT_REGULAR: Unreadable = { why: 'is no regular file', isMissing: false };
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  ENOTDIR: 'is not there',
  EACCES: 'may not be read: no permission',
  EPERM: 'may not be read: no permission',
  ELOOP: 'is a symbolic link that leads nowhere',
  ESTALE: 'is gone from the file server',
};

export function isUnreadable(outcome: OutputFile | Unreadable): outcome is Unreadable {
  return 'why' in outcome;
}

/** Where the last so many lines begin, and whether that is farther back than was looked. */
export async function beginningOfLast(
  { handle, size }: OutputFile,
  lines: number,
): Promise<{ at: number; isCut: boolean }> {
  if (lines === 0) return { at: size, isCut: false };
  let [end, ends] = [size, 0];
  let firstSeen = size;
  while (end > 0) {
    if (size - end >= FARTHEST_BACK) return { at: firstSeen === size ? end : firstSeen, isCut: true };
    const from = Math.max(0, end - CHUNK);
    const block = await readFully(handle, from, end - from);
    for (let at = block.lastIndexOf(LF); at !== -1; at = at === 0 ? -1 : block.lastIndexOf(LF, at - 1)) {
      // the end of the last line begins no further one
      if (from + at === size - 1) continue;
      ends += 1;
      firstSeen = from + at + 1;
      if (ends === lines) return { at: firstSeen, isCut: false };
    }
    end = from;
  }
  return { at: 0, isCut: false };
}

/** From a place up to the size that the file had when it was opened, or what is left of it. */
export async function* chunksOf({ handle, size }: OutputFile, from: number): AsyncGenerator<Buffer> {
  for (let at = from; at < size;) {
    const chunk = await readFully(handle, at, Math.min(CHUNK, size - at));
    if (chunk.length === 0) return;
    at += chunk.length;
    yield chunk;
  }
}

/** Fewer bytes only at the end of the file. */
async function readFully(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
