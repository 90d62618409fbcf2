// What a training program holds: one execution of one run.
import { ulid } from 'ulid';
import { messageOf, RunfoldError } from './errors.ts';
import { codeInfo } from './events/code-info.ts';
import type { EventType, RunStatus } from './events/event.ts';
import { errorFields } from './events/error-fields.ts';
import { MAX_LINE_BYTES, workingDirectory, type EventWriter, type Urgency } from './events/event-writer.ts';
import { attemptFromEnv, type Env } from './events/env.ts';
import { inheritedKey, twoRunsNotice } from './events/inherited-key.ts';
import { toJsonObject } from './events/json-safe.ts';
import { metricFields, type Metrics, type Position } from './events/metric-fields.ts';
import { Notices, type Say } from './events/notices.ts';
import { hostName } from './events/origin.ts';
import { watchSignal, witnessEnd } from './events/process-hooks.ts';
import { isIndependent, nthAttempt, roleOf } from './events/ranks.ts';
import { resolveRun, type ResolvedRun, type RunOptions } from './events/run-options.ts';
import { countExecution, openWriter } from './events/writers.ts';
import { slurmInfoFromEnv } from './slurm/env.ts';

/** How a run ended, where that is said. */
export interface RunOutcome {
  /** Default `completed`; `failed` if there is an `exitCode` other than 0. */
  status?: RunStatus | undefined;
  exitCode?: number | undefined;
  reason?: string | undefined;
  /** As for `logResults`. */
  results?: Readonly<Record<string, unknown>> | undefined;
}

export interface ResourceSample {
  /** 100 is one core. */
  cpu_percent?: number | undefined;
  rss_mb?: number | undefined;
  gpu_percent?: number | undefined;
  gpu_memory_mb?: number | undefined;
}

/** What a run takes from its process, given by tests. */
export interface RunSurroundings {
  env?: Env;
  cwd?: string;
  argv?: readonly string[];
  say?: Say;
  /** Milliseconds of a clock that is never set back. */
  monotonic?: () => number;
}

const IS_TERMINAL: Readonly<Record<RunStatus, boolean>> = {
  pending: false,
  running: false,
  completed: true,
  failed: true,
  timeout: true,
};
const MAX_REASON = 1000;
const SAMPLE_FIELDS = ['cpu_percent', 'rss_mb', 'gpu_percent', 'gpu_memory_mb'] as const;

const processNotices = new Notices();

/**
 * Logs one execution of a run. After `create` no method throws or rejects, whatever happens to the ledger and
 * whatever it is given: problems are said once on stderr.
 *
 * A run that is not closed gets its end from the end of the process: `completed` for exit code 0, else `failed`.
 */
export class RunLogger implements AsyncDisposable {
  readonly runId: string;
  /** The id of this execution; empty if nothing is logged. */
  readonly attempt: string;
  /** False in a rank that logs nothing. */
  readonly active: boolean;
  readonly #writer: EventWriter | undefined;
  readonly #notices: Notices;
  readonly #monotonic: () => number;
  readonly #startedAt: number;
  /** On the lines where it is not the file's. */
  readonly #lineAttempt: string | undefined;
  /** False in ranks above 0: only rank 0 says how the run goes. */
  readonly #saysStatus: boolean;
  #stopWitnessing: (() => void) | undefined;
  #signal: NodeJS.Signals | undefined;
  #isEndSaid = false;
  #isClosed = false;

  private constructor(run: ResolvedRun, options: RunOptions, surroundings: RunSurroundings) {
    const { env = process.env, monotonic = () => performance.now() } = surroundings;
    this.#monotonic = monotonic;
    this.#startedAt = monotonic();
    this.runId = run.runId;
    const { allRanks = false, independent = isIndependent(env) } = options;
    const role = roleOf({ env, host: hostName(), allRanks, independent });
    this.active = role.writes !== 'nothing';
    this.#saysStatus = role.writes === 'all';
    if (!this.active) {
      this.attempt = '';
      this.#notices = surroundings.say === undefined ? processNotices : new Notices(surroundings.say);
      if (role.problem !== undefined) this.#notices.once('rank', role.problem);
      return;
    }
    const inherited = attemptFromEnv(env, run.runId);
    const writer = openWriter({
      ...surroundings,
      env: { ...env, RUNFOLD_ATTEMPT: inherited },
      ledger: options.ledger,
      attempt: role.attempt,
    });
    const nth = countExecution(run.runId);
    const shared = role.attempt === undefined ? undefined : nthAttempt(role.attempt, nth);
    // the file may have been opened by a run that the environment's attempt is of
    const own = writer.attempt === attemptFromEnv(env) ? ulid() : writer.attempt;
    this.attempt = options.attempt || (shared ?? (nth === 0 ? (inherited ?? own) : ulid()));
    this.#lineAttempt = this.attempt === writer.attempt ? undefined : this.attempt;
    this.#writer = writer;
    this.#notices = writer.notices;
  }

  /**
   * Begins an execution: writes `run_created`, in a SLURM job what the environment says of it, and the status
   * `running`. Without a ledger that can be written the
   * events are kept in a spool file, and stderr says where.
   *
   * @throws RunfoldError `invalid_key` for a bad key, `usage` for an option that does not exist or options that exclude
   *   each other; nothing else.
   */
  static create(options: RunOptions = {}, surroundings: RunSurroundings = {}): RunLogger {
    const argv = surroundings.argv ?? process.argv;
    const env = surroundings.env ?? process.env;
    if (options.allRanks === true && (options.independent ?? isIndependent(env))) {
      throw new RunfoldError(
        'usage',
        'allRanks and independent (or RUNFOLD_INDEPENDENT) exclude each other',
        {
          hint: 'The ranks of a launch log one run together, or each its own.',
        },
      );
    }
    const run = resolveRun(options, argv[1], inheritedKey(env).key);
    const logger = new RunLogger(run, options, surroundings);
    if (logger.active) logger.#begin(run, options, surroundings, argv);
    return logger;
  }

  /**
   * Runs `body` and records its end: `completed`, or the error and `failed`, which it throws on. The way to have
   * several runs in one process.
   */
  static async run<T>(options: RunOptions, body: (run: RunLogger) => Promise<T> | T): Promise<T> {
    const run = RunLogger.create(options);
    try {
      const value = await body(run);
      await run.close();
      return value;
    } catch (error) {
      run.logError(error);
      await run.close({ status: 'failed' });
      throw error;
    }
  }

  setStatus(
    status: RunStatus,
    details: { exitCode?: number | undefined; reason?: string | undefined } = {},
  ): void {
    this.#guarded('setStatus', () => this.#appendStatus(status, details.exitCode, details.reason));
  }

  /**
   * One point of the curves. NaN and the infinities are kept as such; what is no number is left out, and said once.
   * Written within 1 s, on the disk within 5 s.
   */
  log(metrics: Metrics, position?: Position): void {
    this.#guarded('log', () => {
      const { fields, leftOut } = metricFields(metrics, position, this.#elapsedSeconds());
      for (const name of leftOut)
        this.#notices.once(`metric ${name}`, `log: ${name} is no number and is left out`);
      if (fields !== undefined) this.#append('metric', fields, 'soon');
    });
  }

  /** Records an error; it does not end the run. */
  logError(error: unknown): void {
    this.#guarded('logError', () => this.#append('error', { ...errorFields(error) }, 'now'));
  }

  /** Final values of the run, anything that becomes a JSON object. Later keys win. */
  logResults(results: Readonly<Record<string, unknown>>): void {
    this.#guarded('logResults', () => {
      const json = toJsonObject(results);
      if (json === undefined) this.#notices.once('results', 'logResults: not an object, left out');
      else this.#append('result', { results: json }, 'now');
    });
  }

  /** What the process uses now; also a sign of life. */
  logSample(sample: ResourceSample): void {
    this.#guarded('logSample', () => {
      const fields: Record<string, number> = { elapsed_seconds: this.#elapsedSeconds() };
      for (const name of SAMPLE_FIELDS) {
        const value: unknown = sample[name];
        if (typeof value === 'number' && Number.isFinite(value)) fields[name] = value;
      }
      this.#append('resource_sample', fields, 'soon');
    });
  }

  /** Writes all that waits and returns when it is on the disk, as far as the ledger can be written. */
  flush(): void {
    this.#guarded('flush', () => void this.#writer?.flush());
  }

  /** Ends the run, once; an end that was said before with `setStatus` stays unless another one is given here. */
  async close(outcome: RunOutcome = {}): Promise<void> {
    this.#guarded('close', () => this.#close(outcome));
  }

  /**
   * Flushes only. At the end of an `await using` block nobody can know whether an exception is on its way, so the
   * end is left to `close` or the exit code of the process. For several runs in a process use `RunLogger.run`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.flush();
  }

  #begin(
    run: ResolvedRun,
    options: RunOptions,
    surroundings: RunSurroundings,
    argv: readonly string[],
  ): void {
    this.#guarded('create', () => {
      this.#stopWitnessing = witnessEnd(
        {
          exited: (code) => this.#guarded('exit', () => this.#exited(code)),
          killed: (signal) => this.#guarded(signal, () => this.#end('failed', undefined, signal)),
          signalled: (signal) => void (this.#signal = signal),
          threw: (error, fatal) => this.#guarded('exception', () => this.#threw(error, fatal)),
        },
        'run',
      );
      for (const signal of options.signals ?? []) watchSignal(signal);
      if (!this.#saysStatus) return;
      this.#sayOfKey(run, surroundings.env ?? process.env);
      const { key, config, tags, notes, resume } = run;
      const created = {
        ...key,
        config,
        tags,
        notes,
        resume,
        code: codeInfo(surroundings.cwd ?? workingDirectory(), argv),
      };
      this.#append('run_created', this.#cutToSize(created), 'soon');
      const job = slurmInfoFromEnv(surroundings.env ?? process.env);
      if (job !== undefined) this.#append('slurm_info', job, 'soon');
      this.#append('status_changed', { status: 'running' }, 'now');
    });
  }

  #sayOfKey(run: ResolvedRun, env: Env): void {
    const { problem } = inheritedKey(env);
    if (problem !== undefined) this.#notices.once('RUNFOLD_KEY', problem);
    const notice = twoRunsNotice(env, run);
    if (notice !== undefined) this.#notices.once('two runs', notice);
  }

  /** A run must not be missing because its config is a megabyte. */
  #cutToSize(created: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const cut: Record<string, unknown> = { ...created };
    for (const name of ['config', 'notes', 'tags', 'code']) {
      // some room for what a line has besides
      if (Buffer.byteLength(JSON.stringify(cut)) < MAX_LINE_BYTES - 1024) break;
      if (cut[name] === undefined) continue;
      delete cut[name];
      this.#notices.once(
        `large ${name}`,
        `${name} makes the line longer than ${MAX_LINE_BYTES} bytes, left out`,
      );
    }
    return cut;
  }

  #close(outcome: RunOutcome): void {
    if (this.#isClosed) return;
    const { status, exitCode, reason, results } = outcome;
    if (results !== undefined) this.logResults(results);
    const isFailure = exitCode !== undefined && exitCode !== 0;
    const said = status ?? (isFailure ? 'failed' : undefined);
    if (said !== undefined || !this.#isEndSaid) {
      // an unknown status ends nothing: then the exit code does
      if (!this.#appendStatus(said ?? 'completed', exitCode, reason)) return;
    }
    this.#writer?.flush();
    this.#seal();
  }

  #exited(code: number): void {
    this.#end(code === 0 && this.#signal === undefined ? 'completed' : 'failed', code, this.#signal);
  }

  #threw(error: unknown, fatal: boolean): void {
    this.logError(error);
    if (fatal) this.#end('failed', 1, undefined);
  }

  /** The end that the process gives to a run that did not say one. */
  #end(status: RunStatus, exitCode: number | undefined, reason: string | undefined): void {
    if (this.#isClosed) return;
    if (!this.#isEndSaid) this.#appendStatus(status, exitCode, reason);
    this.#seal();
  }

  #seal(): void {
    this.#isClosed = true;
    this.#stopWitnessing?.();
  }

  /** False if there is no such status. */
  #appendStatus(status: RunStatus, exitCode: number | undefined, reason: string | undefined): boolean {
    // typeof first: a value that is asked for as a key is made a string, which can take for ever
    if (typeof status !== 'string' || !Object.hasOwn(IS_TERMINAL, status)) {
      const given = typeof status === 'string' ? `"${status}"` : `of type ${typeof status}`;
      this.#notices.once('status', `there is no status ${given}; it is left out`);
      return false;
    }
    if (IS_TERMINAL[status]) this.#isEndSaid = true;
    if (!this.#saysStatus) return true;
    const fields = {
      status,
      exit_code: Number.isSafeInteger(exitCode) ? exitCode : undefined,
      reason: typeof reason === 'string' ? reason.slice(0, MAX_REASON) : undefined,
    };
    this.#append('status_changed', fields, 'now');
    return true;
  }

  #append(
    type: Exclude<EventType, 'writer_opened' | 'writer_closed'>,
    fields: object,
    urgency: Urgency,
  ): void {
    if (this.#isClosed) {
      this.#notices.once(
        `closed ${this.runId}`,
        `run ${this.runId} is closed, what is logged after that is left out`,
      );
      return;
    }
    this.#writer?.append({ type, run_id: this.runId, attempt: this.#lineAttempt, ...fields }, urgency);
  }

  #elapsedSeconds(): number {
    // to the microsecond: more digits would be noise in every line
    return Math.round((this.#monotonic() - this.#startedAt) * 1000) / 1_000_000;
  }

  #guarded(what: string, action: () => void): void {
    if (!this.active) return;
    try {
      action();
    } catch (error) {
      this.#notices.once(`${what} failed`, `${what}: ${messageOf(error)}; it is left out`);
    }
  }
}
