// Curves of noisy metrics, made readable.
import { wrongArgument } from './arguments.ts';

/**
 * Exponential moving average with bias correction, as TensorBoard has it. With weight w, of the values v₁, v₂ …
 *
 *     s₀ = 0,  sₜ = w·sₜ₋₁ + (1 − w)·vₜ,  smoothedₜ = sₜ / (1 − wᵗ)
 *
 * Values that are not finite stay as they are and do not count, or one NaN would be the end of the curve.
 *
 * @param weight at least 0, which changes nothing, and below 1
 * @throws RunfoldError `usage` if the weight is another.
 */
export function smooth(values: readonly number[], weight: number): number[] {
  if (typeof weight !== 'number' || !(weight >= 0 && weight < 1)) {
    throw wrongArgument('smooth', 'a number from 0 and below 1', weight);
  }
  if (weight === 0) return [...values];
  let mean = 0;
  let power = 1;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    power *= weight;
    // the same as the formula, but a constant stays one to the last digit
    const next = mean + (value - mean) * ((1 - weight) / (1 - power));
    // between two values of different signs there may be more than a number can hold
    mean = power === weight ? value : Math.min(Math.max(next, Math.min(mean, value)), Math.max(mean, value));
    return mean;
  });
}
