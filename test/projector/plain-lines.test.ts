// Lines that are taken together become the rows, sums and blocks that they become one by one.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IN_MEMORY, openForWriting } from '../../src/db/open.ts';
import { NUMBER_FIELDS } from '../../src/projector/line-shape.ts';
import { MetricInserts, type MetricValues } from '../../src/projector/metric-inserts.ts';
import { Projector, type ProjectorOptions } from '../../src/projector/projector.ts';
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';
import { ALWAYS_AHEAD } from '../helpers/parse-here.ts';
import { isThorough } from '../helpers/thorough.ts';
import { A, created, header, metric, text, writerFile, type Fields } from '../helpers/lines.ts';

const CLOCK = { now: () => Date.UTC(2027, 0, 1) };
const NEVER_AHEAD = { aheadFrom: Number.POSITIVE_INFINITY };
const PATH = writerFile(A).path;
const TABLES = [
  'run_metrics', 'run_results', 'experiment_runs', '_files', '_stretches', '_series', '_digests', '_point_attempts',
  '_rejected', '_events',
]; // prettier-ignore

const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(-0, 0, 'NaN'),
);
/** What each of some consecutive lines has, and of how many. */
const stretch = fc.record({
  lines: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 70 }) },
    fc.constantFrom(1000, 1001, 2100),
  ),
  has: fc.record({
    step: fc.boolean(), epoch: fc.boolean(), loss: fc.boolean(), f1: fc.boolean(), fitness: fc.boolean(),
    behavioral_comparison: fc.boolean(), gpu_memory_mb: fc.boolean(), extra: fc.boolean(),
  }),
  names: fc.subarray(['acc', 'val/loss', 'é', '7', 'a"b', '__proto__']),
  /** In turn. */
  values: fc.array(value, { minLength: 1, maxLength: 9 }),
  attempt: fc.constantFrom(undefined, A, 'other'),
  /** A line that is no plain metric comes before. */
  before: fc.constantFrom('nothing', 'nothing', 'repeat', 'gap', 'resume', 'empty', 'bad'),
}); // prettier-ignore

type Stretch = typeof stretch extends fc.Arbitrary<infer T> ? T : never;

function linesOf(stretches: readonly Stretch[]): string {
  let seq = 1;
  let step = 0;
  let written = `${text({ ...header(A), seq })}\n`;
  const add = (fields: Fields): void => {
    seq += 1;
    written += `${text({ ...fields, seq })}\n`;
  };
  add(created(0));
  let last = '';
  for (const { lines, has, names, values, attempt, before } of stretches) {
    if (before === 'repeat') written += last;
    else if (before === 'gap') seq += 3;
    else if (before === 'resume') {
      add({ ...created(seq, { resume: true }), attempt: 'other' });
      step = Math.floor(step / 2);
    } else if (before === 'empty') written += '\n';
    else if (before === 'bad') written += '{"type":"metric"}\n';
    for (let nth = 0; nth < lines; nth += 1) {
      const of = (column: number): unknown => values[(nth * 7 + column) % values.length];
      step += 1;
      const [from] = [written.length];
      add({
        ...metric(0),
        attempt,
        elapsed_seconds: nth / 3,
        ...(has.step && { step }),
        ...(has.epoch && { epoch: Math.floor(step / 10) }),
        ...(has.loss && { loss: of(0) }),
        ...(has.f1 && { f1: of(1) }),
        ...(has.fitness && nth % 3 === 0 && { fitness: of(2) }),
        ...(has.behavioral_comparison && { behavioral_comparison: of(3) }),
        ...(has.gpu_memory_mb && { gpu_memory_mb: of(4) }),
        ...(has.extra && { extra: Object.fromEntries(names.map((name, index) => [name, of(index)])) }),
      });
      last = written.slice(from);
    }
  }
  return written;
}

/** All that the projector keeps, as SQLite stores it. */
async function kept(lines: string, options: ProjectorOptions): Promise<Record<string, string>> {
  const storage = new MemoryStorage();
  storage.append(PATH, Buffer.from(lines), 0);
  const db = openForWriting(IN_MEMORY);
  try {
    await new Projector(db, LEDGER, storage, CLOCK, options).pass({ thorough: true });
    return Object.fromEntries(
      TABLES.map((table) => [table, JSON.stringify(db.prepare(`SELECT * FROM ${table}`).raw().all())]),
    );
  } finally {
    db.close();
  }
}

test('whatever the points of a file, all tables are the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stretch, { minLength: 1, maxLength: 6 }), async (stretches) => {
      const lines = linesOf(stretches);
      const together = await kept(lines, ALWAYS_AHEAD);
      const oneByOne = await kept(lines, NEVER_AHEAD);
      for (const table of TABLES) expect(together[table] === oneByOne[table], table).toBe(true);
    }),
    { numRuns: isThorough ? 30 : 8 },
  );
}, 120_000);

test('rows with any of their columns are inserted as they are', () => {
  const db = openForWriting(IN_MEMORY);
  const inserts = new MetricInserts(db);
  const rows: MetricValues[] = [];
  const COUNT = 64 + 8 + 3;
  for (let bits = 0; bits < 256; bits += 1) {
    const writer = `writer ${String(bits).padStart(3, '0')}`;
    const numbers = new Float64Array(COUNT * NUMBER_FIELDS.length).fill(Number.NaN);
    const ends: number[] = [];
    let ts = '';
    let json = '';
    for (let nth = 0; nth < COUNT; nth += 1) {
      // what a block has, not all of its rows have
      const own = Array.from({ length: 8 }, (_, column) =>
        (bits >> column) & 1 && (nth + column) % 3 > 0 ? column + nth : null,
      );
      const extra = own[7] === null ? null : `{"é${'x'.repeat(nth % 5)}":${own[7]}}`;
      const time = `2027-01-01T00:00:00.${String(nth).padStart(3, '0')}Z`;
      const values = [nth / 7, 5 + nth, ...own.slice(0, 7)];
      for (const [field, value] of values.entries()) {
        if (value !== null) numbers[nth * NUMBER_FIELDS.length + field] = value === 0 ? -0 : value;
      }
      ts += time;
      json += extra ?? '';
      ends.push(Buffer.byteLength(json));
      rows.push(['run', writer, 5 + nth, time, nth / 7, ...own.slice(0, 7), extra, null]);
    }
    const block = { runId: 'run', count: COUNT, firstSeq: 5, numbers };
    const extraEnd = (nth: number): number => ends[nth] ?? 0;
    inserts.addBlock({ ...block, ts: Buffer.from(ts), extraJson: Buffer.from(json), extraEnd }, writer);
  }
  const inserted = db.prepare('SELECT * FROM run_metrics ORDER BY run_id, writer, seq').raw().all();
  expect(inserted).toEqual(rows);
  const types = db.prepare(
    'SELECT DISTINCT typeof(ts), typeof(seq), typeof(ifnull(extra, ts)) FROM run_metrics',
  );
  expect(types.raw().all()).toEqual([['text', 'integer', 'text']]);
  db.close();
});
