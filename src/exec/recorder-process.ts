// The recorder in a process of its own: a call to a storage that hangs cannot be given up, and a process that has
// made one neither handles signals nor ends with its exit code.
import type { ChildProcess } from 'node:child_process';
import type { Env } from '../events/env.ts';
import { nodeIo, type FileIo } from '../events/file-io.ts';
import { ledgerCandidates } from '../events/ledger.ts';
import { workingDirectory } from '../events/event-writer.ts';
import type { Notices, Say } from '../events/notices.ts';
import { ulid } from 'ulid';
import type { Note } from './note.ts';
import { Recorder, type RecorderFacts } from './recorder.ts';
import type { FromRecorder, ToRecorder } from './recorder-messages.ts';
import { startRecorder } from './start-recorder.ts';

export interface RecorderProcessOptions {
  facts: RecorderFacts;
  /** Of all files that this execution has, should it become more than one. */
  attemptOfAll: string | undefined;
  env: Env;
  isActive: boolean;
  notices: Notices;
  /** A line that is one of ours already. */
  say: Say;
  now: () => number;
  /** One that was started before, and was told nothing yet. */
  child: ChildProcess | undefined;
  /** Whether what could not be written may be put into the spool: not if that may hang too. */
  canSpool: boolean;
}

/** The storage is said to hang after this; the command is not kept waiting for longer. */
export const PATIENCE_MS = 5000;
/** A storage that is not known to hang is given this long to answer, whoever is in a hurry. */
const GRACE_MS = 2000;
/** Of samples that wait. */
const MAX_WAITING_BYTES = 4 * 1_048_576;
/** A process that is killed is started again, so many times. */
const MAX_STARTS = 3;

interface Waiting {
  number: number;
  note: Note;
  bytes: number;
  isTaken: boolean;
}

export class RecorderProcess {
  readonly #options: RecorderProcessOptions;
  #ledger: string | undefined;
  #child: ChildProcess | undefined;
  #starts = 0;
  /** In order; what is on the disk of the log is gone from here. */
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #left = 0;
  #number = 0;
  /** Whether what is not answered is due to the storage. */
  #isUp = false;
  #isOpened = false;
  /** When the process was asked something that it has not answered. */
  #askedAt: number | undefined;
  #patience: NodeJS.Timeout | undefined;
  #isHanging = false;
  /** Once the command has ended. */
  #waitMs: number | undefined;
  #isOver = false;
  #inHere: Recorder | undefined;
  #onNews: (() => void) | undefined;

  constructor(options: RecorderProcessOptions) {
    this.#options = options;
    const { facts, env, isActive } = options;
    const candidates = ledgerCandidates({ explicit: facts.ledger, env, cwd: workingDirectory() });
    // one that is named need not be looked for
    if (candidates.length === 1) this.#ledger = candidates[0];
    if (isActive || this.#ledger === undefined) this.#start(facts, options.child ?? startRecorder(env));
    else options.child?.disconnect();
  }

  get ledger(): string | undefined {
    return this.#ledger;
  }

  put(note: Note): void {
    if (!this.#options.isActive || this.#isOver) return;
    if (this.#inHere !== undefined) {
      this.#inHere.take(note);
      return;
    }
    const bytes = note.kind === 'sample' ? JSON.stringify(note).length : 0;
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) this.#forgetTakenSamples();
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#left += 1;
      return;
    }
    this.#number += 1;
    this.#waitingBytes += bytes;
    this.#waiting.push({ number: this.#number, note, bytes, isTaken: false });
    this.#sendNext();
  }

  async begun(): Promise<void> {
    const isDone = (): boolean => (this.#options.isActive ? this.#isAllTaken() : this.#ledger !== undefined);
    await this.#until(() => isDone() || this.#isHanging);
    if (!this.#options.isActive) this.#leave();
  }

  async ended(waitMs: number, stop: AbortSignal): Promise<void> {
    if (!this.#options.isActive) return;
    this.#waitMs = waitMs;
    if (!this.#isAllTaken() && this.#child !== undefined) await this.#allTaken(waitMs, stop);
    if (!this.#isAllTaken()) this.#spool();
    this.#leave();
  }

  /** Or nobody is left to take it, or it is too late. */
  async #allTaken(waitMs: number, stop: AbortSignal): Promise<void> {
    if (this.#isHanging && this.#askedAt !== undefined) this.#sayThatItHangs(this.#askedAt);
    let isLate = false;
    const late = (): void => {
      isLate = true;
      this.#onNews?.();
    };
    const within = (ms: number): NodeJS.Timeout =>
      setTimeout(late, Math.max(ms, this.#isHanging ? 0 : GRACE_MS));
    const timers = [within(waitMs)];
    const hurry = (): void => void timers.push(within(0));
    if (stop.aborted) hurry();
    stop.addEventListener('abort', hurry);
    await this.#until(() => this.#isAllTaken() || this.#child === undefined || isLate);
    for (const timer of timers) clearTimeout(timer);
    stop.removeEventListener('abort', hurry);
  }

  #isAllTaken(): boolean {
    return this.#inHere !== undefined || this.#waiting.every(({ isTaken }) => isTaken);
  }

  async #until(isSo: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onNews = () => {
        if (isSo()) resolve();
      };
      this.#onNews();
    });
    this.#onNews = undefined;
  }

  #start(facts: RecorderFacts, child: ChildProcess | undefined): void {
    this.#starts += 1;
    this.#child = child;
    this.#isUp = false;
    this.#isOpened = false;
    // it may have ended before there was anything to record
    if (child?.connected !== true) {
      this.#lost(child);
      return;
    }
    child.on('message', (message: FromRecorder) => this.#hear(message));
    // also of one that could not be started
    child.once('close', () => this.#lost(child));
    // it may have been started before this was known
    const { RUNFOLD_INDEPENDENT } = this.#options.env;
    this.#ask({ kind: 'open', facts, env: { RUNFOLD_INDEPENDENT } });
  }

  #ask(message: ToRecorder): void {
    this.#askedAt = this.#options.now();
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#hangs(), PATIENCE_MS);
    // that it has ended is told by its end
    this.#child?.send(message, () => undefined);
  }

  #sendNext(): void {
    if (!this.#isOpened || this.#askedAt !== undefined) return;
    const next = this.#waiting.find(({ isTaken }) => !isTaken);
    if (next !== undefined) this.#ask({ kind: 'note', number: next.number, note: next.note });
  }

  #hear(message: FromRecorder): void {
    if (this.#isOver) return;
    switch (message.kind) {
      case 'up':
        this.#isUp = true;
        return;
      case 'say':
        this.#options.say(message.line);
        return;
      case 'opened':
        this.#ledger = message.ledger;
        this.#isOpened = true;
        break;
      case 'taken':
        for (const each of this.#waiting) each.isTaken ||= each.number <= message.number;
        break;
      case 'durable':
        this.#forget(message.number);
        return;
    }
    this.#answered();
    this.#sendNext();
    this.#onNews?.();
  }

  #forget(number: number): void {
    this.#keep((each) => each.number > number);
  }

  /** A log that fails, but answers, never says that they are on its disk. */
  #forgetTakenSamples(): void {
    this.#keep((each) => !each.isTaken || each.note.kind !== 'sample');
  }

  #keep(isKept: (each: Waiting) => boolean): void {
    this.#waiting = this.#waiting.filter(isKept);
    this.#waitingBytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #answered(): void {
    clearTimeout(this.#patience);
    this.#askedAt = undefined;
    // what waits is told first: between two notes it may hang again
    if (!this.#isHanging || this.#waiting.some(({ isTaken }) => !isTaken)) return;
    this.#isHanging = false;
    const lost = this.#left === 0 ? 'nothing was lost' : `${this.#left} samples were lost meanwhile`;
    this.#left = 0;
    this.#options.notices.always(`the log is written again; ${lost}`);
  }

  #hangs(): void {
    if (this.#isHanging || this.#askedAt === undefined) return;
    this.#isHanging = true;
    this.#sayThatItHangs(this.#askedAt);
    this.#onNews?.();
  }

  #sayThatItHangs(since: number): void {
    const then =
      this.#waitMs === undefined
        ? 'the command goes on, what is recorded of it waits'
        : `the command has ended, what is recorded of it waits for up to ${Math.ceil(this.#waitMs / 1000)} s (Ctrl-C or SIGTERM ends that)`;
    if (this.#options.isActive) this.#options.notices.always(`${this.#silence(since)}; ${then}`);
  }

  #silence(since: number): string {
    const of = this.#ledger === undefined ? '' : ` (${this.#ledger})`;
    const who = this.#isUp
      ? 'the storage of the log has not answered'
      : 'the process that records has not started';
    return `${who} since ${new Date(since).toISOString()}${of}`;
  }

  /** Killed by somebody: another one writes on, in a file of its own. */
  #lost(child: ChildProcess | undefined): void {
    if (this.#isOver || child !== this.#child) return;
    const { facts, attemptOfAll, env, say } = this.#options;
    const next = { ...facts, attempt: attemptOfAll, writer: ulid() };
    for (const each of this.#waiting) each.isTaken = false;
    if (this.#starts < MAX_STARTS) {
      this.#start(next, startRecorder(env));
      return;
    }
    this.#child = undefined;
    if (this.#isHanging) {
      // a call from here might never return
      clearTimeout(this.#patience);
      this.#options.notices.always(
        'the process that records was killed again and again; what is recorded waits for the end of the command',
      );
      this.#onNews?.();
      return;
    }
    // where no process can live it is written from here
    this.#answered();
    this.#inHere = new Recorder(next, { env, say });
    this.#ledger = this.#inHere.ledger;
    for (const { note } of this.#waiting.splice(0)) this.#inHere.take(note);
    this.#onNews?.();
  }

  /** What the log has not taken goes to the spool, as a file of its own. */
  #spool(): void {
    const { facts, attemptOfAll, env, canSpool, say } = this.#options;
    const since = new Date(this.#askedAt ?? facts.startedAt).toISOString();
    const cwd = workingDirectory();
    const [nearest = cwd] = ledgerCandidates({ explicit: facts.ledger, env, cwd });
    const said: string[] = [];
    const recorder = new Recorder(
      { ...facts, ledger: this.#ledger ?? nearest, attempt: attemptOfAll, writer: ulid() },
      {
        env,
        io: silentIo(`the storage has not answered since ${since}`, canSpool),
        isSilent: true,
        say: (line) => said.push(line),
      },
    );
    for (const { note } of this.#waiting) recorder.take(note);
    // the last line is the one that tells how it ended
    const [last] = said.slice(-1);
    if (last !== undefined) say(last);
    if (this.#left > 0) this.#options.notices.always(`${this.#left} samples are lost`);
  }

  #leave(): void {
    this.#isOver = true;
    clearTimeout(this.#patience);
    const child = this.#child;
    if (child === undefined) return;
    if (this.#askedAt !== undefined) child.kill('SIGKILL');
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** Of the log nothing answers; the spool is on a disk of this machine, or there is none. */
function silentIo(problem: string, canSpool: boolean): FileIo {
  const silent = (): never => {
    throw new Error(problem);
  };
  return { ...nodeIo, readText: silent, ...(canSpool ? {} : { mkdir: silent, open: silent }) };
}
