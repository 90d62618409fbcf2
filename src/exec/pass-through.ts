// Copies what the command prints to where this process prints, byte for byte and no faster than it is read there.
import * as fs from 'node:fs';
import type { Readable } from 'node:stream';
import { errnoOf, messageOf } from '../errors.ts';

/** What may wait for a slow reader. */
const HIGH_WATER_BYTES = 1_048_576;
const RETRY_MS = 5;
/** After the command has ended a background process of it may hold its output open; it is not waited for. */
const QUIET_MS = 500;
/** Nor for as long as it goes on printing. */
const DRAIN_MS = 2000;
const LAST_WRITE_MS = 100;
/** More than a pipe holds: what comes after that is not the command's. */
const AFTER_END_BYTES = 2 * 1_048_576;

export interface PassThroughOptions {
  source: Readable;
  /**
   * Written with calls that may block, on a thread: making it non-blocking would make it so for all who share it, such
   * as the job script.
   */
  fd: number;
  /** Sees all that comes. */
  see: (chunk: Uint8Array) => void;
  say: (text: string) => void;
  /** For tests. */
  write?: Write;
}

type Write = (fd: number, chunks: Buffer[], done: (error: Error | null, written: number) => void) => void;

export class PassThrough {
  /** When all that the command has printed was seen here. Never rejects. */
  readonly seen: Promise<void>;
  /** When it was written, too. Never rejects. */
  readonly written: Promise<void>;
  readonly #options: PassThroughOptions;
  #queue: Buffer[] = [];
  #queued = 0;
  #isWriting = false;
  #isOver = false;
  #isLost = false;
  #afterEnd: number | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #isLate = false;
  #isHeld = false;
  #resolveSeen: () => void = () => undefined;
  #resolveWritten: () => void = () => undefined;

  constructor(options: PassThroughOptions) {
    this.#options = options;
    this.seen = new Promise((resolve) => (this.#resolveSeen = resolve));
    this.written = new Promise((resolve) => (this.#resolveWritten = resolve));
    const { source } = options;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.once('end', () => this.#over());
    source.once('error', () => this.#over());
    source.once('close', () => this.#over());
  }

  /** The command has ended: only what it has left in the pipe is still to come. */
  ended(): void {
    if (this.#isOver) return;
    this.#afterEnd = 0;
    this.#deadline = setTimeout(() => this.#late(), DRAIN_MS);
    this.#awaitQuiet();
  }

  /** Gives up what is not yet seen or written. */
  abandon(): void {
    this.#queue = [];
    this.#over();
    // a write that is on its way may well be done; one that nobody reads is not waited for
    if (this.#isWriting) setTimeout(() => this.#resolveWritten(), LAST_WRITE_MS);
  }

  /** Whether a thread hangs in a write, for which an ordinary end of the process would wait. */
  get isStuck(): boolean {
    return this.#isWriting;
  }

  /** Whether another process still had the command's output open when this has stopped to read it. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** A reader that has stopped, as `less` does, can still have what is in the pipe when it goes on. */
  #late(): void {
    if (this.#options.source.isPaused()) this.#isLate = true;
    else this.#leave();
  }

  #leave(): void {
    this.#isHeld = !this.#isOver;
    this.#over();
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#options.see(chunk);
    if (!this.#isLost) {
      this.#queue.push(chunk);
      this.#queued += chunk.length;
      if (this.#queued > HIGH_WATER_BYTES) this.#options.source.pause();
      this.#write();
    }
    if (this.#afterEnd === undefined) return;
    this.#afterEnd += chunk.length;
    if (this.#afterEnd > AFTER_END_BYTES) this.#leave();
    else if (!this.#isLate) this.#awaitQuiet();
  }

  #awaitQuiet(): void {
    clearTimeout(this.#quiet);
    if (this.#isOver || this.#afterEnd === undefined || this.#options.source.isPaused()) return;
    this.#quiet = setTimeout(() => this.#leave(), QUIET_MS);
  }

  #write(): void {
    if (this.#isWriting || this.#queue.length === 0) return;
    this.#isWriting = true;
    const { fd, write = writeAll } = this.#options;
    write(fd, this.#queue, (error, written) => {
      this.#isWriting = false;
      this.#drop(written);
      if (error !== null) this.#failed(error);
      else this.#goOn();
    });
  }

  #drop(bytes: number): void {
    this.#queued -= bytes;
    let left = bytes;
    let whole = 0;
    for (const chunk of this.#queue) {
      if (chunk.length > left) break;
      left -= chunk.length;
      whole += 1;
    }
    this.#queue = this.#queue.slice(whole);
    const [first] = this.#queue;
    if (first !== undefined && left > 0) this.#queue[0] = first.subarray(left);
  }

  #goOn(): void {
    const { source } = this.#options;
    if (this.#queued <= HIGH_WATER_BYTES && source.isPaused() && !this.#isOver) {
      source.resume();
      this.#awaitQuiet();
    }
    if (this.#queue.length > 0) this.#write();
    else if (this.#isOver) this.#resolveWritten();
  }

  #failed(error: Error): void {
    const code = errnoOf(error);
    if (code === 'EAGAIN' || code === 'EINTR') {
      // somebody else has made it non-blocking
      setTimeout(() => this.#goOn(), RETRY_MS);
      return;
    }
    this.#queue = [];
    this.#queued = 0;
    if (code === 'EPIPE') {
      // nobody reads any more: the command learns it as it would without us, at its next write
      this.#over();
      return;
    }
    this.#isLost = true;
    this.#options.say(
      `${this.#options.fd === 1 ? 'stdout' : 'stderr'} cannot be written: ${messageOf(error)}; the command goes on, what it prints from now on is lost`,
    );
    this.#goOn();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#quiet);
    clearTimeout(this.#deadline);
    this.#options.source.destroy();
    this.#resolveSeen();
    if (this.#queue.length === 0 && !this.#isWriting) this.#resolveWritten();
  }
}

function writeAll(fd: number, chunks: Buffer[], done: (error: Error | null, written: number) => void): void {
  fs.writev(fd, chunks, (error, written) => done(error, written ?? 0));
}
