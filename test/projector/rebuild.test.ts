import Database from 'better-sqlite3';
import fc from 'fast-check';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openForWriting } from '../../src/db/open.ts';
import { SCHEMA_VERSION } from '../../src/db/schema.ts';
import { locate, rebuildLocked } from '../../src/projector/open.ts';
import { tempDir } from '../events/temp-dir.ts';
import { DAY, file, metric, notes, NOTES } from '../helpers/lines.ts';
import { hashOf } from '../process/tables-hash.ts';
import { Home, nthWriter, wholeRun } from './home.ts';

const BAD = notes('{"type":\n', metric(50));
const FIVE = [1, 2, 3, 4, 5].map((nth) => wholeRun(nthWriter(nth), nth));

function code(name: string): Error {
  return expect.objectContaining({ code: name }) as Error;
}

test('a rebuild of a healthy database changes no row and leaves nothing beside it', async () => {
  const home = await Home.read(...FIVE, BAD);
  const before = home.hash;
  const { lost, damaged, pass } = await home.rebuild();
  expect({ lost, damaged, rejected: pass.rejected }).toEqual({ lost: [], damaged: undefined, rejected: 1 });
  expect(home.hash).toBe(before);
  expect(home.beside()).toEqual([]);
  expect(home.look((db) => db.pragma('journal_mode', { simple: true }))).toBe('wal');
});

test('what was not read before is read too, and a row that no file gives is gone', async () => {
  const home = await Home.read(...FIVE.slice(0, 2));
  home.ledger.add(...FIVE.slice(2), BAD);
  home.tamper((db) =>
    db.exec('UPDATE run_metrics SET loss = 0; DELETE FROM run_errors; UPDATE _files SET crc = crc'),
  );
  await home.rebuild();
  expect(home.hash).toBe(await home.freshHash());
});

test('without a database it makes one', async () => {
  const home = await Home.of(...FIVE);
  await home.rebuild();
  expect(home.hash).toBe(await home.freshHash());
  expect(fs.statSync(home.file).mode & 0o777).toBe(0o600);
});

type Harm = 'gone' | 'truncated' | 'rewritten' | 'none';

function harm(home: Home, relative: string, how: Harm, at: number): void {
  const bytes = home.ledger.read(relative);
  if (how === 'gone') home.ledger.remove(relative);
  if (how === 'truncated') home.ledger.write(relative, bytes.subarray(0, Math.floor(bytes.length * at)));
  // anywhere before the offset; the last byte is an LF
  if (how === 'rewritten') home.ledger.overwrite(relative, Math.floor((bytes.length - 1) * at), '#');
}

test('it refuses if and only if rows would be lost, names them all, and changes nothing', async () => {
  const how = fc.constantFrom<Harm>('none', 'none', 'gone', 'truncated', 'rewritten');
  const harms = fc.array(fc.tuple(how, fc.double({ min: 0, max: 0.999, noNaN: true })), {
    minLength: 5,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(harms, async (plan) => {
      const home = await Home.read(...FIVE, BAD);
      const before = home.hash;
      for (const [index, [kind, at]] of plan.entries()) harm(home, FIVE[index]?.path ?? '', kind, at);
      const expected = plan.flatMap(([kind], index) => (kind === 'none' ? [] : [[FIVE[index]?.path, kind]]));

      if (expected.length > 0) {
        const files = `${expected.length} file${expected.length === 1 ? '' : 's'}`;
        await expect(home.rebuild()).rejects.toThrow(code('would_lose_rows'));
        await expect(home.rebuild()).rejects.toThrow(files);
        expect(home.hash).toBe(before);
        expect(home.beside()).toEqual([]);
      }
      const { lost } = await home.rebuild({ loseMissing: true });
      expect(lost.map(({ path: relative, reason }) => [relative, reason])).toEqual(expected);
      expect(home.hash).toBe(await home.freshHash());
      // from now on there is nothing to lose
      expect((await home.rebuild()).lost).toEqual([]);
    }),
    { numRuns: 20 },
  );
});

test('a rebuild that is interrupted says nothing of lost rows, and changes nothing', async () => {
  const home = await Home.read(...FIVE);
  const before = home.hash;
  await expect(home.rebuild({ signal: AbortSignal.abort() })).rejects.toThrow(
    expect.objectContaining({ name: 'AbortError' }) as Error,
  );
  expect(home.hash).toBe(before);
  expect(home.beside()).toEqual([]);
});

test.each([
  ['text', () => 'not a database at all '.repeat(300)],
  ['half of it', (bytes: Buffer) => bytes.subarray(0, 5000)],
  [
    'its header and then noise',
    (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(9000, 0xa5)]),
  ],
])('a database that became %s is put aside and made anew', async (_, damage) => {
  const home = await Home.read(...FIVE);
  const good = home.hash;
  const damaged = Buffer.from(damage(fs.readFileSync(home.file)));
  fs.writeFileSync(home.file, damaged);
  // the -wal of the sound one is of no file any more
  for (const suffix of ['-wal', '-shm']) fs.rmSync(home.file + suffix, { force: true });
  for (const nth of [1, 2]) {
    const result = await home.rebuild();
    expect(result.damaged).toBe(`${home.file}.damaged-${nth}`);
    expect(fs.readFileSync(`${home.file}.damaged-${nth}`)).toEqual(damaged);
    expect(home.hash).toBe(good);
    for (const suffix of ['-wal', '-shm']) fs.rmSync(home.file + suffix, { force: true });
    fs.writeFileSync(home.file, damaged);
  }
});

test('wherever a page is damaged, a rebuild mends it', async () => {
  const home = await Home.read(...FIVE, BAD);
  const good = home.hash;
  const bytes = fs.readFileSync(home.file);
  const pages = bytes.length / 4096;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: pages - 1 }),
      fc.constantFrom(0x00, 0xff, 0x0d),
      async (page, fill) => {
        for (const suffix of ['-wal', '-shm']) fs.rmSync(home.file + suffix, { force: true });
        const harmed = Buffer.from(bytes);
        harmed.fill(fill, page * 4096, (page + 1) * 4096);
        fs.writeFileSync(home.file, harmed);
        const { damaged } = await home.rebuild({ loseMissing: true });
        // some damage shows only to those who read that very page
        if (damaged !== undefined) expect(fs.readFileSync(damaged)).toEqual(harmed);
        expect(home.hash).toBe(good);
        expect(home.look((db) => db.pragma('integrity_check', { simple: true }))).toBe('ok');
      },
    ),
    { numRuns: 60 },
  );
});

test('a database of an older release is made anew; its version decides, not its tables', async () => {
  const home = await Home.read(...FIVE);
  const good = home.hash;
  home.tamper((db) => {
    db.exec('DROP TABLE _files; DROP TABLE run_results; CREATE TABLE old_thing (x)');
    db.pragma(`user_version = ${SCHEMA_VERSION - 1}`);
  });
  await expect(home.sync()).rejects.toThrow(code('database_outdated'));
  expect((await home.rebuild()).damaged).toBeUndefined();
  expect(home.hash).toBe(good);
  expect(home.look((db) => db.pragma('user_version', { simple: true }))).toBe(SCHEMA_VERSION);
  expect(
    home.look((db) => db.prepare("SELECT name FROM sqlite_master WHERE name = 'old_thing'").get()),
  ).toBeUndefined();
});

test.each<[string, string, (db: Database.Database) => void]>([
  ['a newer release', 'database_newer', (db) => db.pragma(`user_version = ${SCHEMA_VERSION + 1}`)],
  ['another program', 'database_unsafe', (db) => db.pragma('application_id = 7')],
  ['another program, without an id,', 'database_unsafe', (db) => db.pragma('application_id = 0')],
])('a database of %s is refused and never written', async (_, name, change) => {
  const home = await Home.read(...FIVE);
  home.tamper((db) => {
    db.pragma('journal_mode = DELETE');
    change(db);
  });
  const before = fs.readFileSync(home.file);
  for (const loseMissing of [false, true]) {
    await expect(home.rebuild({ loseMissing })).rejects.toThrow(code(name));
    await expect(home.sync()).rejects.toThrow(code(name));
  }
  expect(fs.readFileSync(home.file)).toEqual(before);
  expect(home.beside()).toEqual([]);
});

test('the database of another ledger is refused, even if its rows may be lost', async () => {
  const home = await Home.read(...FIVE);
  const other = await Home.read(BAD);
  const mixed = await locate({ ledger: other.ledger.root, db: home.file, env: {} });
  const before = home.hash;
  for (const loseMissing of [false, true]) {
    await expect(rebuildLocked(mixed, { loseMissing })).rejects.toThrow(code('database_other_ledger'));
  }
  expect(home.hash).toBe(before);
  // even an empty one, which has no rows to lose
  const empty = await Home.read();
  const mixedEmpty = await locate({ ledger: other.ledger.root, db: empty.file, env: {} });
  await expect(rebuildLocked(mixedEmpty, {})).rejects.toThrow(code('database_other_ledger'));
});

test('what builds that died have left is removed; what is beside it for another reason is not', async () => {
  const home = await Home.read(...FIVE);
  const directory = path.dirname(home.file);
  for (const name of ['runs.db.build-1', 'runs.db.build-99999-wal', 'runs.db.kept', 'other.db.build-1']) {
    fs.writeFileSync(path.join(directory, name), 'x');
  }
  await home.rebuild();
  expect(home.beside()).toEqual(['other.db.build-1', 'runs.db.kept']);
});

test('a reader that has the old one open sees the old, then the new, and no error', async () => {
  const home = await Home.read(...FIVE.slice(0, 3));
  const reader = new Database(home.file, { readonly: true });
  const points = reader.prepare('SELECT count(*) FROM run_metrics').pluck();
  const inResults = reader.prepare('SELECT sum(points) FROM run_results').pluck();
  const slow = new Database(home.file, { readonly: true });
  const half = slow.prepare('SELECT run_id FROM run_metrics').iterate();
  half.next();
  home.ledger.add(...FIVE.slice(3));

  reader.exec('BEGIN');
  expect(points.get()).toBe(60);
  await home.rebuild();
  expect([points.get(), inResults.get()]).toEqual([60, 60]);
  expect([...half]).toHaveLength(59);
  reader.exec('COMMIT');
  expect([points.get(), inResults.get()]).toEqual([100, 100]);
  reader.close();
  slow.close();
});

test('queries all through a rebuild find the one or the other, whole', async () => {
  const home = await Home.read(...FIVE);
  home.ledger.append(
    NOTES,
    Buffer.concat(Array.from({ length: 4000 }, (_, nth) => notes(metric(nth)).bytes)),
  );
  const reader = new Database(home.file, { readonly: true });
  const look = reader.transaction(() => [
    reader.prepare('SELECT count(*) FROM run_metrics').pluck().get(),
    reader.prepare('SELECT count(*) FROM experiment_runs').pluck().get(),
    reader.prepare('SELECT sum(events) FROM _files').pluck().get(),
  ]);
  const seen = new Set<string>();
  let isDone = false;
  const rebuilding = home.rebuild().finally(() => {
    isDone = true;
  });
  while (!isDone) {
    seen.add(JSON.stringify(look()));
    await new Promise((resolve) => void setImmediate(resolve));
  }
  await rebuilding;
  seen.add(JSON.stringify(look()));
  const events = home.look((db) => db.prepare('SELECT sum(events) FROM _files').pluck().get());
  expect([...seen].map((text) => (JSON.parse(text) as number[]).slice(0, 2))).toEqual([[100, 5], [4100, 5]]); // prettier-ignore
  expect([...seen].at(-1)).toBe(JSON.stringify([4100, 5, events]));
  reader.close();
});

test('a build file that somebody put there is not taken for ours', async () => {
  const home = await Home.read(...FIVE);
  const good = home.hash;
  fs.symlinkSync(path.join(tempDir(), 'elsewhere'), `${home.file}.build-${process.pid}`);
  await home.rebuild();
  expect(home.hash).toBe(good);
  openForWriting(home.file).close();
});

test('a misplaced copy is no loss', async () => {
  const home = await Home.read(...FIVE);
  home.ledger.add(file(`events/${DAY}/${nthWriter(1)}-copy.ndjson`, FIVE[0]?.bytes ?? ''));
  await home.sync();
  expect((await home.rebuild()).lost).toEqual([]);
  expect(hashOf(home.file)).toBe(await home.freshHash());
});
