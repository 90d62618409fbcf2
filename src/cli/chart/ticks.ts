// Round values for an axis.

/** Of a step between two of them, and the greatest that each stands for: the middle to the next, as factors go. */
const ROUND = [
  [1, Math.sqrt(2)],
  [2, Math.sqrt(10)],
  [5, Math.sqrt(50)],
] as const;

/**
 * Multiples of 1, 2 or 5 times a power of ten, about `count` of them, from at or below the least to at or above the
 * greatest value, save for rounding. Both must be finite, `least` below `greatest`.
 */
export function linearTicks(least: number, greatest: number, count: number): number[] {
  // divided first: the whole range may be more than a number can hold
  const rough = greatest / count - least / count;
  const power = Math.floor(Math.log10(rough));
  const digits = rough / 10 ** power;
  const [factor] = ROUND.find(([, upTo]) => digits < upTo) ?? [10];
  // as text, which makes 0.3 of 3 tenths, where a product would not
  const at = (step: number): number => Number(`${step * factor}e${power}`);
  const first = Math.floor(least / at(1));
  const last = Math.ceil(greatest / at(1));
  if (
    !Number.isFinite(first) ||
    !Number.isFinite(last) ||
    !Number.isFinite(at(1)) ||
    last - first > 4 * count
  )
    return [least, greatest];
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => at(first + index));
  // where numbers are hardly finer than the step, they may all round to the same side
  const rounding = greatest / 1e9 - least / 1e9;
  const isEnclosing =
    (ticks[0] ?? least) <= least + rounding && (ticks.at(-1) ?? greatest) >= greatest - rounding;
  return ticks.every(Number.isFinite) && isEnclosing ? ticks : [least, greatest];
}

/** The same for an axis of logarithms: powers of ten; within two of them also their double and fivefold. */
export function logTicks(least: number, greatest: number, count: number): number[] {
  const [low, high] = [Math.log10(least), Math.log10(greatest)];
  // within one power the round numbers are closer than 1, 2, 5, 10
  if (high - low < 0.7) {
    const ticks = linearTicks(least, greatest, count);
    return ticks.filter((tick, index) => tick > 0 && (index > 0 || tick > least / 10));
  }
  if (high - low <= 2) return within(stepsOfPowers(Math.floor(low), Math.ceil(high)), least, greatest);
  const stride = Math.max(1, Math.round((high - low) / count));
  const first = Math.floor(low / stride);
  const last = Math.ceil(high / stride);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(`1e${(first + index) * stride}`),
  ).filter((tick) => tick > 0 && Number.isFinite(tick));
}

function stepsOfPowers(first: number, last: number): number[] {
  const powers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return powers.flatMap((power) => [1, 2, 5].map((factor) => Number(`${factor}e${power}`)));
}

/** From the last at or below the least to the first at or above the greatest value. */
function within(ticks: readonly number[], least: number, greatest: number): number[] {
  const first = ticks.findLastIndex((tick) => tick <= least);
  const last = ticks.findIndex((tick) => tick >= greatest);
  return ticks.slice(Math.max(0, first), last === -1 ? undefined : last + 1);
}
