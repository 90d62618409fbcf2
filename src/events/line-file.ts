// Appends whole lines to an open file and knows which of them are wholly in it.
import type { FileIo } from './file-io.ts';

/** A line with its LF, and its length in bytes of UTF-8. */
export interface Line {
  readonly text: string;
  readonly bytes: number;
}

export function lineOf(json: string): Line {
  const text = `${json}\n`;
  return { text, bytes: Buffer.byteLength(text) };
}

export function bytesOf(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + line.bytes, 0);
}

export class LineFile {
  readonly #io: FileIo;
  readonly #fd: number;
  /** Whether the file may end in part of a line, so that the next write has to end that one first. */
  #mayBeTorn: boolean;

  constructor(io: FileIo, fd: number, mayBeTorn: boolean) {
    this.#io = io;
    this.#fd = fd;
    this.#mayBeTorn = mayBeTorn;
  }

  get fd(): number {
    return this.#fd;
  }

  /**
   * Appends the lines by one system call and returns how many of them, from the first on, are known to be wholly in
   * the file: all of them, or fewer after a short write. A write that throws may have put in any part of them.
   */
  write(lines: readonly Line[]): number {
    const start = this.#mayBeTorn ? '\n' : '';
    const bytes = Buffer.from(start + lines.map((line) => line.text).join(''));
    this.#mayBeTorn = true;
    const written = this.#io.write(this.#fd, bytes);
    if (written === bytes.length) {
      this.#mayBeTorn = false;
      return lines.length;
    }
    return countWithin(lines, written - start.length);
  }

  sync(): void {
    this.#io.fsync(this.#fd);
  }

  close(): void {
    try {
      this.#io.close(this.#fd);
    } catch {
      // What was fsynced is safe whatever close says; the rest is kept by the caller and written again.
    }
  }
}

/** How many of the lines, from the first on, are wholly within so many bytes. */
export function countWithin(lines: readonly Line[], bytes: number): number {
  let left = bytes;
  let count = 0;
  for (const line of lines) {
    left -= line.bytes;
    if (left < 0) break;
    count += 1;
  }
  return count;
}
