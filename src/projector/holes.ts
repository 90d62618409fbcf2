// Lines with NUL bytes: pages that NFS has not brought yet, mostly. When to wait, when to give up.
import type { Clock } from '../clock.ts';
import { epochMs } from '../events/timestamp.ts';
import { parseLine } from '../events/parse.ts';
import type { FileState } from './file-state.ts';
import type { Range } from './file-store.ts';
import { contentEnd, nextLineFeed } from './framing.ts';
import { HOLE_PATIENCE_MS } from './pace.ts';
import { isProblem, type LedgerStorage } from './storage.ts';

const LOOKAHEAD_BYTES = 4 * 1_048_576;

/** Decides about holes, and remembers how far it has looked beyond one that still waits. */
export class HoleKeeper {
  readonly #storage: LedgerStorage;
  readonly #clock: Clock;
  readonly #looked = new Map<string, { hole: number; cursor: number }>();

  constructor(storage: LedgerStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /**
   * Whether a complete line with a NUL byte is given up: the file has not changed for 15 minutes, or a valid
   * line after it was written 15 minutes after the last one before it, or it was given up before.
   * Never because the reader itself has waited.
   */
  async isGivenUp(file: FileState, hole: Range): Promise<boolean> {
    const end = hole.offset + hole.length;
    if (end <= file.holesUntil) return true;
    if (this.#clock.now() - file.mtimeMs >= HOLE_PATIENCE_MS) return true;
    return file.lastTs !== null && (await this.#hasLaterLine(file.path, hole, epochMs(file.lastTs)));
  }

  /** Looks on from where it stopped last time: everything before that cursor was too early. */
  async #hasLaterLine(path: string, hole: Range, lastMs: number): Promise<boolean> {
    const known = this.#looked.get(path);
    let cursor = known?.hole === hole.offset ? known.cursor : hole.offset + hole.length;
    const part = await this.#storage.read(path, cursor, LOOKAHEAD_BYTES);
    if (isProblem(part)) return false;
    const { bytes } = part;
    let at = 0;
    for (let lf = nextLineFeed(bytes, 0); lf !== -1; lf = nextLineFeed(bytes, at)) {
      const parsed = parseLine(bytes.subarray(at, contentEnd(bytes, at, lf)));
      at = lf + 1;
      if (parsed.kind !== 'event' || epochMs(parsed.event.ts) - lastMs < HOLE_PATIENCE_MS) continue;
      this.#looked.delete(path);
      return true;
    }
    // without any LF this is the inside of a line too long to be valid
    cursor += at === 0 && bytes.length === LOOKAHEAD_BYTES ? bytes.length : at;
    this.#looked.set(path, { hole: hole.offset, cursor });
    return false;
  }

  /** Whether a range that was given up is no longer one line with a NUL byte, so that the file is read again. */
  async hasChanged(path: string, hole: Range): Promise<boolean> {
    const end = hole.offset + hole.length;
    let hasNul = false;
    // bit by bit, for a hole may be larger than the memory
    for (let at = hole.offset; at < end;) {
      const part = await this.#storage.read(path, at, Math.min(LOOKAHEAD_BYTES, end - at));
      if (isProblem(part) || part.size < end || part.bytes.length === 0) return false;
      const lf = nextLineFeed(part.bytes, 0);
      if (lf !== -1 && at + lf !== end - 1) return true;
      hasNul ||= part.bytes.includes(0);
      at += part.bytes.length;
      if (at === end) return lf === -1 || !hasNul;
    }
    return false;
  }
}
