// What `runfold exec` tells of its command, whoever writes it down.
import type { ChildProcess } from 'node:child_process';
import type { Env } from '../events/env.ts';
import { Notices } from '../events/notices.ts';
import type { Joined } from './child-environment.ts';
import type { TailError } from './error-from-tail.ts';
import { LateOutput } from './late-output.ts';
import type { Note } from './note.ts';
import type { Outcome } from './outcome.ts';
import { Recorder, roleOfRecorder, type RecorderFacts } from './recorder.ts';
import { RecorderProcess } from './recorder-process.ts';
import type { Sample } from './sampler.ts';

export interface RecordingOptions {
  facts: RecorderFacts;
  env: Env;
  now: () => number;
  /**
   * Undefined where everything is on disks of this machine: then it is written by this process. Else calls to the
   * storage may never return, and another process makes them.
   */
  apart: { canSpool: boolean; child: ChildProcess | undefined } | undefined;
}

/** Whoever writes down. */
interface Scribe {
  /** Absolute; undefined if it has not been found yet. */
  readonly ledger: string | undefined;
  put(note: Note): void;
  /** Resolves when that is written, or is not waited for any longer. Never rejects. */
  begun(): Promise<void>;
  ended(waitMs: number, stop: AbortSignal): Promise<void>;
}

export class Recording {
  /** Whether this is the rank that records. */
  readonly isActive: boolean;
  readonly #options: RecordingOptions;
  readonly #attempt: string | undefined;
  readonly #output = new LateOutput(2);
  readonly #notices: Notices;
  readonly #scribe: Scribe;
  readonly #startedMonotonic = performance.now();

  /** Writes nothing yet. */
  constructor(options: RecordingOptions) {
    this.#options = options;
    const { facts, env, apart, now } = options;
    const { attempt, shared, isActive } = roleOfRecorder(env, facts.run.runId);
    this.isActive = isActive;
    this.#attempt = facts.attempt ?? attempt ?? shared ?? (isActive ? facts.writer : undefined);
    const say = (line: string): void => this.#output.write(`${line}\n`);
    this.#notices = new Notices(apart === undefined ? undefined : say);
    if (apart === undefined) this.#scribe = new Here(new Recorder(facts, { env }));
    else {
      const notices = this.#notices;
      const attemptOfAll = this.#attempt;
      // it is one deeper below its launcher
      const told = { ...facts, attempt: facts.attempt ?? attempt ?? shared };
      this.#scribe = new RecorderProcess({
        facts: told,
        attemptOfAll,
        env,
        isActive,
        notices,
        say,
        now,
        ...apart,
      });
    }
  }

  /** What the command is given, so that a logger in it joins. */
  get joined(): Joined {
    const { runId, key } = this.#options.facts.run;
    return { ledger: this.#scribe.ledger, runId, key, attempt: this.#attempt };
  }

  /** Whether a thread hangs in saying something, for which an ordinary end of the process would wait. */
  get isStuck(): boolean {
    return this.#output.isStuck;
  }

  /** For people, on stderr; ranks that do not record are silent. */
  say(text: string): void {
    if (this.isActive) this.#notices.always(text);
  }

  /** Also where nothing is recorded. */
  sayAlways(text: string): void {
    this.#notices.always(text);
  }

  /** The begin of the run is on the disk after, unless the storage takes too long. */
  async begin(): Promise<void> {
    this.#scribe.put({ kind: 'begin' });
    await this.#scribe.begun();
  }

  sample(sample: Sample): void {
    const elapsedSeconds = Math.round(performance.now() - this.#startedMonotonic) / 1000;
    this.#scribe.put({ kind: 'sample', ts: this.#timestamp(), elapsedSeconds, sample });
  }

  flush(): void {
    this.#scribe.put({ kind: 'flush' });
  }

  /**
   * All is on the disk after, unless that takes longer than `waitMs` or `stop` comes: then what is missing is put into
   * the spool, and that is said.
   */
  async end(
    outcome: Outcome,
    error: TailError | undefined,
    waitMs: number,
    stop: AbortSignal,
  ): Promise<void> {
    this.#scribe.put({ kind: 'end', ts: this.#timestamp(), until: this.#options.now(), outcome, error });
    await this.#scribe.ended(waitMs, stop);
  }

  /** What was said is written, or will not be. */
  async said(): Promise<void> {
    await this.#output.written();
  }

  #timestamp(): string {
    return new Date(this.#options.now()).toISOString();
  }
}

/** In this process, at once. */
class Here implements Scribe {
  readonly #recorder: Recorder;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  get ledger(): string {
    return this.#recorder.ledger;
  }

  put(note: Note): void {
    this.#recorder.take(note);
  }

  async begun(): Promise<void> {
    await Promise.resolve();
  }

  async ended(): Promise<void> {
    await Promise.resolve();
  }
}
