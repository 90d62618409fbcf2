// Which seq of a file have been seen, and whether a line with one of them is the same line again.
import { parseLine } from '../events/parse.ts';
import type { Seen } from './admit.ts';
import type { FileState, Stretch } from './file-state.ts';
import type { FileStore } from './file-store.ts';
import { contentEnd } from './framing.ts';
import { isProblem, type LedgerStorage, type StorageProblem } from './storage.ts';

/** A stretch is cut here, so that finding one of its lines again reads no more than this many. */
const STRETCH_LINES = 1000;
const READ_BYTES = 1_048_576 + 2;
const LF = 0x0a;

/** Thrown by `compare` if the file cannot be read just now. */
export class CannotReread extends Error {
  readonly problem: StorageProblem;

  constructor(problem: StorageProblem) {
    super(`${problem.path}: ${problem.reason}`);
    this.problem = problem;
  }
}

/** The seq of one file over one batch; what is new is handed to the store when the batch commits. */
export class SeenLines {
  readonly #path: string;
  readonly #store: FileStore;
  readonly #storage: LedgerStorage;
  readonly #dirty = new Set<Stretch>();
  readonly #unknown: Stretch[] = [];
  #current: Stretch | undefined;
  #reread: { stretch: Stretch; lines: Map<number, Buffer> } | undefined;

  constructor(file: FileState, store: FileStore, storage: LedgerStorage) {
    this.#path = file.path;
    this.#store = store;
    this.#storage = storage;
    const current = file.stretch === undefined ? store.lastStretch(file.path) : file.stretch;
    // a copy, for the batch may fail
    this.#current = current ? { ...current } : undefined;
    if (this.#current !== undefined) this.#dirty.add(this.#current);
  }

  /** The stretch that the next batch may continue. */
  get current(): Stretch | null {
    return this.#current ?? null;
  }

  add(seq: number, offset: number): void {
    const current = this.#current;
    const follows = current !== undefined && seq === current.last + 1;
    if (follows && seq - current.first < STRETCH_LINES) current.last = seq;
    else {
      this.#current = { first: seq, last: seq, offset };
      this.#dirty.add(this.#current);
    }
  }

  addUnknown(seq: number, offset: number): void {
    this.#unknown.push({ first: seq, last: seq, offset });
  }

  /** Looks at a line at `offset` whose seq is not above all before it. */
  async compare(seq: number, bytes: Buffer, offset: number): Promise<Seen> {
    const stretch = this.#find(seq);
    if (stretch === undefined) return 'new';
    if (this.#reread?.stretch.offset !== stretch.offset || !this.#reread.lines.has(seq)) {
      this.#reread = { stretch, lines: await this.#linesFrom(stretch, offset) };
    }
    const earlier = this.#reread.lines.get(seq);
    return earlier?.equals(bytes) === true ? 'equal' : 'different';
  }

  save(): void {
    for (const stretch of this.#dirty) this.#store.saveStretch(this.#path, stretch, 0);
    for (const stretch of this.#unknown) this.#store.saveStretch(this.#path, stretch, 1);
  }

  #find(seq: number): Stretch | undefined {
    for (const stretch of this.#dirty) {
      if (stretch.first <= seq && seq <= stretch.last) return stretch;
    }
    return this.#store.findStretch(this.#path, seq);
  }

  /** Its lines are all before `limit`: beyond it are others with their seq, which must not stand in for them. */
  async #linesFrom(stretch: Stretch, limit: number): Promise<Map<number, Buffer>> {
    const lines = new Map<number, Buffer>();
    let from = stretch.offset;
    while (lines.size <= stretch.last - stretch.first) {
      const part = await this.#storage.read(this.#path, from, Math.min(READ_BYTES, limit - from));
      if (isProblem(part)) throw new CannotReread(part);
      const end = part.bytes.lastIndexOf(LF) + 1;
      if (end > 0) collect(part.bytes.subarray(0, end), stretch, lines);
      // a chunk without LF is the inside of a line that is too long
      const read = end > 0 ? end : part.bytes.length;
      if (read === 0)
        throw new CannotReread({ path: this.#path, reason: 'a line that was read is not there' });
      from += read;
    }
    return lines;
  }
}

/** The first line with a seq is the one that was applied: a conflicting one can only come after it. */
function collect(bytes: Buffer, stretch: Stretch, lines: Map<number, Buffer>): void {
  for (let at = 0; at < bytes.length;) {
    const lf = bytes.indexOf(LF, at);
    const content = bytes.subarray(at, contentEnd(bytes, at, lf));
    at = lf + 1;
    const parsed = content.length === 0 ? undefined : parseLine(content);
    if (parsed?.kind !== 'event') continue;
    const { event } = parsed;
    const seq = event.seq ?? 0;
    if (event.type === 'writer_closed' && event.events !== seq - 1) continue;
    if (stretch.first <= seq && seq <= stretch.last && !lines.has(seq)) lines.set(seq, content);
  }
}
