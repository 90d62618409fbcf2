// Lines on their way to the ledger: kept until an fsync has succeeded, whatever fails in between.
//
// Memory first, then the spool, then counted drops. The order of lines is kept, so that the header stays first.
import path from 'node:path';
import { errnoOf, messageOf, RunfoldError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import { bytesOf, type Line, type LineFile } from './line-file.ts';
import type { Notices } from './notices.ts';
import type { OwnFile } from './own-file.ts';
import type { Spool } from './spool.ts';

export interface OutboxOptions {
  file: OwnFile;
  spool: Spool;
  notices: Notices;
  /** Milliseconds of a clock that is never set back. */
  monotonic: () => number;
  /** What may wait in memory. */
  maxBytes: number;
}

const RETRY_MS = 1000;
/** Lines are kept in memory until they are fsynced, so that is done early when there are many. */
const SYNC_BYTES = 1_048_576;
/** How much of the spool goes back in one flush, which holds the training for that long. */
const DRAIN_BYTES = 16 * 1_048_576;
/** After these errors the open file is as good as before; after any other it is opened anew. */
const FILE_IS_FINE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EINTR', 'EAGAIN']);

export class Outbox {
  readonly #options: OutboxOptions;
  #file: LineFile | undefined;
  #header: Line | undefined;
  #queued: Line[] = [];
  #queuedBytes = 0;
  /** Written, but not yet fsynced. */
  #unsynced: Line[] = [];
  #unsyncedBytes = 0;
  #failure: unknown;
  #retryAt = 0;
  #spoolRetryAt = 0;
  #dropped = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get isAllWritten(): boolean {
    return this.#queued.length === 0 && !this.isFailing;
  }

  get isAllDurable(): boolean {
    return this.isAllWritten && this.#unsynced.length === 0;
  }

  get isFailing(): boolean {
    return this.#failure !== undefined;
  }

  /** When, by the monotonic clock, a failing ledger is tried again. */
  get retryAt(): number {
    return this.#retryAt;
  }

  /** How many lines are lost for good. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Opens the file, then takes its first line, which may depend on how that went. */
  begin(header: () => Line): void {
    try {
      this.#file = this.#options.file.open();
    } catch (error) {
      this.#fail(error);
    }
    this.#header = header();
    this.add(this.#header);
  }

  add(line: Line): void {
    this.#queued.push(line);
    this.#queuedBytes += line.bytes;
    if (this.#queuedBytes > this.#options.maxBytes) this.#spill();
  }

  /**
   * Writes all that waits, and makes it durable if asked. True if that was done. While the ledger fails it is
   * tried at most once a second.
   */
  deliver(durable: boolean): boolean {
    if (!this.isFailing || this.#options.monotonic() >= this.#retryAt)
      return this.#attempt(durable, DRAIN_BYTES);
    this.#spillIfNoLedger();
    return false;
  }

  /** The last attempt: what the ledger does not take goes to the spool, and where it is gets said. */
  finish(): void {
    const isDone = (this.isAllDurable && this.#options.spool.lines === 0) || this.#attempt(true, Infinity);
    if (!isDone) {
      this.#giveUpFile();
      this.#spoolRetryAt = 0;
      this.#spill();
      this.#dropBeyond(0);
    }
    this.#file?.close();
    this.#file = undefined;
    this.#sayHowItEnded(this.#options.spool.sync());
  }

  #attempt(durable: boolean, drainBytes: number): boolean {
    try {
      const file = (this.#file ??= this.#options.file.open());
      if (!this.#drain(file, drainBytes)) return false;
      this.#write(file);
      if (durable || this.#unsyncedBytes > SYNC_BYTES) this.#sync(file);
    } catch (error) {
      this.#fail(error);
      return false;
    }
    this.#recover();
    return true;
  }

  /** Brings the spool in, before what was logged after it. True if nothing is left in it. */
  #drain(file: LineFile, maxBytes: number): boolean {
    const { spool } = this.#options;
    let bytes = 0;
    for (let chunk = spool.peek(); chunk !== undefined; chunk = spool.peek()) {
      if (bytes >= maxBytes) return false;
      const whole = file.write(chunk.lines);
      if (whole < chunk.lines.length) throw shortWrite();
      this.#sync(file);
      spool.drop(chunk);
      bytes += chunk.bytes;
    }
    spool.clear();
    return true;
  }

  #write(file: LineFile): void {
    while (this.#queued.length > 0) {
      const whole = this.#queued.splice(0, file.write(this.#queued));
      const bytes = bytesOf(whole);
      this.#queuedBytes -= bytes;
      for (const line of whole) this.#unsynced.push(line);
      this.#unsyncedBytes += bytes;
      if (whole.length === 0) throw shortWrite();
    }
  }

  #sync(file: LineFile): void {
    try {
      file.sync();
    } catch (error) {
      // The kernel may have thrown the pages away and will not say so again: what is not fsynced is written again.
      this.#giveUpFile();
      throw error;
    }
    this.#unsynced = [];
    this.#unsyncedBytes = 0;
  }

  #giveUpFile(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#queued = [...this.#unsynced, ...this.#queued];
    this.#queuedBytes += this.#unsyncedBytes;
    this.#unsynced = [];
    this.#unsyncedBytes = 0;
  }

  #fail(error: unknown): void {
    const isFine = FILE_IS_FINE.has(errnoOf(error) ?? '') || isShortWrite(error);
    if (!isFine) this.#giveUpFile();
    else if (this.#file !== undefined && this.#unsynced.length > 0) this.#syncInSpiteOf(this.#file);
    this.#failure = error;
    this.#retryAt = this.#options.monotonic() + RETRY_MS;
    this.#spillIfNoLedger();
    if (this.#queuedBytes > this.#options.maxBytes) this.#spill();
    this.#sayFailure(error);
  }

  /** A full disk takes no more lines, but the ones that it took have to become durable all the same. */
  #syncInSpiteOf(file: LineFile): void {
    try {
      this.#sync(file);
    } catch {
      // #sync has put the lines back into the queue; the error that led here is the one that is said.
    }
  }

  #recover(): void {
    if (!this.isFailing) return;
    this.#failure = undefined;
    const lost = this.#dropped === 0 ? 'nothing was lost' : `${this.#dropped} events were lost meanwhile`;
    this.#options.notices.once('recovered', `${this.#options.file.path} can be written again; ${lost}`);
  }

  /** Without a ledger there is nothing to wait for: what a SIGKILL would take goes to the disk at once. */
  #spillIfNoLedger(): void {
    if (this.#failure instanceof RunfoldError) this.#spill();
  }

  #spill(): void {
    const { spool, monotonic, maxBytes } = this.#options;
    if (this.#header !== undefined && this.#queued.length > 0 && monotonic() >= this.#spoolRetryAt) {
      const taken = this.#queued.splice(0, spool.append(this.#queued, this.#header));
      this.#queuedBytes -= bytesOf(taken);
      if (spool.problem !== undefined) this.#spoolRetryAt = monotonic() + RETRY_MS;
    }
    this.#dropBeyond(maxBytes);
  }

  /** The newest go: without the header, which is the oldest, all others would be worth nothing. */
  #dropBeyond(bytes: number): void {
    const before = this.#dropped;
    while (this.#queuedBytes > bytes) {
      this.#queuedBytes -= this.#queued.pop()?.bytes ?? 0;
      this.#dropped += 1;
    }
    if (this.#dropped > before && bytes > 0) this.#sayDropping();
  }

  #sayFailure(error: unknown): void {
    const { notices, file, spool, maxBytes } = this.#options;
    if (error instanceof RunfoldError) {
      const then = `${error.hint ?? ''} Then bring them in: ${this.#mend()}`;
      notices.once(
        'failing',
        `${error.message}. The program goes on, its events are kept in ${spool.path}. ${then}`,
      );
      return;
    }
    const kept = `up to ${maxBytes} bytes in memory, then in ${spool.path}`;
    const next = `events are kept (${kept}) and it is tried again every second`;
    notices.once('failing', `cannot write ${file.path}: ${messageOf(error)}; ${next}`);
  }

  #sayDropping(): void {
    const { notices, spool } = this.#options;
    const why = spool.problem ?? 'unknown';
    notices.once(
      'dropping',
      `the buffer is full and so is ${spool.path} (${why}): new events are dropped and counted`,
    );
  }

  #sayHowItEnded(isSpoolDurable: boolean): void {
    const { notices, file, spool } = this.#options;
    const waiting = spool.lines;
    if (waiting === 0 && this.#dropped === 0) return;
    const parts: string[] = [];
    if (this.isFailing) parts.push(`${file.path} could not be written (${messageOf(this.#failure)})`);
    if (waiting > 0) {
      const doubt = isSpoolDurable ? '' : ` (which could not be fsynced: ${spool.problem ?? ''})`;
      const mend = `when there is a log that can be written: ${this.#mend()}`;
      parts.push(`${waiting} events are in ${spool.path}${doubt}; ${mend}`);
    }
    if (this.#dropped > 0) {
      const why = spool.problem === undefined ? '' : ` (${spool.path}: ${spool.problem})`;
      parts.push(`${this.#dropped} events are lost${why}`);
    }
    notices.always(parts.join('; '));
  }

  #mend(): string {
    const { file, spool } = this.#options;
    const into = file.path;
    return `mkdir -p ${shellWord(path.dirname(into))} && cat ${shellWord(spool.path)} >> ${shellWord(into)}`;
  }
}

const SHORT_WRITE = 'only a part of the data could be written';

function shortWrite(): Error {
  return new Error(SHORT_WRITE);
}

function isShortWrite(error: unknown): boolean {
  return messageOf(error) === SHORT_WRITE;
}
