// A file system that lies for a while: errors, stale sizes, pages of NULs, listings with holes. Whatever it says,
// no row is ever wrong; and when it has come to its senses, the tables are those of the files.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IN_MEMORY, openForWriting, type Db } from '../../src/db/open.ts';
import { PACE } from '../../src/projector/pace.ts';
import { Projector } from '../../src/projector/projector.ts';
import type { Listing, Part, StorageProblem } from '../../src/projector/storage.ts';
import { snapshotOf } from '../helpers/given.ts';
import {
  A,
  B,
  DAY,
  at,
  closed,
  created,
  metric,
  notes,
  result,
  status,
  text,
  writerFile,
  type GivenFile,
} from '../helpers/lines.ts';
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';
import { tablesOf } from '../helpers/tables.ts';
import { model } from '../model/model.ts';

const points = Array.from({ length: 20 }, (_, index) =>
  metric(index, { step: index, loss: 1 / (1 + index) }),
);
/** Lines whose seq were seen before, so that the file is read again from there: two others, and one the same. */
const AGAIN = [
  metric(11, { step: 11, loss: 7, seq: 4 }),
  metric(10, { step: 10, loss: 1 / 11, seq: 3 }),
  metric(10, { step: 10, loss: 7, seq: 3 }),
];
const FILES: GivenFile[] = [
  writerFile(A, created(0), ...points, result(21, { a: 1 }), status(22, 'completed'), closed(23, 24)),
  writerFile(B, created(30, { resume: true }), 'no json\n', ...points.slice(10), ...AGAIN),
  notes(metric(1, { loss: 5 }), text(metric(2)), '\n'),
];
const EXPECTED = model(FILES.map((file) => ({ ...file, quiet: true })));

/** What the storage does to one call; null is nothing. */
type Fault = { fail: string } | { stale: number } | { zero: number } | { hole: [number, number] } | null;

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  fc.constantFrom('ENOENT', 'ESTALE', 'EIO', 'EACCES', 'ETIMEDOUT', 'EMFILE').map((fail) => ({ fail })),
  // how much of the file's end is not seen, or seen as NULs, in per mille
  fc.integer({ min: 1, max: 1000 }).map((stale) => ({ stale })),
  fc.integer({ min: 1, max: 1000 }).map((zero) => ({ zero })),
  // a page somewhere in it that has not come
  fc.tuple(fc.nat({ max: 999 }), fc.integer({ min: 1, max: 300 })).map((hole) => ({ hole })),
);

class FaultyStorage extends MemoryStorage {
  /** One for each call; then it is honest. */
  faults: Fault[] = [];
  reads = 0;

  override async read(file: string, from: number, length: number): Promise<Part | StorageProblem> {
    this.reads += 1;
    const now = this.faults.shift() ?? null;
    if (now !== null && 'fail' in now) return { path: file, reason: now.fail };
    const part = await super.read(file, from, length);
    if (now === null || 'reason' in part) return part;
    if ('hole' in now) {
      const [start, length] = now.hole.map((mille) => Math.ceil((part.size * mille) / 1000));
      zeroIn(part.bytes, start! - from, start! + length! - from);
      return part;
    }
    const hidden = Math.ceil((part.size * ('stale' in now ? now.stale : now.zero)) / 1000);
    const border = part.size - hidden;
    const visible = Math.max(0, Math.min(part.bytes.length, border - from));
    if ('stale' in now) return { ...part, size: border, bytes: part.bytes.subarray(0, visible) };
    part.bytes.fill(0, visible);
    return part;
  }

  override async list(wanted?: (folder: string) => boolean): Promise<Listing> {
    const listing = await super.list(wanted);
    const now = this.faults.shift() ?? null;
    // a directory that gives an entry twice, or not at all, while it is being changed
    if (now !== null && 'stale' in now) listing.files.splice(now.stale % listing.files.length, 1);
    if (now !== null && 'zero' in now) listing.files.push(...listing.files);
    return listing;
  }
}

function zeroIn(bytes: Buffer, from: number, to: number): void {
  const within = (at: number): number => Math.min(bytes.length, Math.max(0, at));
  bytes.fill(0, within(from), within(to));
}

class World {
  readonly db: Db = openForWriting(IN_MEMORY);
  readonly storage = new FaultyStorage();
  nowMs = Date.parse(at(60));
  #projector = this.#start();

  constructor() {
    for (const { path, bytes } of FILES) this.storage.append(path, bytes, this.nowMs);
  }

  #start(): Projector {
    return new Projector(this.db, LEDGER, this.storage, { now: () => this.nowMs });
  }

  restart(): void {
    this.#projector = this.#start();
  }

  async pass(thorough: boolean): Promise<void> {
    await this.#projector.pass({ thorough });
    this.expectNothingWrong();
  }

  /**
   * Every row of now is one of the rows at the end, and nothing is rejected that will not be; save in files with
   * a page that is so late that it was given up: what that makes of them is provisional, as it is.
   */
  expectNothingWrong(): void {
    const { run_metrics, run_errors, rejected } = tablesOf(this.db);
    const holed = new Set(rejected.filter(({ code }) => code === 'nul_hole').map(({ file }) => String(file)));
    const isHoled = (writer: unknown): boolean => [...holed].some((file) => file.includes(String(writer)));
    for (const row of run_metrics)
      if (!isHoled(row['writer'])) expect(EXPECTED.run_metrics).toContainEqual(row);
    for (const row of rejected)
      if (!holed.has(String(row['file']))) expect(EXPECTED.rejected).toContainEqual(row);
    expect(run_errors).toEqual([]);
  }

  /** The storage is honest now, and two slow sweeps come: one to thaw a file, one to look at its holes. */
  async settle(): Promise<void> {
    this.storage.faults = [];
    for (let sweep = 0; sweep < 2; sweep += 1) {
      this.nowMs += PACE.slowSweep;
      await this.pass(true);
    }
    expect(tablesOf(this.db)).toEqual(EXPECTED);
    const states = this.db
      .prepare("SELECT path, state, reason FROM _files WHERE state NOT IN ('live', 'quiet', 'complete')")
      .all();
    expect(states).toEqual([]);
    this.db.close();
  }
}

test('any faults in any order: no row is wrong meanwhile, and all is right in the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fault, { maxLength: 12 }), { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      async (passes, restarts) => {
        const world = new World();
        for (const [index, faults] of passes.entries()) {
          world.storage.faults = [...faults];
          await world.pass(index % 2 === 0);
          if (restarts) world.restart();
        }
        await world.settle();
      },
    ),
    { numRuns: 300 },
  );
});

test('files that grow between the faults are never read past what is there', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 700 }), fc.array(fault, { maxLength: 6 })), {
        minLength: 1,
        maxLength: 20,
      }),
      async (steps) => {
        const world = new World();
        const shown = new Map(FILES.map(({ path }) => [path, 0]));
        world.storage.files.clear();
        for (const [more, faults] of steps) {
          for (const { path, bytes } of FILES) {
            const end = Math.min(bytes.length, (shown.get(path) ?? 0) + more);
            shown.set(path, end);
            world.storage.files.set(path, { bytes: bytes.subarray(0, end), mtimeMs: world.nowMs });
          }
          world.storage.faults = [...faults];
          await world.pass(false);
        }
        for (const { path, bytes } of FILES) world.storage.files.set(path, { bytes, mtimeMs: world.nowMs });
        await world.settle();
      },
    ),
    { numRuns: 120 },
  );
});

/** Of an honest pass. */
async function countReads(): Promise<number> {
  const world = new World();
  await world.pass(true);
  const { reads } = world.storage;
  await world.settle();
  return reads + 1;
}

test.each(['ENOENT', 'ESTALE', 'EIO', 'EACCES'])(
  '%s at the k-th call, for every k: the state is kept, the data arrive later',
  async (fail) => {
    const calls = await countReads();
    expect(calls).toBeGreaterThan(FILES.length);
    for (let k = 0; k < calls; k += 1) {
      // in the first pass, and when everything was read before
      for (const isRead of [false, true]) {
        const world = new World();
        if (isRead) await world.pass(true);
        world.storage.faults = [...Array.from({ length: k }, () => null), { fail }];
        await world.pass(true);
        await world.pass(false);
        world.restart();
        await world.settle();
      }
    }
  },
);

test('a page that has not come at the k-th call, for every k and wherever it is', async () => {
  const calls = await countReads();
  for (let k = 0; k < calls + 4; k += 1) {
    for (let mille = 0; mille < 1000; mille += 25) {
      const world = new World();
      world.storage.faults = [...Array.from({ length: k }, () => null), { hole: [mille, 50] }];
      await world.pass(true);
      await world.settle();
    }
  }
});

test('a folder with many files, listed twice over', async () => {
  const storage = new FaultyStorage();
  const many = 2_000;
  for (let index = 0; index < many; index += 1) {
    storage.append(`events/${DAY}/n${index}.ndjson`, Buffer.from(`${text(metric(index))}\n`), 0);
  }
  const db = openForWriting(IN_MEMORY);
  const projector = new Projector(db, LEDGER, storage, { now: () => 0 });
  storage.faults = [{ zero: 1 }];
  const { files, events } = await projector.pass({ thorough: true });
  expect({ files, events }).toEqual({ files: many, events: many });
  const before = snapshotOf(db);
  storage.faults = [{ zero: 1 }];
  await projector.pass();
  expect(snapshotOf(db)).toEqual(before);
  db.close();
});
