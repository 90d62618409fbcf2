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
    const parts = this.#parts;
    const isWhole = parts.length <= this.#limit && parts.every(({ points }) => points === 1);
    if (isWhole) return parts.map(({ first }) => first);
    let fewer = parts;
    let picks = picksOf(fewer);
    while (picks.length > this.#limit && fewer.length > 1) {
      // what is picked grows with the parts, nearly in proportion
      const target = Math.floor((fewer.length * this.#limit) / picks.length);
      fewer = inParts(parts, Math.max(1, Math.min(target, fewer.length - 1)));
      picks = picksOf(fewer);
    }
    return picks.length > this.#limit ? fewPicksOf(fewer, this.#limit) : picks;
  }

  #halve(): void {
    this.#width *= 2;
    this.#parts = inParts(this.#parts, Math.ceil(this.#parts.length / 2));
  }
}

/** The same in so many parts of equally many of the given ones. */
function inParts(pieces: readonly Piece[], count: number): Piece[] {
  const borders = Array.from({ length: count + 1 }, (_, index) =>
    Math.floor((index * pieces.length) / count),
  );
  return borders.slice(1).flatMap((end, index) => {
    const [first, ...others] = pieces.slice(borders[index], end);
    return first === undefined ? [] : others.reduce(merged, first);
  });
}

function endsOf(parts: readonly Piece[]): PointRef[] {
  const [first, last] = [parts[0]?.first, parts.at(-1)?.last];
  return first === undefined || last === undefined ? [] : [first, last];
}

function picksOf(parts: readonly Piece[]): PointRef[] {
  const extremes = parts.flatMap(({ metrics }) => [...metrics.values()].flatMap(pointsOf));
  return inOrder([...endsOf(parts), ...extremes]);
}

/** There are too many metrics for all: those that come first have theirs. */
function fewPicksOf(parts: readonly Piece[], limit: number): PointRef[] {
  const all = parts.flatMap(({ metrics }) => [...metrics.values()]);
  const finite = all.map((extremes) => pointsOf({ ...extremes, nonfiniteAt: null }));
  const byWorth = [...finite.flat(), ...all.flatMap(({ nonfiniteAt }) => nonfiniteAt ?? [])];
  let picks = inOrder(endsOf(parts));
  for (const ref of byWorth) {
    if (picks.length >= limit) break;
    picks = inOrder([...picks, ref]);
  }
  return picks;
}

function pointsOf({ min, minAt, max, maxAt, nonfiniteAt }: Extremes): PointRef[] {
  const points: PointRef[] = [];
  if (min !== null) points.push(minAt);
  if (max !== null) points.push(maxAt);
  if (nonfiniteAt !== null) points.push(nonfiniteAt);
  return points;
}

/** Each once. */
export function inOrder(refs: readonly PointRef[]): PointRef[] {
  const sorted = refs.toSorted((a, b) => a.stretch - b.stretch || a.seq - b.seq);
  return sorted.filter((ref, index) => {
    const before = sorted[index - 1];
    return before === undefined || before.stretch !== ref.stretch || before.seq !== ref.seq;
  });
}

/** Of two pieces, the one after the other. */
function merged(left: Piece, right: Piece): Piece {
  const metrics = new Map(left.metrics);
  for (const [name, extremes] of right.metrics) {
    const known = metrics.get(name);
    metrics.set(name, known === undefined ? extremes : mergedExtremes(known, extremes));
  }
  return { points: left.points + right.points, first: left.first, last: right.last, metrics };
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
