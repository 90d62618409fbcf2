// A stretch of points as blocks of which all is wanted, and as ranges between them that have to be looked at.
import type { Db } from '../db/open.ts';
import { wantedPart, type Bounds, type DigestBlock } from './digest-block.ts';
import type { Selection } from './point-rows.ts';
import type { Stretch } from './stretches.ts';

/** The points of the writer from one seq to another. */
export interface Segment {
  first: number;
  last: number;
  /** All of it is wanted; undefined: its points have to be looked at one by one. */
  block?: DigestBlock;
}

/** The segments of a stretch in order; blocks of which nothing is wanted are left out. */
export function prepareSegments(db: Db): (selection: Selection, stretch: Stretch) => Segment[] {
  const blocks = db.prepare<unknown[], DigestBlock>(
    'SELECT * FROM _digests WHERE run_id = ? AND writer = ? AND first_seq >= ? AND last_seq <= ? ORDER BY block',
  );
  return (selection, stretch) => {
    const { runId, all, from, to } = selection;
    const isCut = all === 0 && stretch.inView;
    const bounds: Bounds = {
      cutStep: isCut ? stretch.cutStep : null,
      cutEpoch: isCut ? stretch.cutEpoch : null,
      from,
      to,
    };
    const segments: Segment[] = [];
    let next = stretch.first;
    for (const block of blocks.all(runId, stretch.writer, stretch.first, stretch.last)) {
      const part = wantedPart(block, bounds);
      if (part === 'some') continue;
      if (next < block.first_seq) segments.push({ first: next, last: block.first_seq - 1 });
      if (part === 'all') segments.push({ first: block.first_seq, last: block.last_seq, block });
      next = block.last_seq + 1;
    }
    if (next <= stretch.last) segments.push({ first: next, last: stretch.last });
    return segments;
  };
}
