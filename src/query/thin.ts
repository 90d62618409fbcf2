// A series made thin: few points, and the extremes are among them.

/** A point by its place in the order of the series. */
export interface PointRef {
  stretch: number;
  seq: number;
}

/** Where a metric is lowest, highest, and for the first time not finite; null: nowhere. */
export interface Extremes {
  min: number | null;
  minAt: PointRef;
  max: number | null;
  maxAt: PointRef;
  nonfiniteAt: PointRef | null;
}

/** Consecutive points. Metrics are by name, those without a column with `extra.` before it. */
export interface Piece {
  points: number;
  first: PointRef;
  last: PointRef;
  metrics: Map<string, Extremes>;
}

/**
 * Takes the pieces of a series in order, and picks at most `limit` points: the first and the last, and of each of as
 * many parts as that allows the lowest, the highest and the first not finite one of every metric. So the lowest and the
 * highest value of the whole series are picked if `limit` is at least 2 + 3 times the number of metrics; where it is
 * less, of the metrics that come first. Of equal values the earlier one counts.
 */
export class Thinner {
  readonly #limit: number;
  #parts: Piece[] = [];
  /** Points of a part, at least; it doubles whenever there are too many parts. */
  #width = 1;

  /** @param limit at least 2 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(piece: Piece): void {
    const open = this.#parts.at(-1);
    if (open !== undefined && open.points < this.#width)
      this.#parts[this.#parts.length - 1] = merged(open, piece);
    else this.#parts.push(piece);
    // as many again as can be picked from, so that the picks can be counted before parts are given up
    if (this.#parts.length > 2 * this.#limit) this.#halve();
  }

  /** In the order of the series. */
  picks(): PointRef[] {
    const isWhole = this.#parts.length <= this.#limit && this.#parts.every(({ points }) => points === 1);
    if (isWhole) return this.#parts.map(({ first }) => first);
    let picks = this.#pick();
    while (picks.length > this.#limit && this.#parts.length > 1) {
      this.#halve();
      picks = this.#pick();
    }
    return picks.length > this.#limit ? this.#pickFew() : picks;
  }

  #halve(): void {
    const parts = this.#parts;
    this.#width *= 2;
    this.#parts = [];
    for (let index = 0; index < parts.length; index += 2) {
      const [left, right] = [parts[index], parts[index + 1]];
      if (left !== undefined) this.#parts.push(right === undefined ? left : merged(left, right));
    }
  }

  #ends(): PointRef[] {
    const [first, last] = [this.#parts[0]?.first, this.#parts.at(-1)?.last];
    return first === undefined || last === undefined ? [] : [first, last];
  }

  #pick(): PointRef[] {
    const extremes = this.#parts.flatMap(({ metrics }) => [...metrics.values()].flatMap(pointsOf));
    return inOrder([...this.#ends(), ...extremes]);
  }

  /** There are too many metrics for all: those that come first have theirs. */
  #pickFew(): PointRef[] {
    const all = this.#parts.flatMap(({ metrics }) => [...metrics.values()]);
    const byWorth = [
      ...all.flatMap(({ min, minAt, max, maxAt }) => [
        ...(min === null ? [] : [minAt]),
        ...(max === null ? [] : [maxAt]),
      ]),
      ...all.flatMap(({ nonfiniteAt }) => nonfiniteAt ?? []),
    ];
    let picks = inOrder(this.#ends());
    for (const ref of byWorth) {
      if (picks.length >= this.#limit) break;
      picks = inOrder([...picks, ref]);
    }
    return picks;
  }
}

function pointsOf({ min, minAt, max, maxAt, nonfiniteAt }: Extremes): PointRef[] {
  const points: PointRef[] = [];
  if (min !== null) points.push(minAt);
  if (max !== null) points.push(maxAt);
  if (nonfiniteAt !== null) points.push(nonfiniteAt);
  return points;
}

/** Each once. */
function inOrder(refs: readonly PointRef[]): PointRef[] {
  const sorted = refs.toSorted((a, b) => a.stretch - b.stretch || a.seq - b.seq);
  return sorted.filter((ref, index) => {
    const before = sorted[index - 1];
    return before === undefined || before.stretch !== ref.stretch || before.seq !== ref.seq;
  });
}

/** Of two pieces, the one after the other; `left` may be changed. */
function merged(left: Piece, right: Piece): Piece {
  for (const [name, extremes] of right.metrics) {
    const known = left.metrics.get(name);
    left.metrics.set(name, known === undefined ? extremes : mergedExtremes(known, extremes));
  }
  return { points: left.points + right.points, first: left.first, last: right.last, metrics: left.metrics };
}

function mergedExtremes(left: Extremes, right: Extremes): Extremes {
  const isLower = left.min === null || (right.min !== null && right.min < left.min);
  const isHigher = left.max === null || (right.max !== null && right.max > left.max);
  return {
    min: isLower ? right.min : left.min,
    minAt: isLower ? right.minAt : left.minAt,
    max: isHigher ? right.max : left.max,
    maxAt: isHigher ? right.maxAt : left.maxAt,
    nonfiniteAt: left.nonfiniteAt ?? right.nonfiniteAt,
  };
}
