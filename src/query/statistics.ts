// Of a sample of numbers: what a paper says about it.
import jStat from 'jstat';

export interface Summary {
  n: number;
  /** null: there is no value. */
  mean: number | null;
  /** Of the sample, that is over n - 1; null for fewer than two values. */
  std: number | null;
  /** Where the true mean is with 95 % confidence, by Student's t; null for fewer than two values. */
  ci95: readonly [number, number] | null;
  min: number | null;
  max: number | null;
}

/** Of Student's paired test, two-sided. */
export interface PairedT {
  pairs: number;
  meanDifference: number;
  /** null if all differences are the same. */
  t: number | null;
  df: number;
  /** null if all differences are the same but not 0: there is nothing to measure them by. Then t is null too. */
  p: number | null;
}

const CONFIDENCE = 0.95;
/** Squares beyond these would overflow or vanish. */
const HUGE = 1e150;
const TINY = 1e-150;
/** Differences of decimal fractions are exact up to this share of the numbers themselves. */
const ROUNDING = 4 * Number.EPSILON;

/** @param values finite numbers */
export function summarize(values: readonly number[]): Summary {
  const n = values.length;
  const mean = meanOf(values);
  if (mean === null) return { n, mean, std: null, ci95: null, min: null, max: null };
  const [min, max] = extremes(values);
  const std = deviation(values, mean);
  if (std === null) return { n, mean, std, ci95: null, min, max };
  const margin = std === 0 ? 0 : tQuantile((1 + CONFIDENCE) / 2, n - 1) * (std / Math.sqrt(n));
  return { n, mean, std, ci95: [mean - margin, mean + margin], min, max };
}

/**
 * Whether `a` and `b` differ, pair by pair; null for fewer than two pairs.
 *
 * @param pairs finite numbers
 */
export function pairedT(pairs: readonly (readonly [a: number, b: number])[]): PairedT | null {
  const differences = pairs.map(([a, b]) => a - b);
  const mean = meanOf(differences);
  const std = mean === null ? null : deviation(differences, mean);
  if (mean === null || std === null) return null;
  const [n, df] = [pairs.length, pairs.length - 1];
  const scale = greatestSize(pairs);
  if (std <= ROUNDING * scale) {
    const isSame = Math.abs(mean) <= ROUNDING * scale;
    return { pairs: n, meanDifference: isSame ? 0 : mean, t: null, df, p: isSame ? 1 : null };
  }
  const t = mean / (std / Math.sqrt(n));
  return { pairs: n, meanDifference: mean, t, df, p: twoSidedP(t, df) };
}

function greatestSize(pairs: readonly (readonly [number, number])[]): number {
  let size = 0;
  for (const [a, b] of pairs) size = Math.max(size, Math.abs(a), Math.abs(b));
  return size;
}

/** What Student's t with `df` degrees of freedom is below with probability `p`. */
export function tQuantile(p: number, df: number): number {
  return jStat.studentt.inv(p, df);
}

/** How likely Student's t with `df` degrees of freedom is as far from 0 as `t`, on either side. */
export function twoSidedP(t: number, df: number): number {
  // not by the distribution itself, whose tail loses its digits next to 1
  return jStat.ibeta(df / (df + t * t), df / 2, 0.5);
}

/** null if there is no value. As exact as if it were rounded once, so that order does not matter. */
function meanOf(values: readonly number[]): number | null {
  const n = values.length;
  if (n === 0) return null;
  const [min, max] = extremes(values);
  const isHuge = Math.max(-min, max) > Number.MAX_VALUE / n;
  let sum = 0;
  let lost = 0;
  for (const each of values) {
    const value = isHuge ? each / n : each;
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  const mean = isHuge ? sum + lost : (sum + lost) / n;
  return Math.min(max, Math.max(min, mean)) + 0;
}

/** In two passes, the mean being the first; null for fewer than two values. */
function deviation(values: readonly number[], mean: number): number | null {
  const n = values.length;
  if (n < 2) return null;
  const [min, max] = extremes(values);
  const range = Math.max(max - mean, mean - min);
  if (range === 0) return 0;
  const unit = range > HUGE || range < TINY ? range : 1;
  let squares = 0;
  for (const value of values) squares += ((value - mean) / unit) ** 2;
  return Math.sqrt(squares / (n - 1)) * unit;
}

function extremes(values: readonly number[]): [min: number, max: number] {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  // + 0, because negative zero is zero
  return [min + 0, max + 0];
}
