// Given event files, these rows: each example is projected in three ways that must come to the same tables.
import { expect } from 'vitest';
import { IN_MEMORY, openForWriting, type Db } from '../../src/db/open.ts';
import { PUBLIC_TABLES, type PublicTable } from '../../src/db/schema.ts';
import { rowsOf, type TableRow } from '../../src/projector/dump.ts';
import type { FileState } from '../../src/projector/file-state.ts';
import { findings, type Finding } from '../../src/projector/health.ts';
import { Projector } from '../../src/projector/projector.ts';
import type { LedgerStorage, StorageProblem } from '../../src/projector/storage.ts';
import type { Fields, GivenFile } from './lines.ts';
import { LEDGER, MemoryStorage } from './memory-storage.ts';

const NOW_MS = Date.UTC(2027, 0, 1);
/** So long ago that no hole is waited for, and not so long that a file is left alone. */
const MTIME_MS = NOW_MS - 20 * 60_000;
const CLOCK = { now: () => NOW_MS };
const LF = 0x0a;

/** A table as a test names it; `_rejected` and other bookkeeping are tables too. */
type Table = PublicTable | '_samples' | '_attempts' | '_events';

export class Outcome {
  readonly db: Db;
  readonly projector: Projector;
  readonly #strangers: readonly StorageProblem[];

  constructor(db: Db, projector: Projector, strangers: readonly StorageProblem[] = []) {
    this.db = db;
    this.projector = projector;
    this.#strangers = strangers;
  }

  rows(table: Table): TableRow[] {
    if ((PUBLIC_TABLES as readonly string[]).includes(table))
      return [...rowsOf(this.db, table as PublicTable)];
    return this.db.prepare(`SELECT * FROM ${table}`).all() as TableRow[];
  }

  /**
   * The table has these rows and no more, in the order of its key; columns that are not named may hold anything.
   * An object or array stands for its JSON, whatever the order of its keys.
   */
  expectRows(table: Table, expected: readonly Fields[]): this {
    const rows = this.rows(table);
    const named = rows.map((row, index) => namedColumns(row, expected[index] ?? row));
    expect(named, table).toEqual(expected);
    return this;
  }

  /** The one run that the example is about. */
  expectRun(expected: Fields): this {
    return this.expectRows('experiment_runs', [expected]);
  }

  expectResults(expected: Fields): this {
    return this.expectRows('run_results', [expected]);
  }

  expectJobs(...expected: Fields[]): this {
    return this.expectRows('slurm_jobs', expected);
  }

  /** The codes of all rejected lines, by file and offset. */
  expectRejected(...codes: string[]): this {
    expect(this.rows('_rejected').map((row) => row['code'])).toEqual(codes);
    return this;
  }

  expectFile(path: string, expected: Partial<FileState>): this {
    expect(this.projector.file(path), path).toMatchObject(expected);
    return this;
  }

  findings(): Finding[] {
    return [...findings(this.db, this.#strangers)];
  }

  /** What `doctor` says has these findings among others. */
  expectFinding(...expected: Partial<Finding>[]): this {
    const found = this.findings();
    for (const one of expected) expect(found).toContainEqual(expect.objectContaining(one));
    return this;
  }
}

function namedColumns(row: TableRow, expected: Fields): Fields {
  return Object.fromEntries(
    Object.entries(expected).map(([column, value]) => {
      if (!(column in row)) throw new Error(`no column ${column}`);
      const actual = row[column];
      const isJson = typeof value === 'object' && value !== null && typeof actual === 'string';
      return [column, isJson ? (JSON.parse(actual) as unknown) : actual];
    }),
  );
}

/**
 * Projects the files all at once; file by file in reverse order, with a pass after every line and half line and
 * another projector for every file; and once more by a new projector on each of these databases. All four come
 * to the same rows, rejected lines and states of files, or this throws.
 */
export async function given(...files: GivenFile[]): Promise<Outcome> {
  const whole = await allAtOnce(files);
  const snapshot = snapshotOf(whole.db);
  await passAgain(whole.db, files);
  expect(snapshotOf(whole.db), 'read again by another projector').toEqual(snapshot);

  const db = await bitByBit(files);
  expect(snapshotOf(db), 'file by file, half line by half line').toEqual(snapshot);
  await passAgain(db, files);
  expect(snapshotOf(db), 'bit by bit, then again by another projector').toEqual(snapshot);
  db.close();
  return whole;
}

async function allAtOnce(files: readonly GivenFile[]): Promise<Outcome> {
  return await project(openForWriting(IN_MEMORY), storageOf(files));
}

async function passAgain(db: Db, files: readonly GivenFile[]): Promise<void> {
  await project(db, storageOf(files));
}

async function project(db: Db, storage: LedgerStorage): Promise<Outcome> {
  const projector = new Projector(db, LEDGER, storage, CLOCK);
  const { strangers } = await projector.pass({ thorough: true });
  return new Outcome(db, projector, strangers);
}

function storageOf(files: readonly GivenFile[]): MemoryStorage {
  const storage = new MemoryStorage();
  for (const { path, bytes } of files) storage.append(path, bytes, MTIME_MS);
  return storage;
}

async function bitByBit(files: readonly GivenFile[]): Promise<Db> {
  const storage = new MemoryStorage();
  const db = openForWriting(IN_MEMORY);
  for (const { path, bytes } of files.toSorted((a, b) => (a.path < b.path ? 1 : -1))) {
    const projector = new Projector(db, LEDGER, storage, CLOCK);
    for (const line of linesOf(bytes)) {
      const half = Math.floor(line.length / 2);
      storage.append(path, line.subarray(0, half), MTIME_MS);
      await projector.pass({ only: [path] });
      storage.append(path, line.subarray(half), MTIME_MS);
      await projector.pass();
    }
  }
  await project(db, storage);
  return db;
}

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length;) {
    const lf = bytes.indexOf(LF, from);
    const end = lf === -1 ? bytes.length : lf + 1;
    lines.push(bytes.subarray(from, end));
    from = end;
  }
  return lines;
}

/** All public rows, and what is known of each file but when it was learnt and how large it was then. */
export function snapshotOf(db: Db): Record<string, unknown[]> {
  const tables = PUBLIC_TABLES.map((table) => [table, [...rowsOf(db, table)]] as const);
  const files = db
    .prepare(
      `SELECT path, state, reason, kind, writer, attempt, host, user_name, offset, crc, hex(marker) AS marker,
         events, repeats, unknown, after_close, max_seq, closed_seq, last_ts FROM _files ORDER BY path`,
    )
    .all();
  return { ...Object.fromEntries(tables), files };
}
