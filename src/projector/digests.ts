// The blocks of long series in the database: kept up as points come, in the transaction of the points.
import type { Statement } from 'better-sqlite3';
import type { Db } from '../db/open.ts';
import {
  addToBlock,
  BLOCK_POINTS,
  decodeExtremes,
  encodeExtremes,
  LONG_SERIES,
  newBlock,
  type Block,
} from './digest.ts';
import { pointOf } from './event-row.ts';
import type { Point } from './series.ts';

interface DigestRow {
  block: number;
  first_seq: number;
  last_seq: number;
  points: number;
  steps: number;
  min_step: number | null;
  max_step: number | null;
  epochs: number;
  min_epoch: number | null;
  max_epoch: number | null;
  extremes: string;
}

type PointRow = Parameters<typeof pointOf>[0] & { nonfinite: string | null };

/** What is being written of one run by one writer within a transaction. */
export class Digest {
  /** The last one is open, all others are full. */
  readonly blocks: Block[];

  constructor(blocks: Block[]) {
    this.blocks = blocks;
  }

  add(point: Point, nonfinite: string | null): void {
    let block = this.blocks.at(-1);
    if (block === undefined || block.points >= BLOCK_POINTS) {
      block = newBlock((block?.block ?? -1) + 1, point.seq);
      this.blocks.push(block);
    }
    addToBlock(block, point, nonfinite);
  }
}

export class Digests {
  readonly #last: Statement;
  readonly #save: Statement;
  readonly #points: Statement;

  constructor(db: Db) {
    this.#last = db.prepare(
      'SELECT * FROM _digests WHERE run_id = ? AND writer = ? ORDER BY block DESC LIMIT 1',
    );
    this.#save = db.prepare(`INSERT OR REPLACE INTO _digests VALUES (?${', ?'.repeat(12)})`);
    this.#points = db.prepare('SELECT * FROM run_metrics WHERE run_id = ? AND writer = ? ORDER BY seq');
  }

  /** The digest that goes on; undefined if there is none, since the series was not long. */
  open(runId: string, writer: string): Digest | undefined {
    const row = this.#last.get(runId, writer) as DigestRow | undefined;
    return row === undefined ? undefined : new Digest([blockOf(row)]);
  }

  /** A first digest of a series that has become long; all its points are in the table. */
  begin(runId: string, writer: string, points: number): Digest | undefined {
    if (points < LONG_SERIES) return undefined;
    const digest = new Digest([]);
    for (const row of this.#points.iterate(runId, writer)) {
      digest.add(pointOf(row as PointRow), (row as PointRow).nonfinite);
    }
    return digest;
  }

  save(runId: string, writer: string, { blocks }: Digest): void {
    for (const each of blocks) {
      const { block, firstSeq, lastSeq, points, steps, minStep, maxStep, epochs, minEpoch, maxEpoch } = each;
      this.#save.run(
        runId, writer, block, firstSeq, lastSeq, points, steps, minStep, maxStep, epochs, minEpoch, maxEpoch,
        encodeExtremes(each),
      ); // prettier-ignore
    }
  }
}

function blockOf(row: DigestRow): Block {
  return {
    block: row.block,
    firstSeq: row.first_seq,
    lastSeq: row.last_seq,
    points: row.points,
    steps: row.steps,
    minStep: row.min_step,
    maxStep: row.max_step,
    epochs: row.epochs,
    minEpoch: row.min_epoch,
    maxEpoch: row.max_epoch,
    ...decodeExtremes(row.extremes),
  };
}
