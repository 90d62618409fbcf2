// A chunk of a file's bytes -> events, rejections and the new state of the file, within one transaction.
import { crc32 } from 'node:zlib';
import type { Event } from '../events/event.ts';
import { MAX_LINE_BYTES, rejected, type ParsedLine } from '../events/parse.ts';
import { isoTime, type Clock } from '../clock.ts';
import { admit, opened, openedByHand, type Seen, type Verdict } from './admit.ts';
import { MARKER_BYTES, misplaced, withStatus, type FileState } from './file-state.ts';
import type { FileStore, Range, RejectedLine } from './file-store.ts';
import { contentEnd, lineParser, nextLineFeed } from './framing.ts';
import type { HoleKeeper } from './holes.ts';
import { ColumnReader, type MetricLine, type PlainLines } from './column-reader.ts';
import type { SpacedColumns } from './metric-columns.ts';
import { CannotReread, SeenLines } from './seen-lines.ts';
import type { LedgerStorage } from './storage.ts';
import type { Trust } from './trust.ts';

/** Enough for the longest line with its terminator, so that a chunk without LF is a line too long. */
export const CHUNK_BYTES = MAX_LINE_BYTES + 2;
const EXCERPT_BYTES = 200;

/** What one chunk of one file came to. */
export interface Batch {
  file: FileState;
  lines: number;
  events: number;
  rejected: number;
}

/** Where a line goes as soon as it is judged: nothing piles up between reading and the tables. */
export interface LineSink {
  /** `extraJson` is that of a MetricLine, if the event is from one. */
  event(file: FileState, event: Event, seq: number, extraJson: string | null | undefined): void;
  /** Lines of a writer, all of which count. */
  metrics(file: FileState, lines: PlainLines): void;
  reject(path: string, line: RejectedLine): void;
  /** Takes back the rows of a file, because `file` is the writer that it claimed to be. */
  displace(other: string, file: FileState): void;
  /** Takes back what was noted of a file that turns out to be misplaced. */
  misplace(path: string): void;
}

export interface IntakeContext {
  sink: LineSink;
  storage: LedgerStorage;
  store: FileStore;
  holes: HoleKeeper;
  trust: Pick<Trust, 'whyNot'>;
  clock: Clock;
  /** The other file whose header names this writer, as this round has left it. */
  claimant(writer: string, path: string): FileState | undefined;
}

/**
 * `bytes` begin at the file's `scanned` if that is beyond its `offset`, else at its `offset`. Lines that are in
 * `ahead` are not parsed again.
 */
export async function intake(
  file: FileState,
  bytes: Buffer,
  context: IntakeContext,
  ahead?: SpacedColumns,
): Promise<Batch> {
  const run = new Intake(file, bytes, context, ahead);
  await run.consume();
  return run.finish();
}

type Line = MetricLine | (ParsedLine & { extraJson?: undefined });

class Intake {
  readonly #context: IntakeContext;
  readonly #bytes: Buffer;
  readonly #base: number;
  readonly #seen: SeenLines;
  readonly #ahead: ColumnReader | undefined;
  readonly #parse: (start: number, end: number) => Line;
  #file: FileState;
  #lines = 0;
  #events = 0;
  #rejected = 0;
  /** The index up to which `crc` and `marker` have been brought. */
  #counted = 0;

  constructor(file: FileState, bytes: Buffer, context: IntakeContext, ahead: SpacedColumns | undefined) {
    this.#context = context;
    this.#bytes = bytes;
    this.#base = Math.max(file.offset, file.scanned);
    this.#seen = new SeenLines(file, context.store, context.storage);
    // a hole that was waited for may be gone by now
    this.#file = withStatus({ ...file }, 'live', null, isoTime(context.clock.now()));
    this.#ahead = ahead && new ColumnReader(ahead);
    this.#parse = parserOf(bytes, this.#ahead);
  }

  finish(): Batch {
    if (this.#file.state !== 'misplaced') this.#seen.save();
    const file = { ...this.#file, stretch: this.#seen.current };
    // it may be a slice of a long text, which would be kept with it
    if (file.lastTs !== null) file.lastTs = Buffer.from(file.lastTs, 'latin1').toString('latin1');
    return { file, lines: this.#lines, events: this.#events, rejected: this.#rejected };
  }

  async consume(): Promise<void> {
    const bytes = this.#bytes;
    let at = 0;
    let nul = bytes.indexOf(0);
    if (this.#file.scanned > this.#file.offset) {
      const lf = nextLineFeed(bytes, 0);
      if (lf === -1) return this.#scanOn(0);
      if (!(await this.#endLongLine(lf))) return;
      at = lf + 1;
    }
    for (;;) {
      if (nul === -1) at = this.#takePlain(at);
      const lf = nextLineFeed(bytes, at);
      if (lf === -1) break;
      while (nul !== -1 && nul < at) nul = bytes.indexOf(0, nul + 1);
      const hasNul = nul !== -1 && nul < lf;
      const goesOn = hasNul ? this.#takeHole(at, lf) : this.#takeLine(at, lf);
      // hardly ever a promise: waiting for each line would cost more than reading it
      if (typeof goesOn === 'boolean' ? !goesOn : !(await goesOn)) return;
      at = lf + 1;
    }
    this.#count(at);
    if (bytes.length - at >= CHUNK_BYTES) this.#scanOn(at);
  }

  /** Takes the lines at `at` that need no judging one by one; returns where the next one is. */
  #takePlain(at: number): number {
    const file = this.#file;
    if (file.kind !== 'writer' || file.closedSeq !== null) return at;
    const lines = this.#ahead?.linesAt(at, file.maxSeq + 1);
    if (lines === undefined) return at;
    const { count } = lines;
    for (let nth = 0; nth < count; nth += 1) {
      this.#seen.add(file.maxSeq + 1 + nth, this.#base + lines.startOf(nth));
    }
    this.#context.sink.metrics(file, lines);
    this.#lines += count;
    this.#events += count;
    file.events += count;
    file.maxSeq += count;
    file.lastTs = lines.lastTs;
    return nextLineFeed(this.#bytes, lines.end) + 1;
  }

  /** The line at `offset` has no LF up to the end of the chunk, though no line may be as long. */
  #scanOn(from: number): void {
    const file = this.#file;
    file.scanned = this.#base + this.#bytes.length;
    file.scannedNul ||= this.#bytes.includes(0, from);
    if (file.scannedNul) this.#wait('nul_hole');
  }

  async #endLongLine(lf: number): Promise<boolean> {
    const file = this.#file;
    const length = this.#base + lf + 1 - file.offset;
    const nul = this.#bytes.indexOf(0);
    if (file.scannedNul || (nul !== -1 && nul < lf)) {
      if (!(await this.#giveUp({ offset: file.offset, length }))) return false;
    } else this.#reject({ offset: file.offset, length }, rejected('too_long', tooLong(length)), 0, 0);
    this.#skipTo(lf + 1);
    return true;
  }

  /** False if the hole is waited for: nothing after it is read either. */
  async #takeHole(at: number, lf: number): Promise<boolean> {
    this.#count(at);
    if (!(await this.#giveUp(this.#rangeOf(at, lf)))) return false;
    this.#skipTo(lf + 1);
    return true;
  }

  async #giveUp(range: Range): Promise<boolean> {
    if (!(await this.#context.holes.isGivenUp(this.#file, range))) {
      this.#wait('nul_hole');
      return false;
    }
    this.#reject(range, rejected('nul_hole', `${range.length} bytes with NUL bytes among them`), 0, 0);
    return true;
  }

  #wait(reason: string): void {
    this.#file = withStatus(this.#file, 'live', reason, isoTime(this.#context.clock.now()));
  }

  /** Goes on at `index` without counting the bytes before it: they are of a hole or of a line too long. */
  #skipTo(index: number): void {
    const file = this.#file;
    file.offset = this.#base + index;
    file.scanned = 0;
    file.scannedNul = false;
    file.marker = Buffer.alloc(0);
    this.#counted = index;
    this.#lines += 1;
  }

  /** Brings `offset`, `crc` and `marker` up to `index`. */
  #count(index: number): void {
    if (index <= this.#counted) return;
    const file = this.#file;
    const bytes = this.#bytes.subarray(this.#counted, index);
    file.crc = crc32(bytes, file.crc);
    file.marker =
      bytes.length >= MARKER_BYTES
        ? Buffer.from(bytes.subarray(-MARKER_BYTES))
        : Buffer.concat([file.marker, bytes]).subarray(-MARKER_BYTES);
    file.offset = this.#base + index;
    this.#counted = index;
  }

  /** False if the file is not read on. */
  #takeLine(at: number, lf: number): boolean | Promise<boolean> {
    const end = contentEnd(this.#bytes, at, lf);
    if (end === at) return true;
    this.#lines += 1;
    if (end - at > MAX_LINE_BYTES) {
      this.#count(at);
      const range = this.#rangeOf(at, lf);
      this.#reject(range, rejected('too_long', tooLong(range.length)), 0, 0);
      this.#skipTo(lf + 1);
      this.#lines -= 1;
      return true;
    }
    const parsed = this.#parse(at, end);
    const seen = this.#lookUp(parsed, at, end);
    if (seen === 'new') return this.#decide(parsed, seen, at, lf);
    return seen.then(
      (known) => this.#decide(parsed, known, at, lf),
      (error: unknown) => this.#stopBefore(at, error),
    );
  }

  #rangeOf(at: number, lf: number): Range {
    return { offset: this.#base + at, length: lf + 1 - at };
  }

  /** The line that this one may repeat cannot be read just now: both are looked at again in the next pass. */
  #stopBefore(at: number, error: unknown): false {
    if (!(error instanceof CannotReread)) throw error;
    this.#count(at);
    this.#file = withStatus(this.#file, 'missing', error.problem.reason, isoTime(this.#context.clock.now()));
    return false;
  }

  #decide(parsed: Line, seen: Seen, at: number, lf: number): boolean {
    const verdict = admit(this.#file, parsed, seen, this.#claimant);
    if (verdict.kind !== 'apply') return this.#obey(verdict, at, lf);
    if (parsed.kind === 'event') this.#apply(parsed.event, this.#base + at, parsed.extraJson);
    return true;
  }

  readonly #claimant = (writer: string): FileState | undefined =>
    this.#context.claimant(writer, this.#file.path);

  #lookUp(parsed: Line, at: number, end: number): 'new' | Promise<Seen> {
    if (parsed.kind !== 'event' || this.#file.kind !== 'writer') return 'new';
    const seq = parsed.event.seq ?? 0;
    if (seq === 0 || seq > this.#file.maxSeq) return 'new';
    return this.#seen.compare(seq, this.#bytes.subarray(at, end), this.#base + at);
  }

  #obey(verdict: Exclude<Verdict, { kind: 'apply' }>, at: number, lf: number): boolean {
    const file = this.#file;
    switch (verdict.kind) {
      case 'header':
        this.#file = opened(file, verdict.event);
        if (verdict.displaces !== undefined) this.#context.sink.displace(verdict.displaces, this.#file);
        this.#apply(verdict.event, this.#base + at);
        return true;
      case 'repeat':
        file.repeats += 1;
        file.lastTs = verdict.ts;
        return true;
      case 'unknown':
        file.unknown += 1;
        if (verdict.seq !== null) this.#seen.addUnknown(verdict.seq, this.#base + at);
        return true;
      case 'rejected':
        this.#reject(this.#rangeOf(at, lf), verdict, at, contentEnd(this.#bytes, at, lf));
        return true;
      case 'stop':
        this.#count(at);
        this.#reject(this.#rangeOf(at, lf), verdict, at, contentEnd(this.#bytes, at, lf));
        this.#file = withStatus(this.#file, 'frozen', verdict.code, isoTime(this.#context.clock.now()));
        return false;
      case 'misplaced':
        this.#file = misplaced(file, verdict.reason, verdict.rival, isoTime(this.#context.clock.now()));
        this.#context.sink.misplace(this.#file.path);
        this.#rejected = 0;
        return false;
    }
  }

  #apply(event: Event, offset: number, extraJson?: string | null): void {
    if (this.#file.kind === null) this.#file = openedByHand(this.#file);
    const file = this.#file;
    // the byte offset numbers the lines of a file without a header
    const seq = file.kind === 'writer' ? (event.seq ?? 0) : offset;
    // the header and the end are the file's own: what people count is what they logged
    const isLogged = event.type !== 'writer_opened' && event.type !== 'writer_closed';
    if (isLogged) {
      file.events += 1;
      this.#events += 1;
    }
    file.lastTs = event.ts;
    if (file.kind === 'writer') {
      this.#seen.add(seq, offset);
      if (file.closedSeq !== null && seq > file.closedSeq) file.afterClose += 1;
      if (event.type === 'writer_closed') file.closedSeq ??= seq;
      if (seq > file.maxSeq) file.maxSeq = seq;
    }
    this.#context.sink.event(file, event, seq, extraJson);
  }

  #reject(
    range: Range,
    { code, message }: { code: RejectedLine['code']; message: string },
    start: number,
    end: number,
  ): void {
    // a hole may fill, and of a line too long this may be any chunk: neither has an excerpt
    const excerpt = this.#bytes.subarray(start, Math.min(end, start + EXCERPT_BYTES)).toString('utf8');
    this.#context.sink.reject(this.#file.path, { ...range, code, message, excerpt });
    this.#rejected += 1;
  }
}

function tooLong(length: number): string {
  return `line of ${length} bytes; at most ${MAX_LINE_BYTES} are read`;
}

function parserOf(bytes: Buffer, ahead: ColumnReader | undefined): (start: number, end: number) => Line {
  const parse = lineParser(bytes);
  return ahead === undefined ? parse : (start, end) => ahead.lineAt(start, end) ?? parse(start, end);
}
