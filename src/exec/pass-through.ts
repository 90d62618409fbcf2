// Copies what the command prints to where this process prints, byte for byte and no faster than it is read there.
import * as fs from 'node:fs';
import type { Readable } from 'node:stream';
import { errnoOf, messageOf } from '../errors.ts';

/** What may wait for a slow reader. */
const HIGH_WATER_BYTES = 1_048_576;
const RETRY_MS = 5;
/** After the command has ended a background process of it may hold its output open; it is not waited for. */
const QUIET_MS = 500;
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
    this.#afterEnd = 0;
    this.#awaitQuiet();
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
    if (this.#afterEnd > AFTER_END_BYTES) this.#over();
    else this.#awaitQuiet();
  }

  #awaitQuiet(): void {
    clearTimeout(this.#quiet);
    if (this.#isOver || this.#afterEnd === undefined || this.#options.source.isPaused()) return;
    this.#quiet = setTimeout(() => this.#over(), QUIET_MS);
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
    this.#options.source.destroy();
    this.#resolveSeen();
    if (this.#queue.length === 0 && !this.#isWriting) this.#resolveWritten();
  }
}

function writeAll(fd: number, chunks: Buffer[], done: (error: Error | null, written: number) => void): void {
  fs.writev(fd, chunks, (error, written) => done(error, written ?? 0));
}
