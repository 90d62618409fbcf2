// The rows of one run in the database: its events, its series, its small tables.
import type { Statement } from 'better-sqlite3';
import type { Db } from '../db/open.ts';
import type { FoldEvent } from './attempts.ts';
import { pointOf } from './event-row.ts';
import type { FoldedRun, RunRow } from './fold.ts';
import { MetricInserts, type MetricBlock, type MetricValues } from './metric-inserts.ts';
import type { ResultsRow, ViewedAttempts } from './results.ts';
import { decodeSummary, encodeSummary, type Point, type Series } from './series.ts';
import type { SlurmJobRow } from './slurm-fold.ts';

export interface StoredSeries {
  series: Series;
  /** Points of this run and writer belong to this series unless `_point_attempts` says otherwise. */
  isDefault: boolean;
}

/** The columns of `experiment_runs` but `run_id`. */
const RUN_COLUMNS: readonly (keyof RunRow)[] = [
  'experiment_number', 'dataset', 'method', 'subject', 'cl_info', 'seed', 'status', 'status_reason', 'exit_code',
  'config', 'tags', 'notes', 'hidden', 'slurm_job_id', 'slurm_array_task_id', 'host', 'user_name', 'git_commit',
  'git_dirty', 'command', 'cwd', 'attempt_count', 'created_at', 'started_at', 'finished_at',
]; // prettier-ignore

const SLURM_COLUMNS: readonly (keyof SlurmJobRow)[] = [
  'job_id', 'array_job_id', 'array_task_id', 'restart_count', 'attempt', 'state', 'reason', 'partition', 'account',
  'node_list', 'cpus', 'gpus', 'memory_mb', 'time_limit_seconds', 'submitted_at', 'started_at', 'ended_at',
  'exit_code', 'signal', 'max_rss_mb', 'cpu_seconds', 'stdout_path', 'stderr_path',
]; // prettier-ignore

const RESULTS_COLUMN_COUNT = 18;

interface EventRow {
  writer: string;
  seq: number;
  attempt: string;
  body: string;
}

interface SeriesRow {
  writer: string;
  attempt: string;
  is_default: number;
  min_step: number | null;
  min_epoch: number | null;
  cut_step: number | null;
  cut_epoch: number | null;
  summary: string;
}

export class RunStore {
  readonly #statements: Map<string, Statement> = new Map();
  readonly #db: Db;
  readonly #metrics: MetricInserts;

  constructor(db: Db) {
    this.#db = db;
    this.#metrics = new MetricInserts(db);
  }

  #sql(text: string): Statement {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  /** A whole row of `run_metrics`. */
  addMetric(row: MetricValues): void {
    this.#metrics.add(row);
  }

  addMetrics(block: MetricBlock, writer: string): void {
    this.#metrics.addBlock(block, writer);
  }

  addPointAttempt(runId: string, writer: string, seq: number, attempt: string): void {
    this.#sql('INSERT INTO _point_attempts VALUES (?, ?, ?, ?)').run(runId, writer, seq, attempt);
  }

  addEvent(runId: string, { writer, seq, attempt, event, host, user }: FoldEvent): void {
    const body = JSON.stringify({ event, host, user });
    this.#sql('INSERT INTO _events VALUES (?, ?, ?, ?, ?, ?, ?)').run(
      runId, writer, seq, event.type, attempt, event.ts, body,
    ); // prettier-ignore
  }

  addError(runId: string, writer: string, seq: number, values: (string | null)[]): void {
    this.#sql('INSERT INTO run_errors VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(runId, writer, seq, ...values);
  }

  addSample(runId: string, writer: string, seq: number, values: (string | number | null)[]): void {
    this.#sql(`INSERT INTO _samples VALUES (?, ?, ?${', ?'.repeat(7)})`).run(runId, writer, seq, ...values);
  }

  events(runId: string): FoldEvent[] {
    const rows = this.#sql('SELECT writer, seq, attempt, body FROM _events WHERE run_id = ?').all(
      runId,
    ) as EventRow[];
    return rows.map(({ writer, seq, attempt, body }) => {
      const { event, host, user } = JSON.parse(body) as Pick<FoldEvent, 'event' | 'host' | 'user'>;
      return { writer, seq, attempt, event, host, user };
    });
  }

  series(runId: string): StoredSeries[] {
    const rows = this.#sql('SELECT * FROM _series WHERE run_id = ?').all(runId) as SeriesRow[];
    return rows.map((row) => ({
      isDefault: row.is_default === 1,
      series: {
        writer: row.writer,
        attempt: row.attempt,
        minStep: row.min_step,
        minEpoch: row.min_epoch,
        cut: { step: row.cut_step, epoch: row.cut_epoch },
        summary: decodeSummary(row.summary),
      },
    }));
  }

  saveSeries(runId: string, { series, isDefault }: StoredSeries): void {
    const { writer, attempt, minStep, minEpoch, cut, summary } = series;
    this.#sql('INSERT OR REPLACE INTO _series VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      runId, writer, attempt, isDefault ? 1 : 0, minStep, minEpoch, cut.step, cut.epoch, encodeSummary(summary),
    ); // prettier-ignore
  }

  /** The points of one series, one by one, by one scan of its range. */
  *points(runId: string, { series, isDefault }: StoredSeries): Generator<Point> {
    const { writer, attempt } = series;
    const own = isDefault ? 'p.attempt IS NULL OR p.attempt = @attempt' : 'p.attempt = @attempt';
    const rows = this.#sql(
      `SELECT m.* FROM run_metrics m
       LEFT JOIN _point_attempts p ON p.run_id = m.run_id AND p.writer = m.writer AND p.seq = m.seq
       WHERE m.run_id = @runId AND m.writer = @writer AND (${own}) ORDER BY m.seq`,
    ).iterate({ runId, writer, attempt });
    for (const row of rows) yield pointOf(row as Parameters<typeof pointOf>[0]);
  }

  attempts(runId: string): ViewedAttempts {
    const rows = this.#sql('SELECT attempt, in_view FROM _attempts WHERE run_id = ? ORDER BY position').all(
      runId,
    ) as { attempt: string; in_view: number }[];
    return rows.map((row) => ({ id: row.attempt, inView: row.in_view === 1 }));
  }

  /** The merged `results` of the run, as they were folded last. */
  results(runId: string): string | null {
    const row = this.#sql('SELECT results FROM run_results WHERE run_id = ?').get(runId) as
      | { results: string | null }
      | undefined;
    return row?.results ?? null;
  }

  /** Puts the fold of a run in the place of its rows; undefined removes them. */
  saveFold(runId: string, folded: FoldedRun | undefined): void {
    this.#sql('DELETE FROM _attempts WHERE run_id = ?').run(runId);
    this.#sql('DELETE FROM slurm_jobs WHERE run_id = ?').run(runId);
    if (folded === undefined) {
      this.#sql('DELETE FROM experiment_runs WHERE run_id = ?').run(runId);
      return;
    }
    const run = RUN_COLUMNS.map((column) => folded.run[column]);
    this.#insert('experiment_runs', ['run_id', ...RUN_COLUMNS], [runId, ...run]);
    for (const [position, attempt] of folded.attempts.entries()) {
      this.#sql(`INSERT INTO _attempts VALUES (?${', ?'.repeat(11)})`).run(
        runId, position, attempt.id, attempt.resume ? 1 : 0, attempt.inView ? 1 : 0, attempt.createdAt,
        attempt.status, attempt.reason, attempt.exitCode, attempt.startedAt, attempt.finishedAt, attempt.config,
      ); // prettier-ignore
    }
    for (const job of folded.slurmJobs) {
      const values = SLURM_COLUMNS.map((column) => job[column]);
      this.#insert('slurm_jobs', ['run_id', ...SLURM_COLUMNS], [runId, ...values]);
    }
  }

  #insert(table: string, columns: readonly string[], values: unknown[]): void {
    const marks = columns.map(() => '?').join(', ');
    this.#sql(`INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${marks})`).run(...values);
  }

  saveResults(runId: string, row: ResultsRow | undefined): void {
    if (row === undefined) this.#sql('DELETE FROM run_results WHERE run_id = ?').run(runId);
    else {
      const marks = ', ?'.repeat(RESULTS_COLUMN_COUNT);
      this.#sql(`INSERT OR REPLACE INTO run_results VALUES (?${marks})`).run(runId, ...row);
    }
  }

  /** Removes everything that a writer said; returns the runs that have to be folded again. */
  retract(writer: string): string[] {
    const runs = new Set<string>();
    for (const table of ['_events', '_series', 'run_errors', '_samples']) {
      for (const runId of this.#sql(`SELECT DISTINCT run_id FROM ${table} WHERE writer = ?`)
        .pluck()
        .all(writer)) {
        runs.add(String(runId));
      }
    }
    for (const table of [
      'run_metrics',
      'run_errors',
      '_events',
      '_samples',
      '_series',
      '_digests',
      '_point_attempts',
    ]) {
      const remove = this.#sql(`DELETE FROM ${table} WHERE run_id = ? AND writer = ?`);
      for (const runId of runs) remove.run(runId, writer);
    }
    return [...runs];
  }
}
