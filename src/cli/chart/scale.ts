// Values -> places along an axis.
import { shortNumber } from '../value-text.ts';
import { linearTicks, logTicks } from './ticks.ts';

export const LABEL_WIDTH = 11;
const LABEL_DIGITS = 4;

export interface Tick {
  /** Along the axis, from 0 to 1. */
  at: number;
  label: string;
}

export interface Scale {
  ticks: readonly Tick[];
  /** From 0 to 1. What lies beyond the ends of the axis is at its end, and null is what has no place on it. */
  placeOf: (value: number) => number | null;
}

export interface ScaleOptions {
  /** About so many ticks. */
  count: number;
  log: boolean;
  /** `round`: the axis ends at ticks; `data`: at the values, and ticks beyond them are left out. */
  ends: 'round' | 'data';
}

/** An axis that all values have a place on, save those that are not finite and, on one of logarithms, those up to 0. */
export function scaleOf(values: readonly number[], { count, log, ends }: ScaleOptions): Scale {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!isShown(value, log)) continue;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  if (least > greatest) [least, greatest] = log ? [1, 10] : [0, 1];
  if (least === greatest && ends === 'round') [least, greatest] = around(least, log);
  const round = least === greatest ? [least] : (log ? logTicks : linearTicks)(least, greatest, count);
  const ticks = round.length > 0 ? round : [least, greatest];
  const [from, to] =
    ends === 'data'
      ? [least, greatest]
      : [Math.min(least, ticks[0] ?? least), Math.max(greatest, ticks.at(-1) ?? greatest)];
  const placeOf = (value: number): number | null => (isShown(value, log) ? part(value, from, to, log) : null);
  const shown = ticks.filter((tick) => tick >= from && tick <= to);
  return { ticks: (shown.length > 0 ? shown : [from]).map((tick) => tickOf(tick, placeOf)), placeOf };
}

export function isShown(value: number, log: boolean): boolean {
  return Number.isFinite(value) && (!log || value > 0);
}

function tickOf(value: number, placeOf: Scale['placeOf']): Tick {
  return { at: placeOf(value) ?? 0, label: tickLabel(value) };
}

/** As many digits as its neighbours differ in, where there is room for them. */
function tickLabel(value: number): string {
  const size = Math.abs(value);
  const isPlain = size === 0 || (size >= 1e-4 && size < 1e6);
  const exact = isPlain ? String(value) : exponential(value);
  if (exact.length <= LABEL_WIDTH) return exact;
  return isPlain ? shortNumber(value) : exponential(Number(value.toPrecision(LABEL_DIGITS)));
}

/** 1e6, 2.5e-7. */
function exponential(value: number): string {
  return value.toExponential().replace('e+', 'e');
}

/** A range for a constant. */
function around(value: number, log: boolean): [number, number] {
  if (log) return [Math.max(value / 2, Number.MIN_VALUE), Math.min(value * 2, Number.MAX_VALUE)];
  if (value === 0) return [-1, 1];
  const half = Math.abs(value / 2);
  return [Math.max(value - half, -Number.MAX_VALUE), Math.min(value + half, Number.MAX_VALUE)];
}

function part(value: number, from: number, to: number, log: boolean): number {
  // halves, since the whole range may be more than a number can hold
  const [a, b, at] = log ? [Math.log(from), Math.log(to), Math.log(value)] : [from / 2, to / 2, value / 2];
  return b > a ? Math.min(1, Math.max(0, (at - a) / (b - a))) : 0;
}
