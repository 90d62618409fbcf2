// Where events wait on a local disk while the ledger cannot be written.
import os from 'node:os';
import path from 'node:path';
import { messageOf } from '../errors.ts';
import type { Env } from './env.ts';
import { ensureDirectory, OPEN_FLAGS, type FileIo } from './file-io.ts';
import { bytesOf, countWithin, LineFile, lineOf, type Line } from './line-file.ts';

export interface SpoolOptions {
  io: FileIo;
  /** The folder of spool files: made with mode 0700; refused if it is not a directory of our own. */
  directory: string;
  uid: number | undefined;
  name: string;
  maxBytes: number;
}

/** `$TMPDIR/runfold-spool-<uid>`. */
export function spoolDirectory(env: Env, uid: number | undefined): string {
  return path.join(env['TMPDIR'] || os.tmpdir(), `runfold-spool-${uid ?? userOf(env)}`);
}

function userOf(env: Env): string {
  return (env['USERNAME'] || 'user').replace(/[^A-Za-z0-9._-]/g, '-');
}

export interface SpooledChunk {
  lines: Line[];
  /** Of the file, with empty lines. */
  bytes: number;
}

const LF = 0x0a;
// longer than the longest line, so that there is always one in it
const READ_BYTES = 2 * 1_048_576;

export class Spool {
  readonly path: string;
  readonly #options: SpoolOptions;
  #file: LineFile | undefined;
  #buffer: Buffer | undefined;
  #bytes = 0;
  #drained = 0;
  #lines = 0;
  #problem: string | undefined;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.path = path.join(options.directory, options.name);
  }

  /** How many lines wait. */
  get lines(): number {
    return this.#lines;
  }

  /** Why the last `append` did not take all. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /**
   * Appends lines and returns how many, from the first on, it has taken. Never throws. A new spool begins with
   * `header`, so that it is an event file by itself even if the one in the ledger is gone.
   */
  append(lines: readonly Line[], header: Line): number {
    try {
      const file = (this.#file ??= this.#make());
      const preface = this.#bytes === 0 && lines[0]?.text !== header.text ? [header] : [];
      const wanted = [...preface, ...lines];
      const fitting = wanted.slice(0, countWithin(wanted, this.#options.maxBytes - this.#bytes));
      const isFull = fitting.length < wanted.length;
      const whole = fitting.length > preface.length ? file.write(fitting) : 0;
      this.#bytes += bytesOf(fitting.slice(0, whole));
      this.#lines += whole;
      this.#problem = isFull ? 'it is full' : whole < fitting.length ? 'its disk is full' : undefined;
      return Math.max(0, whole - preface.length);
    } catch (error) {
      this.#problem = messageOf(error);
      return 0;
    }
  }

  #make(): LineFile {
    const { io, directory, uid } = this.#options;
    ensureDirectory(io, directory, 0o700);
    const facts = io.lstat(directory);
    const isForeign = uid !== undefined && (facts.uid !== uid || (facts.mode & 0o077) !== 0);
    if (!facts.isDirectory || isForeign)
      throw new Error(`${directory} is not a directory that is yours alone`);
    // Born torn: the first byte is LF, which ends a torn line of the ledger's file if this one is appended to it.
    return new LineFile(io, io.open(this.path, OPEN_FLAGS.createSpool, 0o600), true);
  }

  /** The next waiting lines, undefined if none wait. Throws system errors. */
  peek(): SpooledChunk | undefined {
    if (this.#file === undefined) return undefined;
    const buffer = (this.#buffer ??= Buffer.allocUnsafe(READ_BYTES));
    const length = this.#options.io.read(this.#file.fd, buffer, this.#drained);
    const bytes = buffer.subarray(0, length).lastIndexOf(LF) + 1;
    if (bytes === 0) return undefined;
    const texts = buffer.toString('utf8', 0, bytes).split('\n');
    return { lines: texts.filter((text) => text !== '').map(lineOf), bytes };
  }

  /** Takes a chunk that `peek` gave as delivered. */
  drop(chunk: SpooledChunk): void {
    this.#drained += chunk.bytes;
    this.#lines = Math.max(0, this.#lines - chunk.lines.length);
  }

  /** Removes the file: nothing waits any more. */
  clear(): void {
    if (this.#file === undefined) return;
    this.#file.close();
    this.#file = undefined;
    this.#buffer = undefined;
    this.#bytes = 0;
    this.#drained = 0;
    this.#lines = 0;
    try {
      this.#options.io.unlink(this.path);
    } catch {
      // An old spool file does no harm: all its lines are in the ledger, where they would be repeats.
    }
  }

  /** Makes durable what waits. False if that is not sure. */
  sync(): boolean {
    try {
      this.#file?.sync();
      return true;
    } catch (error) {
      this.#problem = messageOf(error);
      return false;
    }
  }
}
