// Who has no database goes on from the snapshot in the log: to the same rows as by reading it all, and never from a bad one.
import Database from 'better-sqlite3';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { APPLICATION_ID, SCHEMA_VERSION } from '../../src/db/schema.ts';
import { ExperimentDB } from '../../src/experiment-db.ts';
import { makeSnapshot, type SnapshotMade } from '../../src/db/snapshot.ts';
import { locate, OpenProjector, type Place } from '../../src/projector/open.ts';
import type { PassResult } from '../../src/projector/pass-result.ts';
import { startFromSnapshot, type Start } from '../../src/projector/start.ts';
import type { TrustLevel } from '../../src/projector/trust.ts';
import { tempDir } from '../events/temp-dir.ts';
import { compareWith, EQUAL, hashOf } from '../process/tables-hash.ts';
import { metric, notes, text } from '../helpers/lines.ts';
import { Home, nthWriter, wholeRun } from './home.ts';

const FILES = [1, 2, 3, 4].map((nth) => wholeRun(nthWriter(nth), nth));
const OPEN = notes(metric(1), metric(2));

/** A log that was read, with a snapshot in it. */
async function published(): Promise<{ home: Home; snapshot: string }> {
  const home = await Home.read(...FILES, OPEN);
  snap(home);
  return { home, snapshot: home.ledger.path('snapshot.db') };
}

function snap(home: Home, target = home.ledger.path('snapshot.db'), pid = process.pid): SnapshotMade {
  return makeSnapshot({ file: home.file, target, like: home.ledger.path('ledger.json'), host: 'here', pid });
}

/** Somebody on another machine, with no database. */
async function elsewhere({ ledger }: Home): Promise<Place> {
  return await locate({ ledger: ledger.root, db: path.join(tempDir(), 'other.db'), env: {} });
}

async function start(place: Place, { clock }: Home, trust?: TrustLevel): Promise<Start> {
  return await startFromSnapshot(place, { clock, trust });
}

async function pass(place: Place, { clock }: Home): Promise<PassResult> {
  using open = OpenProjector.open(place, 'sync', clock);
  return await open.projector.pass({ thorough: true });
}

/** But its lock, and the note of which log is read here. */
function beside(place: Place): string[] {
  const names = fs.readdirSync(path.dirname(place.file));
  return names.filter((name) => !/\.db\.(?:lock|note)$/.test(name)).toSorted();
}

describe('a snapshot', () => {
  test('has all rows, the marks of our databases, and needs no file beside it', async () => {
    const { home, snapshot } = await published();
    expect(hashOf(snapshot)).toBe(home.hash);
    expect(fs.readFileSync(snapshot).subarray(18, 20)).toEqual(Buffer.from([1, 1]));
    expect(fs.readdirSync(home.ledger.root).toSorted()).toEqual(['events', 'ledger.json', 'snapshot.db']);
    expect(home.beside()).toEqual([]);
    const db = new Database(snapshot, { readonly: true });
    onTestFinished(() => void db.close());
    expect(db.pragma('journal_mode', { simple: true })).toBe('delete');
    expect(db.pragma('application_id', { simple: true })).toBe(APPLICATION_ID);
    expect(db.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION);
  });

  test.each([0o600, 0o640, 0o644, 0o666])('may be read by whoever may read the log (%o)', async (mode) => {
    const home = await Home.read(...FILES);
    fs.chmodSync(home.ledger.path('ledger.json'), mode);
    const made = snap(home);
    expect(fs.statSync(made.path).mode & 0o777).toBe(mode & ~0o022);
  });

  test('takes the place of an older one, also while that is being read', async () => {
    const { home, snapshot } = await published();
    const reader = new Database(snapshot, { readonly: true });
    onTestFinished(() => void reader.close());
    const points = reader.prepare<[], number>('SELECT count(*) FROM run_metrics').pluck();
    const before = points.get();
    home.ledger.append(OPEN.path, `${text(metric(3))}\n`);
    await home.sync();
    snap(home);
    expect(points.get()).toBe(before);
    expect(hashOf(snapshot)).toBe(home.hash);
  });

  test('replaces nothing but a snapshot', async () => {
    const home = await Home.read(...FILES);
    const thesis = home.ledger.path('thesis.tex');
    fs.writeFileSync(thesis, 'x'.repeat(1000));
    fs.symlinkSync(thesis, home.ledger.path('link'));
    fs.mkdirSync(home.ledger.path('folder'));
    execFileSync('mkfifo', [home.ledger.path('fifo')]);
    for (const name of ['thesis.tex', 'link', 'folder', 'fifo']) {
      expect(() => snap(home, home.ledger.path(name))).toThrow(
        expect.objectContaining({ code: 'file_exists' }),
      );
    }
    expect(() => snap(home, home.file)).toThrow(expect.objectContaining({ code: 'file_exists' }));
    expect(() => snap(home, home.ledger.path('no/such.db'))).toThrow(
      expect.objectContaining({ code: 'snapshot_failed' }),
    );
    expect(fs.readFileSync(thesis, 'utf8')).toBe('x'.repeat(1000));
    expect(home.beside()).toEqual([]);
  });

  test('clears up drafts of the dead, and leaves those of living ones and of other machines', async () => {
    const home = await Home.read(...FILES);
    const dead = Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }));
    const draft = (name: string): string => home.ledger.path(`snapshot.db.tmp-${name}`);
    const [gone, alive, away, forgotten] = [`here-${dead}`, `here-${process.ppid}`, 'there-1', 'away-1'];
    // of a machine whose name begins as ours
    const other = `here-01-${dead}`;
    for (const name of [gone, alive, away, forgotten, other]) fs.writeFileSync(draft(name), '');
    fs.utimesSync(draft(forgotten), new Date(), new Date(Date.now() - 2 * 86_400_000));
    for (const pid of [dead, process.ppid]) fs.writeFileSync(`${home.file}.snapshot-${pid}`, '');
    snap(home);
    const left = fs.readdirSync(home.ledger.root).filter((name) => name.startsWith('snapshot.db.'));
    expect(left.toSorted()).toEqual([other, alive, away].map((name) => `snapshot.db.tmp-${name}`).toSorted());
    expect(home.beside()).toEqual([`runs.db.snapshot-${process.ppid}`]);
  });
});

describe('who starts from it', () => {
  test('reads on from where it was, and comes to the same rows as a rebuild', async () => {
    const { home } = await published();
    const more = wholeRun(nthWriter(5), 5);
    home.ledger.add(more);
    home.ledger.append(OPEN.path, `${text(metric(3))}\n`);
    const place = await elsewhere(home);
    expect(await start(place, home)).toMatchObject({ kind: 'started' });
    expect(fs.statSync(place.file).mode & 0o777).toBe(0o600);
    expect(beside(place)).toEqual(['other.db']);
    expect(await pass(place, home)).toMatchObject({
      events: 1 + 26,
      grown: [more.path, OPEN.path].toSorted(),
    });
    expect(compareWith(place.file, (await home.sync(), home.file))).toEqual(EQUAL);
    expect(hashOf(place.file)).toBe(await home.freshHash());
    expect(await start(place, home)).toEqual({ kind: 'not_needed' });
  });

  test('finds what was truncated, rewritten or has gone since, as the one who made it does', async () => {
    const { home } = await published();
    const { ledger } = home;
    const [first, second, third] = FILES.map((file) => file.path);
    fs.truncateSync(ledger.path(first ?? ''), 300);
    ledger.overwrite(second ?? '', (FILES[1]?.bytes.length ?? 0) - 20, 'X');
    ledger.remove(third ?? '');
    const place = await elsewhere(home);
    expect(await start(place, home)).toMatchObject({ kind: 'started' });
    await pass(place, home);
    await home.sync();
    expect(compareWith(place.file, home.file)).toEqual(EQUAL);
    const states = (file: string): unknown[] => {
      const db = new Database(file, { readonly: true });
      try {
        return db.prepare('SELECT path, state, reason FROM _files ORDER BY path').all();
      } finally {
        db.close();
      }
    };
    expect(states(place.file)).toEqual(states(home.file));
    expect(states(place.file)).toMatchObject([
      { state: 'frozen', reason: 'truncated' },
      { state: 'frozen', reason: 'rewritten' },
      { state: 'missing', reason: 'gone' },
      { state: 'complete' },
      { path: OPEN.path, state: 'live' },
    ]);
  });

  test('needs none: without it, or with a database, nothing happens', async () => {
    const home = await Home.read(...FILES);
    const place = await elsewhere(home);
    expect(await start(place, home)).toEqual({ kind: 'absent' });
    expect(await start(home.place, home)).toEqual({ kind: 'not_needed' });
  });

  test('may be a program that has the log as an object', async () => {
    const { home } = await published();
    const file = path.join(tempDir(), 'object.db');
    await using db = await ExperimentDB.open({ ledger: home.ledger.root, db: file });
    expect(await db.sync()).toMatchObject({ events: 0, heldBy: undefined });
    expect(hashOf(file)).toBe(home.hash);
  });

  test('leaves it to a process that is making the database', async () => {
    const { home } = await published();
    const place = await elsewhere(home);
    using open = OpenProjector.open(await elsewhere(home), 'sync');
    expect(open.db.open).toBe(true);
    const other = { ...place, file: open.db.name };
    expect(await start(other, home)).toEqual({ kind: 'not_needed' });
  });

  test('is stopped by the signal, and leaves nothing behind', async () => {
    const { home } = await published();
    const place = await elsewhere(home);
    const work = startFromSnapshot(place, { clock: home.clock, signal: AbortSignal.abort() });
    await expect(work).rejects.toMatchObject({ name: 'AbortError' });
    expect(beside(place)).toEqual([]);
  });

  test('does not take one that was made of more people’s files than are to be read', async () => {
    const { home } = await published();
    const place = await elsewhere(home);
    expect(await start(place, home, 'owner')).toMatchObject({ why: 'it was made with --trust all' });
    expect(await start(place, home, 'all')).toMatchObject({ kind: 'started' });
  });
});

/** What somebody has put in the place of the snapshot, and what is said. */
const HOSTILE: Record<string, [string | RegExp, (snapshot: string) => void]> = {
  'a symbolic link': [
    'it is a symbolic link',
    (snapshot) => {
      fs.renameSync(snapshot, `${snapshot}.real`);
      fs.symlinkSync(`${snapshot}.real`, snapshot);
    },
  ],
  'a FIFO': [
    'it is no regular file',
    (snapshot) => {
      fs.rmSync(snapshot);
      execFileSync('mkfifo', [snapshot]);
    },
  ],
  'a folder': [
    'it is no regular file',
    (snapshot) => {
      fs.rmSync(snapshot);
      fs.mkdirSync(snapshot);
    },
  ],
  'one that others can write': ['others can write it', (snapshot) => fs.chmodSync(snapshot, 0o664)],
  'one of another log': [
    'it is of another log',
    sql("UPDATE _projection SET ledger_id = '11111111-2222-4333-8444-555555555555'"),
  ],
  'one that nothing was read into': ['nothing has been read into it', sql('DELETE FROM _projection')],
  'one of an older schema': [/it has schema version/, sql(`PRAGMA user_version = ${SCHEMA_VERSION - 1}`)],
  'one of a newer schema': [/it has schema version/, sql(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`)],
  'a database of another program': ['it is a database of another program', sql('PRAGMA application_id = 1')],
  'one with a trigger': [
    /other tables, views or triggers/,
    sql("CREATE TRIGGER t AFTER INSERT ON run_metrics BEGIN UPDATE experiment_runs SET notes = 'x'; END"),
  ],
  'one with a view in the place of a table': [
    /other tables, views or triggers/,
    sql('ALTER TABLE run_errors RENAME TO e; CREATE VIEW run_errors AS SELECT * FROM e'),
  ],
  'one without a constraint': [
    /other tables, views or triggers/,
    sql('DROP TABLE _samples; CREATE TABLE _samples (run_id TEXT)'),
  ],
  'one in WAL mode': ['it needs files beside it', sql('PRAGMA journal_mode = WAL')],
  'one that is cut off': [
    'it is cut off, or longer than it says',
    (snapshot) => fs.truncateSync(snapshot, fs.statSync(snapshot).size - 5000),
  ],
  'one with a terabyte of nothing behind it': [
    'it is cut off, or longer than it says',
    (snapshot) => fs.truncateSync(snapshot, 2 ** 40),
  ],
  'one with a damaged page': [
    /it is damaged/,
    (snapshot) => {
      const fd = fs.openSync(snapshot, 'r+');
      const pages = fs.fstatSync(fd).size / 4096;
      for (let page = 2; page < pages; page += 1)
        fs.writeSync(fd, Buffer.alloc(64, 0xa5), 0, 64, page * 4096);
      fs.closeSync(fd);
    },
  ],
  'no database': ['it is no SQLite database', (snapshot) => fs.writeFileSync(snapshot, 'x'.repeat(8192))],
  'an empty file': ['it is no SQLite database', (snapshot) => fs.writeFileSync(snapshot, '')],
};

function sql(statements: string): (snapshot: string) => void {
  return (snapshot) => {
    const db = new Database(snapshot);
    db.exec(statements);
    db.close();
  };
}

test.each(Object.entries(HOSTILE))(
  '%s is not used, and the log is read as before',
  async (_, [why, pose]) => {
    const { home, snapshot } = await published();
    pose(snapshot);
    const place = await elsewhere(home);
    const refused = await start(place, home);
    expect(refused).toMatchObject({ kind: 'refused', snapshot });
    expect('why' in refused && refused.why).toMatch(why);
    expect(beside(place)).toEqual([]);
    await pass(place, home);
    expect(hashOf(place.file)).toBe(home.hash);
  },
);
