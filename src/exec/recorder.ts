// The event file of `runfold exec`: what it says of the run that a command is.
import { hostName, originOf } from '../events/origin.ts';
import { codeInfo } from '../events/code-info.ts';
import { attemptFromEnv, type Env } from '../events/env.ts';
import { EventWriter, ledgerDirectory, workingDirectory } from '../events/event-writer.ts';
import type { EventType } from '../events/event.ts';
import { isIndependent, roleOf } from '../events/ranks.ts';
import type { RunKey } from '../events/run-id.ts';
import { slurmInfoFromEnv } from '../slurm/env.ts';
import type { Joined } from './child-environment.ts';
import type { TailError } from './error-from-tail.ts';
import { isErrorLogged } from './logged-error.ts';
import type { Outcome } from './outcome.ts';
import { fileOf } from './own-output.ts';
import type { Sample } from './sampler.ts';

/** The run that a command is. */
export interface ExecRun {
  runId: string;
  key: RunKey;
  config: Readonly<Record<string, unknown>> | undefined;
  tags: readonly string[] | undefined;
  notes: string | undefined;
  resume: boolean;
}

export interface RecorderOptions {
  run: ExecRun;
  words: readonly string[];
  ledger: string | undefined;
  env: Env;
  now: () => number;
}

export class Recorder {
  /** What the command is given, so that a logger in it joins. */
  readonly joined: Joined;
  readonly #options: RecorderOptions;
  /** Undefined in ranks above 0, which write nothing. */
  readonly #writer: EventWriter | undefined;
  readonly #startedAt: number;
  readonly #startedMonotonic = performance.now();

  /** Writes nothing yet. */
  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#startedAt = options.now();
    const { run, ledger } = options;
    const attempt = attemptFromEnv(options.env, run.runId);
    const env = { ...options.env, RUNFOLD_ATTEMPT: attempt };
    // ranks that log below this one have to find rank 0's attempt, which is this one's
    const place = { env, host: hostName(), independent: isIndependent(env) };
    const shared = roleOf({ ...place, allRanks: true }).attempt;
    const { writes } = roleOf({ ...place, allRanks: false });
    if (writes === 'all')
      this.#writer = new EventWriter({ ledger, env, attempt: attempt ?? shared, now: options.now });
    this.joined = {
      ledger: this.#writer?.ledger ?? ledgerDirectory({ ledger, env }),
      runId: run.runId,
      key: run.key,
      attempt: this.#writer?.attempt ?? attempt ?? shared,
    };
  }

  /** Whether this is the rank that records. */
  get isActive(): boolean {
    return this.#writer !== undefined;
  }

  say(text: string): void {
    this.#writer?.notices.always(text);
  }

  begin(): void {
    const { run, words, env } = this.#options;
    const { key, config, tags, notes, resume } = run;
    const code = codeInfo(workingDirectory(), words);
    const ts = new Date(this.#startedAt).toISOString();
    const created = { ...key, config, tags, notes, resume: resume || undefined, code };
    this.#append('run_created', { ts, ...created }, 'soon');
    const job = slurmInfoFromEnv(env);
    if (job !== undefined) {
      this.#append('slurm_info', { ts, ...job, stdout_path: fileOf(1), stderr_path: fileOf(2) }, 'soon');
    }
    this.#append('status_changed', { ts, status: 'running', source: 'wrapper' }, 'now');
  }

  sample(sample: Sample): void {
    this.#append('resource_sample', { elapsed_seconds: this.#elapsedSeconds(), ...sample }, 'soon');
  }

  flush(): void {
    this.#writer?.flush();
  }

  /** The error, unless a logger in the command has recorded one, and the end; all of it is on the disk after. */
  end({ status, exitCode, reason }: Outcome, error: TailError | undefined): void {
    // no logger can have told of the signal that ended its process
    if (error !== undefined && (error.from === 'signal' || !this.#isErrorLogged())) {
      const { exception_type, message, traceback } = error;
      this.#append('error', { exception_type, message, traceback }, 'soon');
    }
    const end = { status, exit_code: exitCode, reason, source: 'wrapper' };
    this.#append('status_changed', end, 'now');
    this.#writer?.close();
  }

  #isErrorLogged(): boolean {
    const { env, now, run } = this.#options;
    if (this.#writer === undefined) return false;
    return isErrorLogged({
      ledger: this.#writer.ledger,
      origin: originOf({ env, host: hostName(), pid: process.pid }),
      ownWriter: this.#writer.id,
      runId: run.runId,
      attempt: this.#writer.attempt,
      since: this.#startedAt,
      until: now(),
    });
  }

  #append(
    type: Exclude<EventType, 'writer_opened' | 'writer_closed'>,
    fields: object,
    urgency: 'now' | 'soon',
  ): void {
    this.#writer?.append({ type, run_id: this.#options.run.runId, ...fields }, urgency);
  }

  #elapsedSeconds(): number {
    return Math.round(performance.now() - this.#startedMonotonic) / 1000;
  }
}
