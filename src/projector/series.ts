// The points of one attempt by one writer, summed up so that a batch costs only its own points.
// Every field is independent of the order in which the points are given.
import { NAMED_METRICS, type NamedMetric } from '../events/event.ts';
import type { ColumnSums, PointSums } from './column-sums.ts';

/** What `run_results` needs of a point; null is absent or not finite. */
export interface Point extends Record<NamedMetric, number | null> {
  seq: number;
  elapsedSeconds: number;
  epoch: number | null;
  step: number | null;
  gpuMemoryMb: number | null;
  extra: Readonly<Record<string, number>> | null;
}

/** The best or final value so far, and the point it came from. */
export interface Mark {
  value: number;
  epoch: number | null;
  seq: number;
}

export interface ExtraSummary {
  min: number;
  max: number;
  final: number;
  finalSeq: number;
}

/** Of the points in the view, that is below both cuts. */
export interface Summary {
  points: number;
  lastEpoch: number | null;
  elapsedSeconds: number | null;
  peakGpuMemoryMb: number | null;
  /** In the order of NAMED_METRICS. */
  best: (Mark | null)[];
  final: (Mark | null)[];
  extra: Map<string, ExtraSummary>;
}

/** A point with a `step` is superseded from `step` on, one with only an `epoch` from `epoch` on. */
export interface Cut {
  step: number | null;
  epoch: number | null;
}

export interface Series {
  writer: string;
  attempt: string;
  /** The lowest of all its points, superseded or not. */
  minStep: number | null;
  minEpoch: number | null;
  /** The cut that `summary` was made under. */
  cut: Cut;
  summary: Summary;
}

export function emptySummary(): Summary {
  return {
    points: 0,
    lastEpoch: null,
    elapsedSeconds: null,
    peakGpuMemoryMb: null,
    best: NAMED_METRICS.map(() => null),
    final: NAMED_METRICS.map(() => null),
    extra: new Map(),
  };
}

export function newSeries(writer: string, attempt: string): Series {
  return {
    writer,
    attempt,
    minStep: null,
    minEpoch: null,
    cut: { step: null, epoch: null },
    summary: emptySummary(),
  };
}

/** Adds one point to its series. */
export function addPoint(series: Series, point: Point): void {
  if (point.step !== null) series.minStep = lesser(series.minStep, point.step);
  if (point.epoch !== null) series.minEpoch = lesser(series.minEpoch, point.epoch);
  if (!isSuperseded(point, series.cut)) summarize(series.summary, point);
}

export function isSuperseded(point: Pick<Point, 'step' | 'epoch'>, cut: Cut): boolean {
  if (point.step !== null) return cut.step !== null && point.step >= cut.step;
  return point.epoch !== null && cut.epoch !== null && point.epoch >= cut.epoch;
}

export function summarize(summary: Summary, point: Point): void {
  const { seq, epoch } = point;
  summary.points += 1;
  if (epoch !== null) summary.lastEpoch = greater(summary.lastEpoch, epoch);
  summary.elapsedSeconds = greater(summary.elapsedSeconds, point.elapsedSeconds);
  if (point.gpuMemoryMb !== null) {
    summary.peakGpuMemoryMb = greater(summary.peakGpuMemoryMb, point.gpuMemoryMb);
  }
  // by index, since an iterator for each of a million points is felt
  for (let index = 0; index < NAMED_METRICS.length; index += 1) {
    const name = NAMED_METRICS[index] ?? 'loss';
    const value = point[name];
    if (value === null) continue;
    if (isBetter(name, value, seq, summary.best[index])) summary.best[index] = { value, epoch, seq };
    const final = summary.final[index];
    if (!final || seq > final.seq) summary.final[index] = { value, epoch, seq };
  }
  if (point.extra !== null) summarizeExtra(summary.extra, point.extra, seq);
}

function isBetter(name: NamedMetric, value: number, seq: number, best: Mark | null | undefined): boolean {
  if (!best) return true;
  const order = compareGoodness(name, value, best.value);
  return order > 0 || (order === 0 && seq < best.seq);
}

/** The same as to add the points one by one, to a series that nothing is cut off from. */
export function addSums(series: Series, sums: PointSums): void {
  const { summary } = series;
  const { step, epoch, elapsedSeconds, gpuMemoryMb } = sums;
  if (step !== null) series.minStep = lesser(series.minStep, step.min);
  if (epoch !== null) {
    series.minEpoch = lesser(series.minEpoch, epoch.min);
    summary.lastEpoch = greater(summary.lastEpoch, epoch.max);
  }
  summary.points += sums.points;
  if (elapsedSeconds !== null) {
    summary.elapsedSeconds = greater(summary.elapsedSeconds, elapsedSeconds.max);
  }
  if (gpuMemoryMb !== null) {
    summary.peakGpuMemoryMb = greater(summary.peakGpuMemoryMb, gpuMemoryMb.max);
  }
  for (const [index, name] of NAMED_METRICS.entries()) {
    const metric = sums.metrics[index];
    if (metric) addMetric(summary, index, name, metric, sums);
  }
  for (const { name, sums: of } of sums.extra) addExtra(summary.extra, name, of);
}

function addMetric(
  summary: Summary,
  index: number,
  name: NamedMetric,
  metric: ColumnSums,
  sums: PointSums,
): void {
  const isLowest = compareGoodness(name, 0, 1) > 0;
  const value = isLowest ? metric.min : metric.max;
  const seq = isLowest ? metric.minSeq : metric.maxSeq;
  if (isBetter(name, value, seq, summary.best[index])) {
    summary.best[index] = { value, epoch: sums.epochOf(seq), seq };
  }
  const final = summary.final[index];
  const { last, lastSeq } = metric;
  if (!final || lastSeq > final.seq) {
    summary.final[index] = { value: last, epoch: sums.epochOf(lastSeq), seq: lastSeq };
  }
}

function addExtra(
  extra: Map<string, ExtraSummary>,
  name: string,
  { min, max, last, lastSeq }: ColumnSums,
): void {
  const known = extra.get(name);
  if (known === undefined) {
    extra.set(name, { min, max, final: last, finalSeq: lastSeq });
    return;
  }
  known.min = Math.min(known.min, min);
  known.max = Math.max(known.max, max);
  if (lastSeq <= known.finalSeq) return;
  known.final = last;
  known.finalSeq = lastSeq;
}

/** Positive if `a` is better than `b`: the lowest loss, the highest of the others. */
export function compareGoodness(metric: NamedMetric | undefined, a: number, b: number): number {
  return metric === 'loss' ? b - a : a - b;
}

function summarizeExtra(
  extra: Map<string, ExtraSummary>,
  values: Readonly<Record<string, number>>,
  seq: number,
): void {
  for (const name of Object.keys(values)) {
    // + 0, because negative zero is zero
    const value = (values[name] ?? 0) + 0;
    const known = extra.get(name);
    if (known === undefined) {
      extra.set(name, { min: value, max: value, final: value, finalSeq: seq });
      continue;
    }
    if (value < known.min) known.min = value;
    if (value > known.max) known.max = value;
    if (seq > known.finalSeq) {
      known.final = value;
      known.finalSeq = seq;
    }
  }
}

export function lesser(a: number | null, b: number): number {
  return a === null || b < a ? b : a;
}

export function greater(a: number | null, b: number): number {
  return a === null || b > a ? b : a;
}

/** `summary` as JSON, for `_series`. */
export function encodeSummary(summary: Summary): string {
  return JSON.stringify({ ...summary, extra: [...summary.extra] });
}

export function decodeSummary(text: string): Summary {
  const stored = JSON.parse(text) as Omit<Summary, 'extra'> & { extra: [string, ExtraSummary][] };
  return { ...stored, extra: new Map(stored.extra) };
}
