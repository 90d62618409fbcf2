// Which files `watch` looks at, counted at the storage.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { openForWriting } from '../../src/db/open.ts';
import { CallMeter, DEFAULT_CALLS_PER_FILE } from '../../src/projector/call-budget.ts';
import { PACE } from '../../src/projector/pace.ts';
import { Projector } from '../../src/projector/projector.ts';
import type { Listing, Part, StorageProblem } from '../../src/projector/storage.ts';
import { TimedStorage } from '../../src/projector/timed-storage.ts';
import { watch } from '../../src/projector/watch.ts';
import type { StorageCalls } from '../../src/db/calls-note.ts';
import { A, B, C, closed, created, metric, writerFile, type GivenFile } from '../helpers/lines.ts';
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';
import { until } from '../process/until.ts';
import { nthWriter, wholeRun } from './home.ts';

class CountingStorage extends MemoryStorage {
  readonly looks = new Map<string, number>();
  listings = 0;
  calls = 0;
  readonly meter = new CallMeter();

  override identify(): Promise<typeof LEDGER> {
    this.#count(4);
    return Promise.resolve(LEDGER);
  }

  override list(wanted?: (folder: string) => boolean): Promise<Listing> {
    this.listings += 1;
    this.#count(8);
    return super.list(wanted);
  }

  override read(file: string, from: number, length: number): Promise<Part | StorageProblem> {
    this.looks.set(file, (this.looks.get(file) ?? 0) + 1);
    this.#count(4);
    return super.read(file, from, length);
  }

  #count(calls: number): void {
    this.calls += calls;
    this.meter.add(Date.now(), calls);
  }
}

function follow(
  files: readonly GivenFile[],
  callsPerFile?: number,
  storage = new CountingStorage(),
  db = openForWriting(':memory:'),
) {
  for (const { path, bytes } of files) storage.append(path, Buffer.from(bytes), Date.now());
  const ending = new AbortController();
  const reports: StorageCalls[] = [];
  const timed = new TimedStorage(storage, systemClock);
  const ended = watch(new Projector(db, LEDGER, storage, systemClock), timed, {
    root: LEDGER.path,
    clock: systemClock,
    signal: ending.signal,
    isOnNetwork: true,
    ...(callsPerFile !== undefined && { callsPerFile }),
    onCalls: (calls) => void reports.push(calls),
  });
  onTestFinished(async () => {
    ending.abort();
    await ended;
    db.close();
  });
  const points = (): number => Number(db.prepare('SELECT count(*) FROM run_metrics').pluck().get());
  return { storage, reports, points };
}

test('complete files are read once, and live ones again and again', async () => {
  const complete = writerFile(A, created(0), closed(1, 2));
  const live = writerFile(B, created(2));
  const { storage } = follow([complete, live]);
  await until(
    'there were some listings and looks',
    () => storage.listings >= 3 && (storage.looks.get(live.path) ?? 0) >= 4,
  );
  expect(storage.looks.get(complete.path)).toBe(1);
});

test('a look at many files that are due together is one pass', async () => {
  const { storage, points } = follow([
    writerFile(A, created(0), metric(1)),
    writerFile(B, created(2)),
    writerFile(C, created(3)),
  ]);
  await until('all were read', () => points() === 1);
  await until('they were looked at again', () => [...storage.looks.values()].every((looks) => looks >= 2));
  expect(storage.looks.size).toBe(3);
});

test('the storage is not asked for more than the budget, and lines come all the same', async () => {
  const live = writerFile(A, created(0), metric(1));
  const { storage, reports, points } = follow([live], 20);
  await until('it was read', () => points() === 1);
  const first = storage.calls;
  const { path, bytes } = writerFile(A, created(0), metric(1), metric(2));
  storage.files.set(path, { bytes: Buffer.from(bytes), mtimeMs: Date.now() });
  await until('the new line is there', () => points() === 2, PACE.slowestLook);
  // 20 for each of 10 files, without the first pass
  expect(storage.meter.lastMinute(Date.now()) - first).toBeLessThanOrEqual(200);
  expect(reports[0]).toMatchObject({ per_file: 20, budget: 200, live_files: expect.any(Number) as number });
});

test('after a sweep of a long history folders are listed as often as before', async () => {
  const storage = new CountingStorage();
  const db = openForWriting(':memory:');
  for (let nth = 0; nth < 300; nth += 1) {
    const { path, bytes } = wholeRun(nthWriter(nth), nth);
    storage.append(path, Buffer.from(bytes), Date.now());
  }
  await new Projector(db, LEDGER, storage, systemClock).pass();
  const before = storage.calls;
  db.exec('UPDATE _projection SET slow_sweep_due_at = NULL');
  follow([], DEFAULT_CALLS_PER_FILE, storage, db);
  await until('every file was looked at', () => storage.calls - before > 300 * 4);
  const listings = storage.listings;
  await until('they were listed again', () => storage.listings > listings + 1);
});

class FailingOnce extends CountingStorage {
  isFailing = false;

  override async list(wanted?: (folder: string) => boolean): Promise<Listing> {
    const listing = await super.list(wanted);
    if (!this.isFailing) return listing;
    this.isFailing = false;
    throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  }
}

test('an old folder is listed again if the first listing of it has failed', async () => {
  const storage = new FailingOnce();
  const db = openForWriting(':memory:');
  await new Projector(db, LEDGER, storage, systemClock).pass();
  storage.isFailing = true;
  const { points } = follow([writerFile(A, created(0), metric(1))], undefined, storage, db);
  await until('it was read', () => points() === 1);
});

/** Files at rest at which a sweep looks one after the other, in the order of their paths. */
class SlowInTheMiddle extends CountingStorage {
  onSlow: (() => Promise<void>) | undefined;
  onLast: (() => void) | undefined;
  slow = '';
  last = '';

  override async read(file: string, from: number, length: number): Promise<Part | StorageProblem> {
    const part = await super.read(file, from, length);
    if (file === this.slow) await this.onSlow?.();
    if (file === this.last) this.onLast?.();
    return part;
  }
}

test('live files are looked at while a sweep over a long history is under way', async () => {
  const storage = new SlowInTheMiddle();
  const db = openForWriting(':memory:');
  const finished = Array.from({ length: 1_000 }, (_, nth) => wholeRun(nthWriter(nth), nth));
  for (const { path, bytes } of finished) storage.append(path, Buffer.from(bytes), Date.now());
  const live = writerFile(A, created(0), metric(1));
  storage.append(live.path, Buffer.from(live.bytes), Date.now());
  await new Projector(db, LEDGER, storage, systemClock).pass();
  db.exec('UPDATE _projection SET slow_sweep_due_at = NULL');

  const paths = finished.map(({ path }) => path).toSorted();
  [storage.slow = '', storage.last = ''] = [paths[500], paths.at(-1)];
  const grown = writerFile(A, created(0), metric(1), metric(2));
  storage.onSlow = async () => {
    storage.files.set(grown.path, { bytes: Buffer.from(grown.bytes), mtimeMs: Date.now() });
    await sleep(2 * PACE.firstLook);
  };
  let pointsAtLast: number | undefined;
  const { points } = follow([], undefined, storage, db);
  const before = points();
  storage.onLast = () => (pointsAtLast ??= points());
  await until('the sweep has come to the last file', () => pointsAtLast !== undefined);
  expect(pointsAtLast).toBe(before + 1);
});
