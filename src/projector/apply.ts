// Admitted events -> rows. A metric is one INSERT; a run's small tables are recomputed once a batch.
import type { Db } from '../db/open.ts';
import type { Event, EventOf, RunEvent } from '../events/event.ts';
import type { FoldedType } from './attempts.ts';
import { Digest, Digests } from './digests.ts';
import type { PlainLines } from './column-reader.ts';
import { metricRow, type MetricRow } from './event-row.ts';
import type { FileState } from './file-state.ts';
import { fold } from './fold.ts';
import { cutsOf, resultsRow } from './results.ts';
import type { MetricBlock } from './metric-inserts.ts';
import { RunStore, type StoredSeries } from './run-store.ts';
import {
  addPoint,
  addSums,
  emptySummary,
  isSuperseded,
  newSeries,
  summarize,
  type Cut,
  type Point,
  type Series,
} from './series.ts';

interface TouchedRun {
  /** By writer, then by attempt. */
  series: Map<string, Map<string, StoredSeries>>;
  dirty: Set<StoredSeries>;
  /** Of the writers that have points in this batch; undefined: none is kept of the points before them. */
  digests: Map<string, Digest | undefined>;
  hasNewEvents: boolean;
}

/** Applies the events of one transaction one by one, then `finish`. */
export class Applier {
  readonly #store: RunStore;
  readonly #digests: Digests;
  readonly #touched = new Map<string, TouchedRun>();
  #last: Last | undefined;

  constructor(db: Db) {
    this.#store = new RunStore(db);
    this.#digests = new Digests(db);
  }

  /** Applies an event of a file, which has said who its writer is. */
  event(file: FileState, event: Event, seq: number, extraJson: string | null | undefined): void {
    const { writer, attempt } = file;
    if (event.type === 'writer_opened' || event.type === 'writer_closed') return;
    if (writer === null || attempt === null) return;
    const of = event.attempt ?? attempt;
    if (event.type === 'metric') this.#applyMetric(event, writer, seq, of, extraJson);
    else this.#apply(event, { writer, seq, attempt: of, host: file.host, user: file.user });
  }

  /** Applies lines of a writer that need no judging one by one. */
  metrics({ writer, attempt }: FileState, lines: PlainLines): void {
    if (writer === null || attempt === null) return;
    const of = this.#seriesFor(lines.runId, writer, lines.attempt ?? attempt);
    const { series, digest } = of;
    const isUncut = series.cut.step === null && series.cut.epoch === null;
    for (let left = lines.count; left > 0;) {
      const count = Math.min(left, digest?.room ?? left);
      const sums = isUncut ? lines.sums(count) : undefined;
      if (sums === undefined) for (const point of lines.points(count)) addToSeries(of, point, null);
      else {
        addSums(series, sums);
        digest?.addSums(sums);
      }
      this.#addBlock(of, lines.take(count));
      left -= count;
    }
  }

  /** Takes back all that a writer said. */
  retract(writer: string): void {
    for (const runId of this.#store.retract(writer)) {
      const run = this.#touch(runId);
      run.hasNewEvents = true;
      for (const stored of run.series.get(writer)?.values() ?? []) run.dirty.delete(stored);
      run.series.delete(writer);
      run.digests.delete(writer);
      this.#last = undefined;
    }
  }

  /** Recomputes the small tables of all runs that were touched, and forgets them; returns how many. */
  finish(): number {
    const count = this.#touched.size;
    for (const [runId, run] of this.#touched) this.#refold(runId, run);
    this.discard();
    return count;
  }

  /** After a transaction, or in place of `finish` after one that failed. */
  discard(): void {
    this.#last = undefined;
    this.#touched.clear();
  }

  #apply(event: Exclude<RunEvent, EventOf<'metric'>>, from: Origin): void {
    switch (event.type) {
      case 'error':
        this.#store.addError(event.run_id, from.writer, from.seq, [
          event.ts,
          from.attempt,
          event.exception_type,
          event.message,
          event.traceback ?? null,
        ]);
        break;
      case 'resource_sample':
        this.#store.addSample(event.run_id, from.writer, from.seq, [
          event.ts,
          from.attempt,
          event.elapsed_seconds,
          event.cpu_percent ?? null,
          event.rss_mb ?? null,
          event.gpu_percent ?? null,
          event.gpu_memory_mb ?? null,
        ]);
        break;
      case 'run_created':
      case 'status_changed':
      case 'result':
      case 'slurm_info':
      case 'run_annotated':
        this.#applyFolded(event, from);
        break;
    }
  }

  #applyMetric(
    event: EventOf<'metric'>,
    writer: string,
    seq: number,
    attempt: string,
    extraJson: string | null | undefined,
  ): void {
    this.#addPoint(this.#seriesFor(event.run_id, writer, attempt), metricRow(event, writer, seq, extraJson));
  }

  #addBlock({ stored, series }: Last, block: MetricBlock): void {
    const { runId, firstSeq, count } = block;
    this.#store.addMetrics(block, series.writer);
    if (stored.isDefault) return;
    for (let seq = firstSeq; seq < firstSeq + count; seq += 1) {
      this.#store.addPointAttempt(runId, series.writer, seq, series.attempt);
    }
  }

  #addPoint(of: Last, { row, point }: MetricRow): void {
    const { runId, stored, series } = of;
    this.#store.addMetric(row);
    if (!stored.isDefault) this.#store.addPointAttempt(runId, series.writer, point.seq, series.attempt);
    addToSeries(of, point, (row[NONFINITE] ?? null) as string | null);
  }

  /** The series of a point, which will be saved; most points are of the same one as the point before. */
  #seriesFor(runId: string, writer: string, attempt: string): Last {
    const last = this.#last;
    if (last?.runId === runId && last.series.writer === writer && last.series.attempt === attempt) {
      return last;
    }
    const run = this.#touch(runId);
    if (!run.digests.has(writer)) {
      // of a series that begins here the points are counted as they come; any other one was read before
      const digest = run.series.has(writer) ? this.#digests.open(runId, writer) : new Digest();
      run.digests.set(writer, digest);
    }
    const stored = seriesFor(run, writer, attempt);
    run.dirty.add(stored);
    this.#last = { runId, stored, series: stored.series, digest: run.digests.get(writer) };
    return this.#last;
  }

  #applyFolded(event: EventOf<FoldedType>, origin: Origin): void {
    this.#store.addEvent(event.run_id, { ...origin, event });
    this.#touch(event.run_id).hasNewEvents = true;
  }

  #touch(runId: string): TouchedRun {
    let run = this.#touched.get(runId);
    if (run === undefined) {
      run = { series: new Map(), dirty: new Set(), digests: new Map(), hasNewEvents: false };
      for (const stored of this.#store.series(runId)) place(run, stored);
      this.#touched.set(runId, run);
    }
    return run;
  }

  #refold(runId: string, run: TouchedRun): void {
    let results: string | null = null;
    if (run.hasNewEvents) {
      const folded = fold(this.#store.events(runId));
      this.#store.saveFold(runId, folded);
      results = folded?.results ?? null;
    } else results = this.#store.results(runId);

    const attempts = this.#store.attempts(runId);
    const all = [...run.series.values()].flatMap((byAttempt) => [...byAttempt.values()]);
    const series = all.map((stored) => stored.series);
    const cuts = cutsOf(attempts, series);
    for (const stored of all) {
      const isOutOfView = attempts.some(({ id, inView }) => id === stored.series.attempt && !inView);
      if (!isOutOfView) this.#cut(runId, run, stored, cuts.get(stored.series.attempt) ?? NO_CUT);
    }
    for (const stored of run.dirty) this.#store.saveSeries(runId, stored);
    this.#saveDigests(runId, run);
    this.#store.saveResults(runId, attempts.length === 0 ? undefined : resultsRow(attempts, series, results));
  }

  #saveDigests(runId: string, run: TouchedRun): void {
    for (const [writer, digest] of run.digests) {
      const series = [...(run.series.get(writer)?.values() ?? [])];
      const points = series.reduce((sum, stored) => sum + stored.series.summary.points, 0);
      this.#digests.save(runId, writer, digest, points);
    }
  }

  /** Summarizes a series anew, by one scan of its range, if what supersedes its points has changed. */
  #cut(runId: string, run: TouchedRun, stored: StoredSeries, cut: Cut): void {
    const { series } = stored;
    if (series.cut.step === cut.step && series.cut.epoch === cut.epoch) return;
    series.cut = cut;
    series.summary = emptySummary();
    for (const point of this.#store.points(runId, stored)) {
      if (!isSuperseded(point, cut)) summarize(series.summary, point);
    }
    run.dirty.add(stored);
  }
}

/** What the point before went to. */
interface Last {
  runId: string;
  stored: StoredSeries;
  series: Series;
  digest: Digest | undefined;
}

function addToSeries({ series, digest }: Last, point: Point, nonfinite: string | null): void {
  addPoint(series, point);
  digest?.add(point, nonfinite);
}

interface Origin {
  writer: string;
  seq: number;
  attempt: string;
  host: string | null;
  user: string | null;
}

/** The index of the column `nonfinite`, the last of a row of `run_metrics`. */
const NONFINITE = 13;

const NO_CUT: Cut = { step: null, epoch: null };

function place(run: TouchedRun, stored: StoredSeries): void {
  const { writer, attempt } = stored.series;
  let byAttempt = run.series.get(writer);
  if (byAttempt === undefined) {
    byAttempt = new Map();
    run.series.set(writer, byAttempt);
  }
  byAttempt.set(attempt, stored);
}

/** The first series of a run and writer is their default one. */
function seriesFor(run: TouchedRun, writer: string, attempt: string): StoredSeries {
  const known = run.series.get(writer);
  const found = known?.get(attempt);
  if (found !== undefined) return found;
  const stored = { series: newSeries(writer, attempt), isDefault: known === undefined };
  place(run, stored);
  return stored;
}
