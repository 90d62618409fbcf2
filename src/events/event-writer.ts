// One process, one file: gives events their number and time, and decides when they are written and fsynced.
//
// Every write is synchronous: simple, in order, durable when it returns. So a mount that hangs holds the program at
// its next flush, as any write of its own to that mount would.
import path from 'node:path';
import type { EventType } from './event.ts';
import { CLIENT } from './client.ts';
import { attemptFromEnv, type Env } from './env.ts';
import { nodeIo, type FileIo } from './file-io.ts';
import { findLedger, LEDGER_DIR } from './ledger.ts';
import { lineOf, type Line } from './line-file.ts';
import { Notices, type Say } from './notices.ts';
import { hostName, originOf, userName } from './origin.ts';
import { Outbox } from './outbox.ts';
import { OwnFile } from './own-file.ts';
import { Spool, spoolDirectory } from './spool.ts';
import { messageOf } from '../errors.ts';

/** An event as it is appended: `seq`, and `ts` unless given, are filled in. Fields that are undefined are left out. */
export interface EventInput {
  type: Exclude<EventType, 'writer_opened' | 'writer_closed'>;
  run_id: string;
  attempt?: string | undefined;
  /** RFC 3339; default now, in UTC with milliseconds. */
  ts?: string | undefined;
  [field: string]: unknown;
}

/** `now`: written and fsynced when `append` returns. `soon`: grouped for up to 1 s, fsynced within 5 s. */
export type Urgency = 'now' | 'soon';

export interface EventWriterOptions {
  /** The ledger's directory; default as `findLedger` finds it, else `.runfold` in `cwd`. It need not exist. */
  ledger?: string | undefined;
  /** Default for the events of this file; default `RUNFOLD_ATTEMPT`, else the writer's id. */
  attempt?: string | undefined;
  env?: Env;
  cwd?: string;
  /** What may wait in memory while the ledger cannot be written, in bytes. */
  bufferBytes?: number;
  /** What may wait in the spool file, in bytes. */
  spoolBytes?: number;
  io?: FileIo;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Milliseconds of a clock that is never set back. */
  monotonic?: () => number;
  say?: Say;
  newId?: (time: number) => string;
  /** The process that the events are of, if it is another one than this. */
  pid?: number;
}

export interface WriterStatus {
  /** Whether the last attempt to write failed. */
  isFailing: boolean;
  /** Events that wait in the spool file. */
  spooled: number;
  /** Events lost for good: no room anywhere, longer than a line may be, or impossible to encode. */
  lost: number;
  spoolPath: string;
}

/** Without its LF; longer ones are rejected by readers. */
export const MAX_LINE_BYTES = 1_048_576;

const GROUP_MS = 1000;
const SYNC_MS = 5000;
const GROUP_BYTES = 262_144;
const BUFFER_BYTES = 4 * 1_048_576;
const SPOOL_BYTES = 256 * 1_048_576;

export class EventWriter {
  /** Absolute path of the ledger's directory. */
  readonly ledger: string;
  /** The attempt of events that name none. */
  readonly attempt: string;
  readonly notices: Notices;
  readonly #env: Env;
  readonly #pid: number;
  readonly #origin: string;
  readonly #now: () => number;
  readonly #monotonic: () => number;
  readonly #file: OwnFile;
  readonly #spool: Spool;
  readonly #outbox: Outbox;
  readonly #isAttemptGiven: boolean;
  #seq = 0;
  #refused = 0;
  #isClosed = false;
  #queuedSince: number | undefined;
  #dirtySince: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;

  /** Touches nothing: the file comes with the first event. Most callers want `openWriter`. */
  constructor(options: EventWriterOptions = {}) {
    const { env = process.env, io = nodeIo, now = Date.now, monotonic = () => performance.now() } = options;
    this.#env = env;
    this.#pid = options.pid ?? process.pid;
    this.#now = now;
    this.#monotonic = monotonic;
    this.ledger = ledgerDirectory(options);
    this.notices = new Notices(options.say);
    this.#origin = originOf({ env, host: hostName(), pid: this.#pid });
    this.#file = new OwnFile({
      io,
      ledger: this.ledger,
      origin: this.#origin,
      now,
      ...(options.newId && { newId: options.newId }),
    });
    const attempt = options.attempt || attemptFromEnv(env);
    this.#isAttemptGiven = attempt !== undefined;
    this.attempt = attempt ?? this.#file.id;
    const uid = process.getuid?.();
    this.#spool = new Spool({
      io,
      directory: spoolDirectory(env, uid),
      uid,
      name: path.basename(this.#file.path),
      maxBytes: options.spoolBytes ?? SPOOL_BYTES,
    });
    this.#outbox = new Outbox({
      file: this.#file,
      spool: this.#spool,
      notices: this.notices,
      monotonic,
      maxBytes: options.bufferBytes ?? BUFFER_BYTES,
    });
  }

  /** The writer's ULID. It stays as it is from the first event on. */
  get id(): string {
    return this.#file.id;
  }

  /** Absolute path of the file, whether it is there yet or not. */
  get path(): string {
    return this.#file.path;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether all that was appended is on the disk of the ledger. */
  get isDurable(): boolean {
    return this.#outbox.isAllDurable && this.#spool.lines === 0;
  }

  get status(): WriterStatus {
    return {
      isFailing: this.#outbox.isFailing,
      spooled: this.#spool.lines,
      lost: this.#outbox.dropped + this.#refused,
      spoolPath: this.#spool.path,
    };
  }

  /**
   * Takes an event. Never throws: false means that it was refused, because the writer is closed, the line would be
   * too long or the event is not JSON; a ledger that cannot be written is no reason, the event is kept then.
   */
  append(event: EventInput, urgency: Urgency): boolean {
    if (this.#isClosed) {
      this.notices.once('closed', `an event of type ${event.type} came after the end and is left out`);
      return false;
    }
    if (this.#seq === 0) this.#begin();
    const { type, ...fields } = event;
    const line = this.#encode(type, fields);
    if (line === undefined) return false;
    this.#queue(line);
    if (urgency === 'now') this.#deliver(true);
    // a loop that never gives way to timers is served here
    else if (this.#outbox.queuedBytes > GROUP_BYTES || this.#monotonic() >= this.#dueAt()) this.#deliverDue();
    this.#schedule();
    return true;
  }

  /** Writes and fsyncs all that waits. False if the ledger did not take it all; it is kept then. */
  flush(): boolean {
    if (this.#isClosed || this.#seq === 0) return this.#seq === 0 || !this.#outbox.isFailing;
    const done = this.#deliver(true);
    this.#schedule();
    return done;
  }

  /** Ends the file with `writer_closed`. What the ledger does not take now goes to the spool, which is said. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    if (this.#seq === 0) return;
    const end = this.#encode('writer_closed', { events: this.#seq });
    if (end !== undefined) this.#queue(end);
    this.#outbox.finish();
  }

  #begin(): void {
    this.#outbox.begin(() => {
      const { id } = this.#file;
      const isAttemptSaid = this.#isAttemptGiven || this.attempt !== id;
      const header = {
        type: 'writer_opened',
        ts: this.#timestamp(),
        seq: 1,
        format: 1,
        writer: id,
        origin: this.#origin,
        attempt: isAttemptSaid ? this.attempt : undefined,
        host: hostName(),
        pid: this.#pid,
        user: userName(this.#env),
        client: CLIENT,
      };
      return lineOf(JSON.stringify(header));
    });
    this.#seq = 1;
  }

  #encode(type: EventType, fields: Partial<EventInput>): Line | undefined {
    const { run_id, attempt } = fields;
    const ts = fields.ts ?? this.#timestamp();
    let line: Line;
    try {
      const head = JSON.stringify({ type, ts, seq: this.#seq + 1, run_id, attempt });
      const payload = JSON.stringify({ ...fields, ...HEAD_IS_APART });
      // joined as text, since putting the fields in order in one object more takes as long as writing them
      line = lineOf(payload === '{}' ? head : `${head.slice(0, -1)},${payload.slice(1)}`);
    } catch (error) {
      this.#refuse(`an event of type ${type} cannot be written as JSON: ${messageOf(error)}`);
      return undefined;
    }
    if (line.bytes - 1 > MAX_LINE_BYTES) {
      this.#refuse(`an event of type ${type} has ${line.bytes - 1} bytes, more than ${MAX_LINE_BYTES}`);
      return undefined;
    }
    this.#seq += 1;
    return line;
  }

  #timestamp(): string {
    return new Date(this.#now()).toISOString();
  }

  #refuse(text: string): void {
    this.#refused += 1;
    this.notices.once('refused', `${text}; it is left out, as any more of the kind will be`);
  }

  #queue(line: Line): void {
    this.#queuedSince ??= this.#monotonic();
    this.#dirtySince ??= this.#queuedSince;
    this.#outbox.add(line);
  }

  #deliverDue(): void {
    const isSyncDue = this.#dirtySince !== undefined && this.#monotonic() >= this.#dirtySince + SYNC_MS;
    this.#deliver(isSyncDue || this.#outbox.isFailing);
  }

  #deliver(durable: boolean): boolean {
    const done = this.#outbox.deliver(durable);
    if (this.#outbox.isAllWritten) this.#queuedSince = undefined;
    if (this.#outbox.isAllDurable) this.#dirtySince = undefined;
    return done;
  }

  #dueAt(): number {
    if (this.#outbox.isFailing) return this.#outbox.retryAt;
    const write = this.#queuedSince === undefined ? Infinity : this.#queuedSince + GROUP_MS;
    const sync = this.#dirtySince === undefined ? Infinity : this.#dirtySince + SYNC_MS;
    return Math.min(write, sync);
  }

  /** The timer never keeps the program alive: its end flushes anyway. */
  #schedule(): void {
    const dueAt = this.#dueAt();
    if (dueAt >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = dueAt;
    // rounded up, since a timer of 0.5 ms would come round at 0
    const wait = Math.max(1, Math.ceil(dueAt - this.#monotonic()));
    this.#timer = setTimeout(() => this.#tick(), wait).unref();
  }

  #tick(): void {
    this.#timerAt = Infinity;
    if (this.#isClosed) return;
    if (this.#monotonic() >= this.#dueAt()) this.#deliverDue();
    this.#schedule();
  }
}

const HEAD_IS_APART = {
  type: undefined,
  ts: undefined,
  seq: undefined,
  run_id: undefined,
  attempt: undefined,
};

/** Where the ledger of these options is or would be, as an absolute path. */
export function ledgerDirectory({
  ledger,
  env = process.env,
  cwd,
}: Pick<EventWriterOptions, 'ledger' | 'env' | 'cwd'>): string {
  const from = cwd ?? workingDirectory();
  return findLedger({ explicit: ledger, env, cwd: from }) ?? path.join(from, LEDGER_DIR);
}

/** `/` if the working directory has been removed. */
export function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    // ENOENT: programs do run in removed directories, and nothing but the search for a ledger starts there
    return '/';
  }
}
