// The blocks of long series are a function of the rows, however these came.
import { expect, test } from 'vitest';
import { IN_MEMORY, openForWriting, type Db } from '../../src/db/open.ts';
import { BLOCK_POINTS } from '../../src/projector/digest.ts';
import { Projector } from '../../src/projector/projector.ts';
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';
import { A, created, header, metric, text, writerFile, type Fields } from '../helpers/lines.ts';

const CLOCK = { now: () => Date.UTC(2027, 0, 1) };
const PATH = writerFile(A).path;

function points(from: number, to: number): Fields[] {
  return Array.from({ length: to - from }, (_, index) => {
    const at = from + index;
    return metric(0, {
      seq: at + 3,
      step: at % 10 === 0 ? undefined : at,
      epoch: at % 20 === 0 ? at : undefined,
      loss: at % 997 === 0 ? 'NaN' : Math.sin(at),
      f1: at % 2 === 0 ? Math.cos(at) : undefined,
      extra: { ['__proto__']: at % 31, 'a"b': at % 50 === 7 ? 'Infinity' : -at },
    });
  });
}

function linesOf(fields: readonly Fields[]): Buffer {
  return Buffer.from(fields.map((each) => `${text(each)}\n`).join(''));
}

class Following {
  readonly storage = new MemoryStorage();
  readonly db: Db = openForWriting(IN_MEMORY);
  #projector = new Projector(this.db, LEDGER, this.storage, CLOCK);

  constructor() {
    this.storage.append(
      PATH,
      linesOf([
        { ...header(A), seq: 1 },
        { ...created(0), seq: 2 },
      ]),
      0,
    );
  }

  async grow(fields: readonly Fields[]): Promise<void> {
    this.storage.append(PATH, linesOf(fields), 0);
    await this.#projector.pass();
  }

  restart(): void {
    this.#projector = new Projector(this.db, LEDGER, this.storage, CLOCK);
  }

  get digests(): Record<string, unknown>[] {
    return this.db.prepare('SELECT * FROM _digests ORDER BY run_id, writer, block').all() as Record<
      string,
      unknown
    >[];
  }
}

/** The same blocks by SQL alone, which shares nothing with the code that keeps them. */
function naive(db: Db): object[] {
  return db
    .prepare(
      `SELECT block, min(seq) AS first_seq, max(seq) AS last_seq, count(*) AS points, count(step) AS steps,
         min(step) AS min_step, max(step) AS max_step,
         sum(step IS NULL AND epoch IS NOT NULL) AS epochs,
         min(CASE WHEN step IS NULL THEN epoch END) AS min_epoch,
         max(CASE WHEN step IS NULL THEN epoch END) AS max_epoch
       FROM (SELECT *, (row_number() OVER (PARTITION BY run_id, writer ORDER BY seq) - 1) / ${BLOCK_POINTS} AS block
             FROM run_metrics) GROUP BY block ORDER BY block`,
    )
    .all() as object[];
}

function extremesOf(db: Db, metric_: string, value: string, nonfinite: string): unknown[] {
  return db
    .prepare(
      `SELECT block, sum(v IS NOT NULL OR bad) AS count, min(v) AS min, max(v) AS max, min(CASE WHEN bad THEN seq END) AS nonfinite,
         min(CASE WHEN v IS NOT NULL OR bad THEN seq END) AS first, max(CASE WHEN v IS NOT NULL OR bad THEN seq END) AS last
       FROM (SELECT seq, ${value} AS v, ${nonfinite} AS bad,
               (row_number() OVER (ORDER BY seq) - 1) / ${BLOCK_POINTS} AS block FROM run_metrics)
       GROUP BY block ORDER BY block`,
    )
    .all({ metric: metric_ });
}

/** What the digests say of a metric. */
function keptOf(digests: readonly Record<string, unknown>[], metric_: string): unknown[] {
  return digests.map(({ block, extremes }) => {
    const all = JSON.parse(String(extremes)) as (string | number | null)[][];
    const [, count, first, last, , min, , max, nonfinite] = all.find(([name]) => name === metric_) ?? [];
    return { block, count, min, max, nonfinite, first, last };
  });
}

test('without a full block there is none; then there are blocks of all points, whatever the passes and restarts', async () => {
  const following = new Following();
  await following.grow(points(0, BLOCK_POINTS - 1));
  expect(following.digests).toEqual([]);
  await following.grow(points(BLOCK_POINTS - 1, BLOCK_POINTS + 1));
  expect(following.digests).toHaveLength(2);
  for (const [from, to] of [
    [BLOCK_POINTS + 1, BLOCK_POINTS + 2],
    [BLOCK_POINTS + 2, 13_000],
    [13_000, 13_500],
  ] as const) {
    await following.grow(points(from, to));
    following.restart();
  }
  await following.grow(points(13_500, 13_501));

  const kept = following.digests;
  expect(kept).toEqual(naive(following.db).map((block) => expect.objectContaining(block) as object));
  expect(kept.every(({ writer }) => writer === A)).toBe(true);
  const bad = `ifnull(json_extract(nonfinite, '$.' || json_quote(@metric)) IS NOT NULL, 0)`;
  expect(keptOf(kept, 'loss')).toEqual(extremesOf(following.db, 'loss', 'loss', bad));
  expect(keptOf(kept, 'f1')).toEqual(extremesOf(following.db, 'f1', 'f1', bad));
  const proto = `json_extract(extra, '$."__proto__"')`;
  expect(keptOf(kept, 'extra.__proto__')).toEqual(extremesOf(following.db, 'extra.__proto__', proto, bad));

  const again = new Following();
  await again.grow(points(0, 13_501));
  expect(again.digests).toEqual(kept);
});

test('what a file said is taken back with its blocks', async () => {
  const following = new Following();
  await following.grow(points(0, 10_500));
  expect(following.digests).toHaveLength(11);
  // a smaller path that claims the same writer is the writer
  const other = PATH.replace('h-1', 'a');
  const lines = [{ ...header(A), seq: 1, origin: 'a' }, { ...created(0), seq: 2 }, ...points(0, 3)];
  following.storage.append(other, linesOf(lines), 0);
  await following.grow([]);
  expect(following.db.prepare('SELECT count(*) FROM run_metrics').pluck().get()).toBe(3);
  expect(following.digests).toEqual([]);
});

test('lines from a spool come after those that they belong before: the blocks are made anew', async () => {
  const fields = points(0, 2_500);
  const whole = new Following();
  await whole.grow(fields);

  const following = new Following();
  await following.grow([...fields.slice(0, 700), ...fields.slice(721)]);
  expect(following.digests.map((block) => block['points'])).toEqual([1000, 1000, 479]);
  await following.grow(fields.slice(700, 721));
  expect(following.digests).toEqual(whole.digests);

  const atOnce = new Following();
  await atOnce.grow([...fields.slice(0, 700), ...fields.slice(721), ...fields.slice(700, 721)]);
  expect(atOnce.digests).toEqual(whole.digests);
});
