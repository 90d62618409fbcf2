// The blocks of long series in the database: kept up as points come, in the transaction of the points.
import type { Statement } from 'better-sqlite3';
import type { Db } from '../db/open.ts';
import {
  addSumsToBlock,
  addToBlock,
  BLOCK_POINTS,
  decodeExtremes,
  encodeExtremes,
  newBlock,
  type Block,
} from './digest.ts';
import type { PointSums } from './column-sums.ts';
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
  /** A point belongs before one that was there, as where lines came from a spool: the blocks are made anew. */
  isStale = false;

  constructor(blocks: Block[] = []) {
    this.blocks = blocks;
  }

  /** Whether a block is full, so that they are worth keeping. */
  get isKept(): boolean {
    const [first] = this.blocks;
    return first !== undefined && (first.block > 0 || first.points >= BLOCK_POINTS);
  }

  add(point: Point, nonfinite: string | null): void {
    addToBlock(this.#blockFor(point.seq), point, nonfinite);
  }

  /** How many points go into the block that is open. */
  get room(): number {
    const points = this.blocks.at(-1)?.points ?? BLOCK_POINTS;
    return points >= BLOCK_POINTS ? BLOCK_POINTS : BLOCK_POINTS - points;
  }

  /** Adds points for which there is `room`. */
  addSums(sums: PointSums): void {
    addSumsToBlock(this.#blockFor(sums.firstSeq), sums);
  }

  #blockFor(seq: number): Block {
    let block = this.blocks.at(-1);
    if (block !== undefined && seq <= block.lastSeq) this.isStale = true;
    if (block === undefined || block.points >= BLOCK_POINTS) {
      block = newBlock((block?.block ?? -1) + 1, seq);
      this.blocks.push(block);
    }
    return block;
  }
}

export class Digests {
  readonly #last: Statement;
  readonly #save: Statement;
  readonly #remove: Statement;
  readonly #points: Statement;

  constructor(db: Db) {
    this.#last = db.prepare(
      'SELECT * FROM _digests WHERE run_id = ? AND writer = ? ORDER BY block DESC LIMIT 1',
    );
    this.#save = db.prepare(`INSERT OR REPLACE INTO _digests VALUES (?${', ?'.repeat(12)})`);
    this.#remove = db.prepare('DELETE FROM _digests WHERE run_id = ? AND writer = ?');
    this.#points = db.prepare('SELECT * FROM run_metrics WHERE run_id = ? AND writer = ? ORDER BY seq');
  }

  /** The digest that goes on; undefined if none is kept, since no block was full. */
  open(runId: string, writer: string): Digest | undefined {
    const row = this.#last.get(runId, writer) as DigestRow | undefined;
    return row === undefined ? undefined : new Digest([blockOf(row)]);
  }

  /** Saves the digest, or if there is none, makes it of the `points` that the table has. */
  save(runId: string, writer: string, digest: Digest | undefined, points: number): void {
    if (digest?.isStale === true) this.#write(runId, writer, this.#anew(runId, writer));
    else if (digest?.isKept === true) this.#write(runId, writer, digest);
    else if (digest === undefined && points >= BLOCK_POINTS) {
      this.#write(runId, writer, this.#anew(runId, writer));
    }
  }

  #anew(runId: string, writer: string): Digest {
    this.#remove.run(runId, writer);
    const digest = new Digest();
    for (const row of this.#points.iterate(runId, writer)) {
      digest.add(pointOf(row as PointRow), (row as PointRow).nonfinite);
    }
    return digest;
  }

  #write(runId: string, writer: string, { blocks }: Digest): void {
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
