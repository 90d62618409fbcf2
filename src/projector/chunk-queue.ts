// What a pass reads next: chunks for one transaction; and if there is much to read, those of the next one too.
import type { Catalog } from './catalog.ts';
import { MARKER_BYTES, type FileState } from './file-state.ts';
import { CHUNK_BYTES } from './intake.ts';
import type { AheadChunk, ParseAhead } from './parse-ahead.ts';
import { readChunk, readsFrom, type Look } from './reader.ts';
import { isProblem, type LedgerStorage, type Part, type StorageProblem } from './storage.ts';

/** A transaction is closed when it has so many bytes, or files. */
const ROUND_BYTES = 4 * 1_048_576;
/** While others lie in memory, being parsed or read. */
const ROUND_BYTES_AHEAD = ROUND_BYTES / 2;
/** One that is parsed and one that is read: this thread, while it inserts, gets to the steps of reading now and then. */
const ROUNDS_AHEAD = 2;
const ROUND_FILES = 1024;
/** Node serves file calls with four threads. */
const PARALLEL_READS = 4;
/** So many files with little to read are asked for together: a storage that is slow must not seem to hang for it. */
const LITTLE_READS = 64;
/** Most files have little that is new, and are asked for together: no more of each than this, so as not to fill the memory. */
const LITTLE_BYTES = 16_384;
/** Chunks of fewer bytes are parsed where they are needed. */
const AHEAD_BYTES = 65_536;

export interface Chunk {
  path: string;
  read: Part | StorageProblem;
  /** Where it was read to. */
  place: AheadChunk | undefined;
  /** The same if it was handed over. */
  ahead: AheadChunk | undefined;
  /** The file as this chunk will leave it if nothing in it is out of the ordinary and there is more to read. */
  next: FileState | undefined;
  /** Read from where the file turned out not to go on: of no use. */
  isVoid: boolean;
}

/** What was read of a file. */
interface Reading {
  file: FileState;
  read: Part | StorageProblem;
  place: AheadChunk | undefined;
}

export interface ChunkQueueParts {
  catalog: Catalog;
  storage: LedgerStorage;
  limitOf: (path: string) => number;
  /** Called once, when more than `aheadFrom` bytes are to be read. */
  startAhead: () => ParseAhead;
  aheadFrom: number;
}

export class ChunkQueue {
  readonly #parts: ChunkQueueParts;
  readonly #paths: string[];
  /** Read, and not yet done. */
  readonly #open = new Set<Chunk>();
  /** What is being read; a file that was forgotten meanwhile is not in it. */
  readonly #reading = new Map<string, FileState>();
  /** Of files that are read on before what was read of them is done. */
  readonly #next = new Map<string, FileState>();
  /** Files whose next chunk can be read when what was read of them is committed. */
  #again: string[] = [];
  /** Files that have more than a little to read, or of which that is not known to be otherwise. */
  readonly #much = new Set<string>();
  /** The next rounds. */
  readonly #coming: Promise<Chunk[]>[] = [];
  #parser: ParseAhead | undefined;
  #bytes = 0;

  constructor(paths: readonly string[], parts: ChunkQueueParts) {
    this.#parts = parts;
    this.#paths = [...paths];
  }

  /**
   * Chunks for one transaction; those of the transaction before are done and committed. If there is much to read,
   * the ones after are read and parsed meanwhile.
   */
  async take(): Promise<Chunk[]> {
    this.#paths.push(...this.#again);
    this.#again = [];
    let round = (await this.#coming.shift()) ?? [];
    while (round.length === 0 && this.#coming.length > 0) round = (await this.#coming.shift()) ?? [];
    // nothing was left when it was asked for, but something is now
    if (round.length === 0) round = await this.#read();
    while (this.#parser !== undefined && this.#coming.length < ROUNDS_AHEAD) {
      const last = this.#coming.at(-1) ?? Promise.resolve();
      const next = last.then(async () => await this.#read());
      // whoever awaits it next gets the error; a pass that fails before does not come back for it
      next.catch(() => undefined);
      this.#coming.push(next);
    }
    return round;
  }

  /** What came of a chunk; files with more to read go to the end, so that a long one starves no other. */
  done(chunk: Chunk, looked: Look | undefined): void {
    this.#open.delete(chunk);
    chunk.place?.release();
    if (chunk.isVoid) return;
    const { path, next } = chunk;
    const goesOn = looked?.hasMore === true;
    if (goesOn && next !== undefined && isSamePosition(next, looked.file)) return;
    if (next !== undefined) this.#forget(path);
    if (!goesOn) return;
    this.#much.add(path);
    this.#again.push(path);
  }

  async end(): Promise<void> {
    await this.#parser?.end();
  }

  #forget(path: string): void {
    this.#next.delete(path);
    this.#reading.delete(path);
    for (const chunk of this.#open) if (chunk.path === path) chunk.isVoid = true;
    const queued = this.#paths.indexOf(path);
    if (queued !== -1) this.#paths.splice(queued, 1);
  }

  async #read(): Promise<Chunk[]> {
    const chunks: Chunk[] = [];
    const enough = this.#parser === undefined ? ROUND_BYTES : ROUND_BYTES_AHEAD;
    let bytes = 0;
    while (this.#paths.length > 0 && bytes < enough && chunks.length < ROUND_FILES) {
      const readings = await this.#readSome(enough - bytes, ROUND_FILES - chunks.length);
      for (const { read } of readings) bytes += isProblem(read) ? 0 : read.bytes.length;
      for (const reading of readings) {
        if (this.#reading.get(reading.file.path) === reading.file) chunks.push(this.#chunk(reading));
        else reading.place?.release();
      }
    }
    return chunks;
  }

  /** The next files of the queue, and what was read of them. */
  async #readSome(bytes: number, most: number): Promise<Reading[]> {
    const isMuch = this.#much.has(this.#paths[0] ?? '');
    const wanted = isMuch
      ? Math.min(PARALLEL_READS, Math.ceil(bytes / CHUNK_BYTES))
      : Math.min(LITTLE_READS, Math.ceil(bytes / LITTLE_BYTES));
    const paths = this.#takePaths(isMuch, Math.min(most, wanted));
    const files = paths.map((path) => this.#next.get(path) ?? this.#parts.catalog.ensure(path));
    for (const file of files) this.#reading.set(file.path, file);
    const length = isMuch ? CHUNK_BYTES : LITTLE_BYTES;
    const readings = await Promise.all(files.map((file) => this.#readOne(file, length, isMuch)));
    this.#startIfMuch(readings);
    if (isMuch) return readings;
    const isDone = ({ file, read }: Reading): boolean =>
      isProblem(read) || isWhole(file, read, this.#parts.limitOf(file.path));
    // read anew next, all of it: a line that goes on beyond what was read must be seen whole
    const much = readings.filter((reading) => !isDone(reading)).map(({ file }) => file.path);
    for (const path of much) {
      this.#much.add(path);
      this.#reading.delete(path);
    }
    this.#paths.unshift(...much);
    return readings.filter(isDone);
  }

  async #readOne(file: FileState, length: number, isMuch: boolean): Promise<Reading> {
    const { storage, limitOf } = this.#parts;
    const place = isMuch ? this.#parser?.chunk() : undefined;
    const read = await readChunk(file, storage, { limit: limitOf(file.path), length, into: place?.room });
    if (place === undefined || (!isProblem(read) && read.bytes.length >= AHEAD_BYTES))
      return { file, read, place };
    // to hand a few lines over costs more than to parse them, and a place takes megabytes
    const kept = isProblem(read) ? read : { ...read, bytes: Buffer.from(read.bytes) };
    place.release();
    return { file, read: kept, place: undefined };
  }

  /** From the front of the queue, those of one kind. */
  #takePaths(isMuch: boolean, most: number): string[] {
    let count = 0;
    while (
      count < most &&
      count < this.#paths.length &&
      this.#much.has(this.#paths[count] ?? '') === isMuch
    ) {
      count += 1;
    }
    return this.#paths.splice(0, count);
  }

  #startIfMuch(readings: readonly Reading[]): void {
    if (this.#parser !== undefined) return;
    let pending = this.#bytes;
    for (const { file, read } of readings) {
      if (isProblem(read)) continue;
      this.#bytes += read.bytes.length;
      pending += Math.min(read.size, this.#parts.limitOf(file.path)) - file.offset;
    }
    if (pending > this.#parts.aheadFrom) this.#parser = this.#parts.startAhead();
  }

  #chunk({ file, read, place }: Reading): Chunk {
    const { path } = file;
    const chunk: Chunk = { path, read, place, ahead: undefined, next: undefined, isVoid: false };
    this.#open.add(chunk);
    this.#reading.delete(path);
    this.#next.delete(path);
    if (place === undefined || isProblem(read)) return chunk;
    // the middle of a line too long is no chunk that begins with a line
    if (file.scanned > file.offset) return chunk;
    place.begin(read.bytes, file.marker.length);
    chunk.ahead = place;
    chunk.next = this.#after(file, read);
    if (chunk.next !== undefined) {
      this.#next.set(path, chunk.next);
      this.#much.add(path);
      this.#paths.push(path);
    }
    return chunk;
  }

  /** A guess that is checked: where it is wrong, what was read there is void, and read again. */
  #after(file: FileState, { bytes, size }: Part): FileState | undefined {
    const end = bytes.lastIndexOf(0x0a) + 1;
    const offset = file.offset - file.marker.length + end;
    if (offset <= file.offset || offset >= Math.min(size, this.#parts.limitOf(file.path))) return undefined;
    return { ...file, offset, marker: Buffer.from(bytes.subarray(Math.max(0, end - MARKER_BYTES), end)) };
  }
}

function isSamePosition(a: FileState, b: FileState): boolean {
  return a.offset === b.offset && a.scanned === b.scanned && a.marker.length === b.marker.length;
}

/** Whether a read of a little came to all that there is. */
function isWhole(file: FileState, { size, bytes }: Part, limit: number): boolean {
  return readsFrom(file) + bytes.length >= Math.min(size, limit);
}
