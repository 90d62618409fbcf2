// One object over all of it: on a laptop it is the whole system.
import { ulid } from 'ulid';
import { systemClock, type Clock } from './clock.ts';
import type { Holder } from './db/lock.ts';
import type { Db } from './db/open.ts';
import { RunfoldError } from './errors.ts';
import { codeInfo } from './events/code-info.ts';
import { errorFields } from './events/error-fields.ts';
import type { EventOf, RunStatus } from './events/event.ts';
import { openWriter, countExecution } from './events/writers.ts';
import type { EventInput, EventWriter } from './events/event-writer.ts';
import { toJsonObject } from './events/json-safe.ts';
import { metricFields, type Metrics, type Position } from './events/metric-fields.ts';
import { resolveRun, type RunOptions } from './events/run-options.ts';
import { locate, OpenProjector, type Place } from './projector/open.ts';
import type { PassOptions } from './projector/projector.ts';
import type { PassResult } from './projector/pass-result.ts';
import { startFromSnapshot } from './projector/start.ts';
import * as query from './query/index.ts';

export interface ExperimentDBOptions {
  /** The log's directory; default `RUNFOLD_DIR`, else the nearest `.runfold/` upwards. */
  ledger?: string | undefined;
  /** The database file; default `RUNFOLD_DB`, else a private file on a local disk. */
  db?: string | undefined;
  clock?: Clock;
}

/** What a person may say of a run afterwards. */
export interface Annotation {
  tags?: readonly string[];
  notes?: string;
  hidden?: boolean;
}

export interface StatusDetails {
  exitCode?: number;
  reason?: string;
  /** Who says so; default `job`. `slurm` must name the attempt. */
  source?: 'job' | 'wrapper' | 'slurm';
  attempt?: string;
}

/** `slurm_info` without what is filled in; a `source` of squeue or sacct must name the attempt. */
export type SlurmInfo = Omit<EventOf<'slurm_info'>, 'type' | 'ts' | 'seq' | 'run_id'>;

/** What a pass applied, or who keeps the database and applies it instead. */
export type SyncResult = ({ heldBy: undefined } & PassResult) | { heldBy: Holder };

/**
 * Writing methods append to the log, `sync()` applies what is pending, reading methods query. Writing never waits for
 * the database; what is written is read after the next `sync()`, whoever makes it.
 */
export class ExperimentDB implements AsyncDisposable {
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #attempts = new Map<string, string>();
  readonly #createdAt = new Map<string, number>();
  #writer: EventWriter | undefined;
  #db: Db | undefined;

  private constructor(place: Place, clock: Clock) {
    this.#place = place;
    this.#clock = clock;
  }

  /**
   * @throws RunfoldError `ledger_not_found`, `ledger_unreadable`, `database_on_network`, `database_unsafe`.
   */
  static async open(options: ExperimentDBOptions = {}): Promise<ExperimentDB> {
    return new ExperimentDB(await locate(options), options.clock ?? systemClock);
  }

  /** Absolute path of the database file. */
  get file(): string {
    return this.#place.file;
  }

  /**
   * Begins an attempt of a run and returns the run's id. Calling it again for the same run begins another attempt.
   *
   * @throws RunfoldError `invalid_key`, `usage`.
   */
  createRun(options: Omit<RunOptions, 'ledger' | 'allRanks' | 'signals'>): string {
    const { runId, key, config, tags, notes, resume } = resolveRun(options, process.argv[1]);
    const isAgain = countExecution(runId) > 0;
    const attempt = options.attempt ?? (isAgain ? ulid(this.#clock.now()) : this.#open().attempt);
    this.#attempts.set(runId, attempt);
    this.#createdAt.set(runId, this.#clock.now());
    const code = codeInfo(process.cwd(), process.argv);
    this.#append({ type: 'run_created', run_id: runId, ...key, config, tags, notes, resume, code }, 'now');
    return runId;
  }

  updateRunStatus(runId: string, status: RunStatus, details: StatusDetails = {}): void {
    const { exitCode, reason, source, attempt } = details;
    this.#append(
      { type: 'status_changed', run_id: runId, attempt, status, exit_code: exitCode, reason, source },
      'now',
    );
  }

  /** Appends a point; `elapsed_seconds` is since `createRun` unless given. Grouped for up to 1 s. */
  logMetrics(runId: string, metrics: Metrics, position?: Position): void {
    const since = this.#createdAt.get(runId) ?? this.#clock.now();
    const { fields, leftOut } = metricFields(metrics, position, (this.#clock.now() - since) / 1000);
    if (leftOut.length > 0) {
      throw new RunfoldError('usage', `not a number: ${leftOut.join(', ')}`);
    }
    if (fields !== undefined) this.#append({ type: 'metric', run_id: runId, ...fields }, 'soon');
  }

  logError(runId: string, error: unknown): void {
    this.#append({ type: 'error', run_id: runId, ...errorFields(error) }, 'now');
  }

  /** `results` is made a JSON object: NaN becomes a string, a Date its ISO form. */
  logResults(runId: string, results: object): void {
    this.#append({ type: 'result', run_id: runId, results: toJsonObject(results) }, 'now');
  }

  logSlurmInfo(runId: string, info: SlurmInfo): void {
    this.#append({ type: 'slurm_info', run_id: runId, ...info, attempt: info.attempt ?? undefined }, 'now');
  }

  annotateRun(runId: string, annotation: Annotation): void {
    this.#append({ type: 'run_annotated', run_id: runId, ...annotation }, 'now');
  }

  /**
   * Applies what is pending in the log, this object's own events among it. If another process keeps the database (a
   * `runfold watch`), that one applies it, and is named.
   */
  async sync(options: Pick<PassOptions, 'thorough' | 'onProgress' | 'signal'> = {}): Promise<SyncResult> {
    this.#writer?.flush();
    let open: OpenProjector;
    // what is wrong with a snapshot is no trouble of who reads the log instead
    await startFromSnapshot(this.#place, { clock: this.#clock, signal: options.signal });
    try {
      open = OpenProjector.open(this.#place, 'ExperimentDB.sync', this.#clock);
    } catch (error) {
      const holder =
        error instanceof RunfoldError && error.code === 'projector_running' ? error.cause : undefined;
      if (holder === undefined) throw error;
      return { heldBy: holder as Holder };
    }
    try {
      return { heldBy: undefined, ...(await open.projector.pass(options)) };
    } finally {
      open.close();
    }
  }

  /** Runs that match, newest first. */
  getAllRuns(filter: query.RunQuery = {}): query.RunRecord[] {
    return query.getAllRuns(this.#read(), filter);
  }

  /** Named fields of the runs that match, one array a run: `db.selectRuns(['dataset', 'config.lr', 'final.acc'])`. */
  selectRuns(fields: readonly string[], filter: query.RunQuery = {}): unknown[][] {
    return query.selectRuns(this.#read(), fields, filter);
  }

  /** How many runs match. */
  countRuns(filter: query.RunFilter = {}): number {
    return query.countRuns(this.#read(), filter);
  }

  /** Runs that are pending or running, with the time of the newest line that their processes wrote. */
  getActiveRuns(filter: query.RunFilter = {}): query.ActiveRun[] {
    return query.getActiveRuns(this.#read(), filter);
  }

  /** Two runs or more side by side, what differs first. */
  compareRuns(ids: readonly string[]): query.Comparison {
    return query.compareRuns(this.#read(), ids);
  }

  /** @param id a run id, or the beginning of one that no other run has, or `@last`. */
  getRun(id: string): query.RunRecord {
    return query.getRun(this.#read(), id);
  }

  /** @param id as for `getRun`; empty if there is no such run. */
  getRunMetrics(id: string, options: query.MetricsOptions = {}): query.MetricPoint[] {
    return query.getRunMetrics(this.#read(), this.#resolve(id), options);
  }

  /** The mean of a metric over the runs of each group, with a band around it. */
  getCurves(metric: string, options: query.CurvesOptions = {}): query.Curves {
    return query.getCurves(this.#read(), metric, options);
  }

  /** @param id as for `getRun`; empty if there is no such run. Default: those of all runs. */
  getRunErrors(id?: string): query.RunError[] {
    return query.getRunErrors(this.#read(), id === undefined ? id : this.#resolve(id));
  }

  /** The errors of the runs that match, by exception type, or by place in the code. */
  getErrorGroups(options: query.ErrorGroupsOptions = {}): query.ErrorGroup[] {
    return query.getErrorGroups(this.#read(), options);
  }

  /** @param id as for `getRun`; null if there is no such run, or nothing came of it yet. */
  getRunResults(id: string): query.RunResults | null {
    return query.getRunResults(this.#read(), this.#resolve(id));
  }

  /** @param id as for `getRun`; empty if there is no such run. Default: those of all runs. */
  getSlurmJobs(id?: string): query.SlurmJob[] {
    return query.getSlurmJobs(this.#read(), id === undefined ? id : this.#resolve(id));
  }

  /** The SLURM jobs of the runs that match, an array as one; with counts of its states, holes, and what was used. */
  getJobs(options: query.JobsOptions = {}): query.Job[] {
    return query.getJobs(this.#read(), this.#asOfNow(options));
  }

  /** The same, each task and restart by itself. */
  getJobTasks(options: query.JobsOptions = {}): query.UsedJobTask[] {
    return query.getJobTasks(this.#read(), this.#asOfNow(options));
  }

  /** GPU and CPU hours that the runs that match spent, by how their attempts ended. */
  getJobHours(options: Omit<query.JobsOptions, 'limit'> = {}): query.StatusHours[] {
    return query.getJobHours(this.#read(), this.#asOfNow(options));
  }

  /** The runs that match and failed or timed out, by cause, with what they share. */
  getFailures(options: query.FailuresOptions = {}): query.FailureGroup[] {
    return query.getFailures(this.#read(), options);
  }

  /** Methods by data sets, or other fields, with mean, spread and rank of a metric over the runs of each cell. */
  leaderboard(options: query.LeaderboardOptions): query.Leaderboard {
    return query.leaderboard(this.#read(), options);
  }

  /** Flushes what was written and closes the database. The log's file of this process ends with the process. */
  close(): void {
    this.#writer?.flush();
    this.#db?.close();
    this.#db = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #open(): EventWriter {
    this.#writer = openWriter({ ledger: this.#place.ledger.path });
    return this.#writer;
  }

  #append(event: EventInput, urgency: 'now' | 'soon'): void {
    const own = this.#attempts.get(event.run_id);
    const writer = this.#open();
    const attempt = event.attempt ?? (own === writer.attempt ? undefined : own);
    if (!writer.append({ ...event, attempt }, urgency)) {
      throw new RunfoldError('usage', `the ${event.type} was not written: see the message on stderr`);
    }
  }

  #asOfNow(options: query.JobsOptions): query.JobsOptions {
    const { runId, now = this.#clock.now() } = options;
    return { ...options, now, runId: runId === undefined ? runId : this.#resolve(runId) };
  }

  /** No run has the empty id. */
  #resolve(id: string): string {
    return query.resolveRunId(this.#read(), id) ?? '';
  }

  #read(): Db {
    try {
      this.#db ??= query.openQuery(this.#place.file);
    } catch (error) {
      if (!(error instanceof RunfoldError) || error.code !== 'database_missing') throw error;
      throw new RunfoldError(error.code, error.message, {
        hint: 'Call await db.sync(), or run: runfold sync',
        cause: error,
      });
    }
    return this.#db;
  }
}
