// A long series in blocks, so that a thinned curve of it can be drawn without reading all its points.
import { NAMED_METRICS, type NonFinite } from '../events/event.ts';
import type { ColumnSums, PointSums } from './column-sums.ts';
import { greater, lesser, type Point } from './series.ts';

/**
 * Points of a writer in a block. Few blocks are quick to read; a thinned curve has no finer parts. Of a series that does
 * not fill one no block is kept.
 */
export const BLOCK_POINTS = 1000;

/** How often a block has a metric, and where that is lowest, highest, and for the first time not finite; null: nowhere. */
export interface Extremes {
  count: number;
  firstSeq: number;
  lastSeq: number;
  min: number | null;
  minSeq: number;
  max: number | null;
  maxSeq: number;
  nonfiniteSeq: number | null;
}

/** Consecutive points of one run by one writer. */
export interface Block {
  /** 0 for the first of the writer. */
  block: number;
  firstSeq: number;
  lastSeq: number;
  points: number;
  /** How many have a step, and from where to where. */
  steps: number;
  minStep: number | null;
  maxStep: number | null;
  /** How many have an epoch and no step. */
  epochs: number;
  minEpoch: number | null;
  maxEpoch: number | null;
  columns: Map<string, Extremes>;
  extra: Map<string, Extremes>;
}

export function newBlock(block: number, firstSeq: number): Block {
  return {
    block,
    firstSeq,
    lastSeq: firstSeq,
    points: 0,
    steps: 0,
    minStep: null,
    maxStep: null,
    epochs: 0,
    minEpoch: null,
    maxEpoch: null,
    columns: new Map(),
    extra: new Map(),
  };
}

/** Adds a point; those of a block are added in the order of their seq. `nonfinite` is the column of that name. */
export function addToBlock(block: Block, point: Point, nonfinite: string | null): void {
  const { seq, step, epoch } = point;
  block.lastSeq = seq;
  block.points += 1;
  if (step !== null) {
    block.steps += 1;
    block.minStep = lesser(block.minStep, step);
    block.maxStep = greater(block.maxStep, step);
  } else if (epoch !== null) {
    block.epochs += 1;
    block.minEpoch = lesser(block.minEpoch, epoch);
    block.maxEpoch = greater(block.maxEpoch, epoch);
  }
  for (let index = 0; index < NAMED_METRICS.length; index += 1) {
    const name = NAMED_METRICS[index] ?? 'loss';
    addValue(block.columns, name, point[name], seq);
  }
  addValue(block.columns, 'gpu_memory_mb', point.gpuMemoryMb, seq);
  const { extra } = point;
  if (extra !== null) {
    for (const name of Object.keys(extra)) addValue(block.extra, name, (extra[name] ?? 0) + 0, seq);
  }
  if (nonfinite !== null) addNonFinite(block, nonfinite, seq);
}

/** The same as to add the points one by one; there must be room for them. */
export function addSumsToBlock(block: Block, sums: PointSums): void {
  const { step, epoch, lastSeq, points } = sums;
  block.lastSeq = lastSeq;
  block.points += points;
  if (step !== null) {
    block.steps += points;
    block.minStep = lesser(block.minStep, step.min);
    block.maxStep = greater(block.maxStep, step.max);
  } else if (epoch !== null) {
    block.epochs += epoch.count;
    block.minEpoch = lesser(block.minEpoch, epoch.min);
    block.maxEpoch = greater(block.maxEpoch, epoch.max);
  }
  const columns = [
    ...NAMED_METRICS.map((name, index) => ({ name, sums: sums.metrics[index] ?? null })),
    { name: 'gpu_memory_mb', sums: sums.gpuMemoryMb },
  ];
  // in the order in which they come, as one by one
  const found = columns.filter((each): each is { name: string; sums: ColumnSums } => each.sums !== null);
  for (const each of found.toSorted((a, b) => a.sums.firstSeq - b.sums.firstSeq)) {
    mergeColumn(block.columns, each.name, each.sums);
  }
  for (const { name, sums: of } of sums.extra) mergeColumn(block.extra, name, of);
}

function mergeColumn(metrics: Map<string, Extremes>, name: string, sums: ColumnSums): void {
  const { count, firstSeq, lastSeq, min, minSeq, max, maxSeq } = sums;
  const known = metrics.get(name);
  if (known === undefined) {
    metrics.set(name, { count, firstSeq, lastSeq, min, minSeq, max, maxSeq, nonfiniteSeq: null });
    return;
  }
  known.count += count;
  known.lastSeq = lastSeq;
  widen(known, min, minSeq);
  widen(known, max, maxSeq);
}

function addValue(metrics: Map<string, Extremes>, name: string, value: number | null, seq: number): void {
  if (value === null) return;
  const known = metrics.get(name);
  if (known === undefined) {
    metrics.set(name, { ...newExtremes(seq), min: value, max: value });
    return;
  }
  known.count += 1;
  known.lastSeq = seq;
  widen(known, value, seq);
}

/** Of equal values the earlier one stays. */
function widen(known: Extremes, value: number, seq: number): void {
  if (known.min === null || value < known.min) {
    known.min = value;
    known.minSeq = seq;
  }
  if (known.max === null || value > known.max) {
    known.max = value;
    known.maxSeq = seq;
  }
}

function newExtremes(seq: number): Extremes {
  return {
    count: 1,
    firstSeq: seq,
    lastSeq: seq,
    min: null,
    minSeq: seq,
    max: null,
    maxSeq: seq,
    nonfiniteSeq: null,
  };
}

const EXTRA_PREFIX = 'extra.';

function addNonFinite(block: Block, nonfinite: string, seq: number): void {
  for (const key of Object.keys(JSON.parse(nonfinite) as Record<string, NonFinite>)) {
    const isExtra = key.startsWith(EXTRA_PREFIX);
    const metrics = isExtra ? block.extra : block.columns;
    const name = isExtra ? key.slice(EXTRA_PREFIX.length) : key;
    const known = metrics.get(name);
    if (known === undefined) metrics.set(name, { ...newExtremes(seq), nonfiniteSeq: seq });
    else {
      known.count += 1;
      known.lastSeq = seq;
      known.nonfiniteSeq ??= seq;
    }
  }
}

/** As `_digests.extremes` holds it, by name. */
type StoredExtremes = [
  name: string,
  count: number,
  firstSeq: number,
  lastSeq: number,
  minSeq: number,
  min: number | null,
  maxSeq: number,
  max: number | null,
  nonfiniteSeq: number | null,
];

export function encodeExtremes({ columns, extra }: Pick<Block, 'columns' | 'extra'>): string {
  return JSON.stringify([
    ...[...columns].map(([name, extremes]) => stored(name, extremes)),
    ...[...extra].map(([name, extremes]) => stored(EXTRA_PREFIX + name, extremes)),
  ]);
}

function stored(name: string, extremes: Extremes): StoredExtremes {
  const { count, firstSeq, lastSeq, minSeq, min, maxSeq, max, nonfiniteSeq } = extremes;
  return [name, count, firstSeq, lastSeq, minSeq, min, maxSeq, max, nonfiniteSeq];
}

export function decodeExtremes(text: string): Pick<Block, 'columns' | 'extra'> {
  const columns = new Map<string, Extremes>();
  const extra = new Map<string, Extremes>();
  for (const each of JSON.parse(text) as StoredExtremes[]) {
    const [name, count, firstSeq, lastSeq, minSeq, min, maxSeq, max, nonfiniteSeq] = each;
    const extremes = { count, firstSeq, lastSeq, min, minSeq, max, maxSeq, nonfiniteSeq };
    if (name.startsWith(EXTRA_PREFIX)) extra.set(name.slice(EXTRA_PREFIX.length), extremes);
    else columns.set(name, extremes);
  }
  return { columns, extra };
}
