// A series made thin: few points, and the extremes are among them.

/** A point by its place in the order of the series. In the pieces of one series each point is one object. */
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
  /** How many, or about; 1 only if it is one. */
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

  /** From now on its metrics are the thinner's. */
  add(piece: Piece): void {
    const open = this.#parts.at(-1);
    if (open !== undefined && open.points < this.#width) absorb(open, piece);
    else this.#parts.push({ ...piece });
    // as many again as can be picked from, so that the picks can be counted before parts are given up
    if (this.#parts.length > 2 * this.#limit) {
      this.#width *= 2;
      this.#parts = halved(this.#parts);
    }
  }

  /** In the order of the series. */
  picks(): PointRef[] {
    let fine = this.#parts;
    const all = picksOf(fine, this.#limit);
    if (all !== undefined) return inOrder([...all]);
    let coarse = halved(fine);
    let picks = picksOf(coarse, this.#limit);
    while (picks === undefined && coarse.length > 1) {
      fine = coarse;
      coarse = halved(fine);
      picks = picksOf(coarse, this.#limit);
    }
    return inOrder([...(picks === undefined ? fewPicksOf(coarse, this.#limit) : this.#refined(fine, picks))]);
  }

  /** What is picked of more than half of the parts, which are too many; `picks` are those of half of them. */
  #refined(parts: readonly Piece[], picks: Set<PointRef>): Set<PointRef> {
    let best = picks;
    let [few, many] = [Math.ceil(parts.length / 2), parts.length];
    for (let tries = 0; tries < REFINEMENTS && many - few > 1; tries += 1) {
      const count = Math.floor((few + many) / 2);
      const more = picksOf(inParts(parts, count), this.#limit);
      if (more === undefined) many = count;
      else [few, best] = [count, more];
    }
    return best;
  }
}

/** How often another number of parts is tried: as many as can be, but for a sixteenth. */
const REFINEMENTS = 4;

function halved(pieces: readonly Piece[]): Piece[] {
  return inParts(pieces, Math.ceil(pieces.length / 2));
}

/** The same in so many parts of equally many of the given ones. */
function inParts(pieces: readonly Piece[], count: number): Piece[] {
  const borders = Array.from({ length: count + 1 }, (_, index) =>
    Math.floor((index * pieces.length) / count),
  );
  return borders.slice(1).flatMap((end, index) => {
    const [first, ...others] = pieces.slice(borders[index], end);
    if (first === undefined) return [];
    if (others.length === 0) return first;
    const part = { ...first, metrics: new Map(first.metrics) };
    for (const other of others) absorb(part, other);
    return part;
  });
}

function endsOf(parts: readonly Piece[]): PointRef[] {
  const [first, last] = [parts[0]?.first, parts.at(-1)?.last];
  return first === undefined || last === undefined ? [] : [first, last];
}

/** undefined: they are more than `limit`. */
function picksOf(parts: readonly Piece[], limit: number): Set<PointRef> | undefined {
  const picks = new Set(endsOf(parts));
  for (const { points, first, metrics } of parts) {
    if (points === 1) picks.add(first);
    else for (const extremes of metrics.values()) addExtremes(picks, extremes);
    if (picks.size > limit) return undefined;
  }
  return picks;
}

function addExtremes(picks: Set<PointRef>, { min, minAt, max, maxAt, nonfiniteAt }: Extremes): void {
  if (min !== null) picks.add(minAt);
  if (max !== null) picks.add(maxAt);
  if (nonfiniteAt !== null) picks.add(nonfiniteAt);
}

/** There are too many metrics for all: those that come first have theirs. */
function fewPicksOf(parts: readonly Piece[], limit: number): Set<PointRef> {
  const all = parts.flatMap(({ metrics }) => [...metrics.values()]);
  const byWorth = new Set(endsOf(parts));
  for (const extremes of all) addExtremes(byWorth, { ...extremes, nonfiniteAt: null });
  for (const { nonfiniteAt } of all) if (nonfiniteAt !== null) byWorth.add(nonfiniteAt);
  return new Set([...byWorth].slice(0, limit));
}

/** Each once. */
export function inOrder(refs: readonly PointRef[]): PointRef[] {
  const sorted = refs.toSorted((a, b) => a.stretch - b.stretch || a.seq - b.seq);
  return sorted.filter((ref, index) => {
    const before = sorted[index - 1];
    return before === undefined || before.stretch !== ref.stretch || before.seq !== ref.seq;
  });
}

/** Adds the piece that comes after. */
function absorb(part: Piece, next: Piece): void {
  part.points += next.points;
  part.last = next.last;
  for (const [name, extremes] of next.metrics) {
    const known = part.metrics.get(name);
    part.metrics.set(name, known === undefined ? extremes : mergedExtremes(known, extremes));
  }
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
