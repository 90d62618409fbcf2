// Consecutive points summed up column by column: what they add to their series and to its blocks.
import { NAMED_METRICS } from '../events/event.ts';
import { EPOCH, GPU_MEMORY, LOSS, NUMBER_FIELDS, STEP } from './line-shape.ts';

/** Of the points that have a value. */
export interface ColumnSums {
  count: number;
  firstSeq: number;
  lastSeq: number;
  min: number;
  /** Of equal values that of the first. */
  minSeq: number;
  max: number;
  maxSeq: number;
  last: number;
}

/** Points whose seq follow one another and whose values are all finite; null: none has it. */
export interface PointSums {
  points: number;
  firstSeq: number;
  lastSeq: number;
  elapsedSeconds: ColumnSums | null;
  /** Of all points, or of none. */
  step: ColumnSums | null;
  epoch: ColumnSums | null;
  /** In the order of NAMED_METRICS. */
  metrics: (ColumnSums | null)[];
  gpuMemoryMb: ColumnSums | null;
  /** In the order in which they come. A name may come again. */
  extra: { name: string; sums: ColumnSums }[];
  epochOf(seq: number): number | null;
}

const NUMBERS = NUMBER_FIELDS.length;

/** Of `count` points that begin at the `first`-th line; undefined if some have a step and some have none. */
export function pointSums(
  numbers: Float64Array,
  first: number,
  count: number,
  firstSeq: number,
): PointSums | undefined {
  const from = first * NUMBERS;
  const of = (field: number): ColumnSums | null =>
    columnSums(numbers, from + field, NUMBERS, count, firstSeq);
  const step = of(STEP);
  if (step !== null && step.count !== count) return undefined;
  return {
    points: count,
    firstSeq,
    lastSeq: firstSeq + count - 1,
    elapsedSeconds: of(0),
    step,
    epoch: of(EPOCH),
    metrics: NAMED_METRICS.map((_, index) => of(LOSS + index)),
    gpuMemoryMb: of(GPU_MEMORY),
    extra: [],
    epochOf(seq) {
      const epoch = numbers[from + (seq - firstSeq) * NUMBERS + EPOCH] ?? Number.NaN;
      return Number.isNaN(epoch) ? null : epoch + 0;
    },
  };
}

/** Of each `stride`-th of the values; those that are NaN are not there. */
export function columnSums(
  values: Float64Array,
  from: number,
  stride: number,
  count: number,
  firstSeq: number,
): ColumnSums | null {
  let found = 0;
  let firstAt = 0;
  let lastAt = 0;
  let min = Number.POSITIVE_INFINITY;
  let minAt = 0;
  let max = Number.NEGATIVE_INFINITY;
  let maxAt = 0;
  for (let nth = 0, at = from; nth < count; nth += 1, at += stride) {
    const value = values[at] as number;
    if (value < min) {
      min = value;
      minAt = nth;
    }
    if (value > max) {
      max = value;
      maxAt = nth;
    }
    if (Number.isNaN(value)) continue;
    if (found === 0) firstAt = nth;
    lastAt = nth;
    found += 1;
  }
  if (found === 0) return null;
  return {
    count: found,
    firstSeq: firstSeq + firstAt,
    lastSeq: firstSeq + lastAt,
    // negative zero is zero
    min: min + 0,
    minSeq: firstSeq + minAt,
    max: max + 0,
    maxSeq: firstSeq + maxAt,
    last: (values[from + lastAt * stride] as number) + 0,
  };
}
