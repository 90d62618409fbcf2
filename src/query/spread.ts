// Mean and spread of a few values, for curves.
//
// Not by jstat: its sums depend on the order of the values, and those of large values are infinite.

/** Between the least and the greatest of the values, and the same in whatever order they come. At least one. */
export function meanOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [least = Number.NaN] = sorted;
  const greatest = sorted.at(-1) ?? least;
  // shifted, so that small differences between large values are not lost, and halved, so that they are finite
  let sum = 0;
  for (const value of sorted) sum += (value / 2 - least / 2) / sorted.length;
  return Math.min(Math.max(least + sum + sum, least), greatest);
}

/** The sample standard deviation (over n - 1); null of fewer than two values, or if it is too large for a number. */
export function deviationOf(values: readonly number[], mean: number): number | null {
  if (values.length < 2) return null;
  const distances = values.map((value) => Math.abs(value - mean)).toSorted((a, b) => a - b);
  const greatest = distances.at(-1) ?? 0;
  if (greatest === 0) return 0;
  const sum = distances.reduce((before, distance) => before + (distance / greatest) ** 2, 0);
  const deviation = greatest * Math.sqrt(sum / (values.length - 1));
  return Number.isFinite(deviation) ? deviation : null;
}
