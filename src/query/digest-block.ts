// A block of a long series as the database keeps it, and what of it is wanted.
import { EXTRA_PREFIX, isMetricColumn } from './metric-point.ts';
import type { WantedMetrics } from './metric-names.ts';
import type { Extremes, Piece, PointRef } from './thin.ts';

/** A row of `_digests`. */
export interface DigestBlock {
  first_seq: number;
  last_seq: number;
  points: number;
  steps: number;
  min_step: number | null;
  max_step: number | null;
  epochs: number;
  min_epoch: number | null;
  max_epoch: number | null;
  extremes: string;
}

/** What a point must be to be wanted; null: anything. */
export interface Bounds {
  /** Points at or above these are superseded and not wanted. */
  cutStep: number | null;
  cutEpoch: number | null;
  /** Of the step, or of the epoch if a point has no step. */
  from: number | null;
  to: number | null;
}

/** `some`: its points have to be looked at one by one. */
export function wantedPart(
  block: DigestBlock,
  { cutStep, cutEpoch, from, to }: Bounds,
): 'all' | 'some' | 'none' {
  const { points, steps, min_step, max_step, epochs, min_epoch, max_epoch } = block;
  const lowest = least(min_step, min_epoch);
  const highest = greatest(max_step, max_epoch);
  const isPlaced = steps + epochs === points;

  const isBelowRange = from !== null && (highest === null || highest < from);
  const isAboveRange = to !== null && (lowest === null || lowest > to);
  if (isBelowRange || isAboveRange) return 'none';
  const areStepsCut = steps === 0 || (cutStep !== null && min_step !== null && min_step >= cutStep);
  const areEpochsCut = epochs === 0 || (cutEpoch !== null && min_epoch !== null && min_epoch >= cutEpoch);
  if (isPlaced && areStepsCut && areEpochsCut) return 'none';

  const isInRange =
    (from === null && to === null) ||
    (isPlaced && (from === null || (lowest ?? from) >= from) && (to === null || (highest ?? to) <= to));
  const isBelowCut =
    (cutStep === null || max_step === null || max_step < cutStep) &&
    (cutEpoch === null || max_epoch === null || max_epoch < cutEpoch);
  return isInRange && isBelowCut ? 'all' : 'some';
}

function least(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function greatest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}

type StoredExtremes = readonly [
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

/** Here `points` are those that have a wanted metric, at most. */
export interface BlockPiece extends Piece {
  /** Of so many points, with a wanted metric or not. */
  of: number;
  /** So many have one, at least. */
  fewest: number;
  /** All of them by seq, if they are no more than the block names; it need not be read for them. */
  known: readonly number[] | undefined;
}

/** The block as one piece of a series; undefined if it has none of the wanted metrics. */
export function pieceOfBlock(
  block: DigestBlock,
  stretch: number,
  wanted: WantedMetrics | undefined,
): BlockPiece | undefined {
  const refs = new Map<number, PointRef>();
  const at = (seq: number): PointRef => {
    const known = refs.get(seq) ?? { stretch, seq };
    if (!refs.has(seq)) refs.set(seq, known);
    return known;
  };
  const metrics = new Map<string, Extremes>();
  let [first, last] = [Infinity, -Infinity];
  let [fewest, most] = [0, 0];
  let isKnown = true;
  for (const stored of JSON.parse(block.extremes) as StoredExtremes[]) {
    const [name, count, firstSeq, lastSeq, minSeq, min, maxSeq, max, nonfiniteSeq] = stored;
    if (wanted !== undefined && !isWanted(name, wanted)) continue;
    first = Math.min(first, firstSeq);
    last = Math.max(last, lastSeq);
    fewest = Math.max(fewest, count);
    most += count;
    if (wanted !== undefined) {
      const named = new Set([firstSeq, lastSeq, minSeq, maxSeq, nonfiniteSeq ?? firstSeq]);
      isKnown &&= named.size === count;
      for (const seq of named) at(seq);
    }
    metrics.set(name, {
      min,
      minAt: at(minSeq),
      max,
      maxAt: at(maxSeq),
      nonfiniteAt: nonfiniteSeq === null ? null : at(nonfiniteSeq),
    });
  }
  if (wanted === undefined) {
    const { first_seq, last_seq, points } = block;
    const ends = { first: at(first_seq), last: at(last_seq) };
    return { points, of: points, fewest: points, ...ends, metrics, known: undefined };
  }
  if (metrics.size === 0) return undefined;
  const piece = { of: block.points, first: at(first), last: at(last), metrics };
  if (!isKnown) return { ...piece, points: Math.min(most, block.points), fewest, known: undefined };
  const known = [...refs.keys()].toSorted((a, b) => a - b);
  return { ...piece, points: known.length, fewest: known.length, known };
}

function isWanted(name: string, { columns, extra }: WantedMetrics): boolean {
  if (name.startsWith(EXTRA_PREFIX)) return extra.has(name.slice(EXTRA_PREFIX.length));
  return isMetricColumn(name) && columns.has(name);
}
