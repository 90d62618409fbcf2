// How people want to see a leaderboard.

export interface BoardDisplay {
  /** What is shown beside the mean: the sample's standard deviation, the 95 % confidence interval, or nothing. */
  spread: 'std' | 'ci' | 'none';
  /** Whether `n/seen` is in every cell, or only where some run does not count. */
  hasCounts: boolean;
  /** After the point. */
  digits: number;
  /** Values are multiplied by it: 100 makes per cent. */
  scale: number;
  /** The best cells have a mark of their own, since bold is not to be had. */
  isMarked: boolean;
}
