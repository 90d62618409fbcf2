import fc from 'fast-check';
import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import { PRIMARY_KEYS, PUBLIC_TABLES, type PublicTable } from '../../src/db/schema.ts';
import type { Db } from '../../src/db/open.ts';
import {
  A,
  B,
  C,
  closed,
  created,
  DAY,
  file,
  header,
  metric,
  notes,
  NOTES,
  result,
  status,
  writerFile,
} from '../helpers/lines.ts';
import { Home, nthWriter, wholeRun } from './home.ts';

const FIVE = [1, 2, 3, 4, 5].map((nth) => wholeRun(nthWriter(nth), nth));
const BAD = notes('{"type":\n', metric(50), '[]\n', metric(51));

test('a healthy database is equal, every row of it is compared, and nothing is left beside it', async () => {
  const home = await Home.read(...FIVE, BAD);
  const { compared, ...rest } = await home.verify();
  expect(rest).toEqual({ differences: [], differenceCount: 0, leftOut: [] });
  for (const table of PUBLIC_TABLES) {
    expect(compared[table], table).toBe(home.count(table));
    expect(compared[table], table).toBeGreaterThan(0);
  }
  expect(home.beside()).toEqual([]);
});

/** Everything that is reported and stays, and is no loss. */
test.each([
  ['a second header', [writerFile(A, created(0), header(B), metric(1))]],
  ['its own header again', [writerFile(A, created(0), header(A), metric(1))]],
  [
    'a header of another format',
    [writerFile(A, created(0)), file(writerFile(B).path, header(B, { format: 2 }))],
  ],
  [
    'another format after some lines',
    [writerFile(A, created(0), metric(1), header(A, { format: 7 }), metric(2))],
  ],
  ['a second header in a hand-made file', [notes(metric(1), header(A), metric(2))]],
  ['lines before the header', [file(writerFile(A).path, metric(0), header(A), metric(1))]],
  ['a misplaced copy', [writerFile(A, created(0)), file(`events/${DAY}/${A}-copy.ndjson`, header(A))]],
  ['a hole that was given up', [notes(metric(1), Buffer.from('{"type"\0\0\n'), metric(40))]],
  ['a line too long', [notes(metric(1), `{"x":"${'y'.repeat(1_100_000)}"}\n`, metric(2))]],
  ['a line that is not complete', [notes(metric(1), '{"type":"met')]],
  [
    'seq that are missing, repeated and in conflict',
    [
      writerFile(
        A,
        { ...metric(1), seq: 5 },
        { ...metric(1), seq: 5 },
        { ...metric(2), seq: 5 },
        { ...metric(3), seq: 3 },
      ),
    ],
  ],
  ['lines after the end', [writerFile(A, closed(1, 1), metric(2))]],
  ['nothing at all', []],
])('with %s it is equal all the same', async (_, files) => {
  const home = await Home.of(...files);
  // so that a hole is old
  home.clock = { now: () => Date.now() + 3_600_000 };
  await home.sync();
  expect(await home.verify()).toMatchObject({ differenceCount: 0, differences: [], leftOut: [] });
});

test('what came after the last pass is no difference', async () => {
  const home = await Home.read(...FIVE, BAD);
  home.ledger.append(NOTES, notes(metric(60), 'no json\n').bytes);
  home.ledger.add(writerFile(A, created(0)));
  expect(await home.verify()).toMatchObject({ differenceCount: 0, leftOut: [] });
});

interface Tampering {
  table: PublicTable;
  how: 'change' | 'delete' | 'copy';
  /** Picks the row and the column. */
  row: number;
  column: number;
}

const tampering: fc.Arbitrary<Tampering> = fc.record({
  table: fc.constantFrom(...PUBLIC_TABLES),
  how: fc.constantFrom('change' as const, 'change' as const, 'delete' as const, 'copy' as const),
  row: fc.nat(),
  column: fc.nat(),
});

type Row = Record<string, string | number | null>;

/** Changes one value of one row, deletes a row, or adds one that no file gives. */
function tamper(db: Db, { table, how, row, column }: Tampering): Row {
  const keys = PRIMARY_KEYS[table];
  const rows = db.prepare(`SELECT * FROM ${table} ORDER BY ${keys.join(', ')}`).all() as Row[];
  const victim = rows[row % rows.length] ?? {};
  const where = keys.map((key) => `"${key}" = @${key}`).join(' AND ');
  const key = Object.fromEntries(keys.map((name) => [name, victim[name]]));
  if (how === 'delete') {
    db.prepare(`DELETE FROM ${table} WHERE ${where}`).run(key);
    return key as Row;
  }
  // words of a release are not compared, and what the key is unique over is no free choice
  const columns = Object.keys(victim).filter((name) => !keys.includes(name) && name !== 'message');
  const name = columns[column % columns.length] ?? '';
  if (how === 'change') {
    const value = other(name, victim[name] ?? null);
    db.prepare(`UPDATE ${table} SET "${name}" = @value WHERE ${where}`).run({ ...key, value });
    return key as Row;
  }
  const last = keys.at(-1) ?? '';
  const copy: Row = { ...victim, [last]: typeof victim[last] === 'number' ? 999_999 : 'zzzzzzzzzzzzzzzz' };
  if (table === 'experiment_runs') copy['seed'] = 999_999;
  const names = Object.keys(copy);
  db.prepare(
    `INSERT INTO ${table} ("${names.join('", "')}") VALUES (${names.map((each) => `@${each}`).join(', ')})`,
  ).run(copy);
  return Object.fromEntries(keys.map((each) => [each, copy[each] ?? null]));
}

/** Another value that the column may hold. */
function other(name: string, value: string | number | null): string | number {
  if (name === 'status') return value === 'failed' ? 'timeout' : 'failed';
  if (name === 'hidden' || name === 'git_dirty') return value === 1 ? 0 : 1;
  // another run may have the next seed
  if (typeof value === 'number') return value + 100_000;
  return value === null ? 1 : `${value} `;
}

test('a row that somebody changed, deleted or added is reported, with its table and key', async () => {
  const home = await Home.read(...FIVE, BAD);
  const sound = fs.readFileSync(home.file);
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(tampering, async (how) => {
      for (const suffix of ['-wal', '-shm']) fs.rmSync(home.file + suffix, { force: true });
      fs.writeFileSync(home.file, sound);
      let key: Row = {};
      home.tamper((db) => {
        key = tamper(db, how);
      });
      const { differences, differenceCount } = await home.verify();
      expect({ differenceCount, differences }).toMatchObject({
        differenceCount: 1,
        differences: [{ table: how.table, key }],
      });
      const [{ live, rebuilt } = {}] = differences;
      expect([live === undefined, rebuilt === undefined]).toEqual([how.how === 'delete', how.how === 'copy']);
      seen.add(`${how.table} ${how.how}`);
    }),
    { numRuns: 80 },
  );
  expect(new Set([...seen].map((text) => text.split(' ')[0]))).toEqual(new Set(PUBLIC_TABLES));
});

test('a million differences are counted, and a few of them shown', async () => {
  const home = await Home.read(...FIVE);
  home.tamper((db) => db.exec('UPDATE run_metrics SET loss = 17'));
  const { differences, differenceCount } = await home.verify();
  expect(differenceCount).toBe(100);
  expect(differences).toHaveLength(20);
});

test.each<[string, (home: Home, relative: string) => void, string]>([
  ['gone', (home, relative) => home.ledger.remove(relative), 'gone'],
  ['emptied', (home, relative) => home.ledger.write(relative, ''), 'truncated'],
  [
    'cut',
    (home, relative) => home.ledger.write(relative, home.ledger.read(relative).subarray(0, -30)),
    'truncated',
  ],
  ['edited far before the offset', (home, relative) => editLoss(home, relative), 'rewritten'],
  ['another one', (home, relative) => home.ledger.write(relative, `${'{}\n'.repeat(3000)}`), 'rewritten'],
])('a file that is %s is named and left out; all others are compared', async (_, harm, reason) => {
  const home = await Home.read(...FIVE, BAD);
  const relative = FIVE[1]?.path ?? '';
  harm(home, relative);
  const { differences, leftOut, compared } = await home.verify();
  expect(differences).toEqual([]);
  expect(leftOut).toMatchObject([{ path: relative, reason, writer: nthWriter(2) }]);
  expect(compared).toMatchObject({
    experiment_runs: 4,
    run_metrics: 82,
    run_results: 4,
    run_errors: 4,
    slurm_jobs: 4,
    _rejected: 2,
  });
  // a tampered row beside it is found all the same
  home.tamper((db) => db.exec("UPDATE run_errors SET message = 'yes' WHERE writer LIKE '%3'"));
  expect((await home.verify()).differences).toMatchObject([
    { table: 'run_errors', key: { writer: nthWriter(3) } },
  ]);
});

/** One digit, of the same length, in the first metric; the end, by which a file is known again, is as it was. */
function editLoss(home: Home, relative: string): void {
  const text = home.ledger.read(relative).toString();
  const at = text.indexOf('"loss":1,');
  home.ledger.overwrite(relative, at, '"loss":2,');
}

test('an edit that moves lines to another run, or names another writer, is no difference either', async () => {
  const home = await Home.read(...FIVE, writerFile(A, created(0), metric(1), status(2, 'running')));
  const relative = FIVE[1]?.path ?? '';
  const text = home.ledger.read(relative).toString();
  const runs = home.look((db) =>
    db.prepare('SELECT run_id FROM experiment_runs ORDER BY seed').pluck().all(),
  ) as string[];
  const own = /"run_id":"(\w+)"/.exec(text)?.[1] ?? '';
  const [another = ''] = runs.filter((run) => run !== own);
  for (const changed of [
    // its points are those of a run that other files are about
    text.replaceAll(own, another),
    text.replaceAll(nthWriter(2), C),
    text.replaceAll('"status":"completed"', '"status":"timeout"  '),
    text.replaceAll('"seq":', '"sEq":'),
  ]) {
    home.ledger.write(relative, changed);
    const { differences, leftOut } = await home.verify();
    expect(leftOut).toMatchObject([{ path: relative }]);
    expect(differences).toEqual([]);
  }
});

test('a hand-made file that is gone is left out with its rejected lines', async () => {
  const home = await Home.read(...FIVE, BAD);
  home.ledger.remove(NOTES);
  const { differences, leftOut, compared } = await home.verify();
  expect(differences).toEqual([]);
  expect(leftOut).toMatchObject([{ path: NOTES, reason: 'gone', events: 2 }]);
  expect(compared._rejected).toBe(0);
});

test('what was left out is compared again when the file is back', async () => {
  const home = await Home.read(...FIVE);
  const relative = FIVE[4]?.path ?? '';
  const bytes = home.ledger.read(relative);
  home.ledger.remove(relative);
  expect((await home.verify()).leftOut).toHaveLength(1);
  home.ledger.write(relative, bytes);
  expect(await home.verify()).toMatchObject({
    leftOut: [],
    differenceCount: 0,
    compared: { experiment_runs: 5 },
  });
});

test('a run of many writers is left out whole if one of them is gone, and its other points are compared', async () => {
  const home = await Home.read(
    writerFile(A, created(0), metric(1)),
    writerFile(B, { ...created(5), resume: true }, metric(6), result(7, { acc: 1 })),
  );
  home.ledger.remove(writerFile(A).path);
  expect(await home.verify()).toMatchObject({
    differenceCount: 0,
    compared: { experiment_runs: 0, run_results: 0, run_metrics: 1 },
    leftOut: [{ writer: A }],
  });
});

test('the database of another ledger is not compared', async () => {
  const home = await Home.read(...FIVE);
  const other = await Home.read(BAD);
  const mixed = Object.assign(Object.create(Home.prototype) as Home, home, {
    place: { ...home.place, ledger: other.place.ledger },
  });
  await expect(mixed.verify()).rejects.toThrow(
    expect.objectContaining({ code: 'database_other_ledger' }) as Error,
  );
});
