// Points between the extremes of blocks.
import type { PointRef } from './thin.ts';

/** Consecutive points of one stretch. */
interface Block {
  points: number;
  first: PointRef;
  last: PointRef;
}

/**
 * Of few blocks not many points are extremes. What room there is goes to points in between, so that the curve is as
 * fine as one of a series without blocks: evenly, to each block as its part of the points is.
 *
 * @param next the seq of the first wanted point from one on, up to a last seq
 */
export function between(
  blocks: readonly Block[],
  picks: readonly PointRef[],
  limit: number,
  next: (from: PointRef, last: number) => number | undefined,
): PointRef[] {
  const taken = new Set(picks.map(keyOf));
  const others: PointRef[] = [];
  const room = limit - picks.length;
  const total = blocks.reduce((sum, { points }) => sum + points, 0);
  let points = 0;
  for (const { first, last, points: ofBlock } of blocks) {
    points += ofBlock;
    // what one block has not got the next one makes up for
    const count = Math.floor((room * points) / total) - others.length;
    const { stretch } = first;
    let from = first.seq;
    for (let index = 1; index <= count; index += 1) {
      const even = first.seq + Math.floor(((last.seq - first.seq) * index) / (count + 1));
      let seq = next({ stretch, seq: Math.max(even, from) }, last.seq);
      while (seq !== undefined && taken.has(keyOf({ stretch, seq }))) {
        seq = next({ stretch, seq: seq + 1 }, last.seq);
      }
      if (seq === undefined) break;
      others.push({ stretch, seq });
      from = seq + 1;
    }
  }
  return others;
}

function keyOf({ stretch, seq }: PointRef): string {
  return `${stretch}/${seq}`;
}
