// Where work is disturbed: one database, and what must be true of it afterwards.
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { openReadOnly, type Db } from '../../src/db/open.ts';
import { errnoOf } from '../../src/errors.ts';
import { OpenProjector } from '../../src/projector/open.ts';
import { TimedStorage } from '../../src/projector/timed-storage.ts';
import type { LedgerStorage } from '../../src/projector/storage.ts';
import { snapshotOf } from '../helpers/given.ts';
import { LEDGER } from '../helpers/memory-storage.ts';

/** In memory where that is to be had: a sync for each transaction of thousands would take minutes. */
const ROOM = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

/** One database file in a directory of its own, and a clock that stands still. */
export class Desk {
  readonly dir: string = fs.mkdtempSync(path.join(ROOM, 'runfold-faults-'));
  readonly file: string = path.join(this.dir, 'runs.db');
  readonly clock: { nowMs: number; now: () => number };
  readonly storage: LedgerStorage;
  readonly #nowMs: number;

  constructor(storage: LedgerStorage, nowMs: number) {
    this.storage = storage;
    this.#nowMs = nowMs;
    this.clock = { nowMs, now: () => this.clock.nowMs };
    onTestFinished(() => fs.rmSync(this.dir, { recursive: true, force: true }));
  }

  open(): OpenProjector {
    const { file, clock } = this;
    const storage = new TimedStorage(this.storage, clock);
    return OpenProjector.open({ ledger: LEDGER, storage, file }, 'sync', clock);
  }

  /** Puts a database there as it was before, or none, and the clock back. */
  reset(content: Buffer | undefined): void {
    this.clock.nowMs = this.#nowMs;
    for (const name of fs.readdirSync(this.dir)) fs.rmSync(path.join(this.dir, name));
    if (content !== undefined) fs.writeFileSync(this.file, content, { mode: 0o600 });
  }

  get content(): Buffer {
    return fs.readFileSync(this.file);
  }

  /** All rows that the law is about, and those from which they are recomputed. */
  dump(): Record<string, unknown[]> {
    const db = openReadOnly(this.file);
    try {
      return { ...snapshotOf(db), ...bookkeepingOf(db) };
    } finally {
      db.close();
    }
  }

  expectSound(expected: Record<string, unknown[]>, after: string): void {
    // before anything reads it: a reader leaves its own behind
    expect(fs.readdirSync(this.dir).toSorted(), after).toEqual(['runs.db', 'runs.db.lock']);
    const db = openReadOnly(this.file);
    const integrity: unknown = db.pragma('integrity_check', { simple: true });
    db.close();
    expect(integrity, after).toBe('ok');
    const dump = this.dump();
    // many times as fast as the comparison that shows where they differ
    if (JSON.stringify(dump) !== JSON.stringify(expected)) expect(dump, after).toEqual(expected);
  }
}

function bookkeepingOf(db: Db): Record<string, unknown[]> {
  const tables = [
    '_events',
    '_samples',
    '_attempts',
    '_series',
    '_digests',
    '_point_attempts',
    '_stretches',
    '_holes',
  ];
  return Object.fromEntries(
    tables.map((table) => {
      const rows = db.prepare(`SELECT * FROM ${table}`).all();
      return [table, rows.map((row) => JSON.stringify(row)).toSorted()];
    }),
  );
}

/** That of SQLite, of the system, or of a RunfoldError: nothing that a program says of itself, such as a TypeError. */
export function expectExplained(error: unknown, after: string): void {
  expect(
    errnoOf(error),
    `${after}: ${error instanceof Error ? String(error.stack) : String(error)}`,
  ).toBeDefined();
}
