// A ledger of real files with a database file of its own, as a user has them.
import * as fs from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { systemClock, type Clock } from '../../src/clock.ts';
import { openReadOnly, type Db } from '../../src/db/open.ts';
import { runId, type RunKey } from '../../src/events/run-id.ts';
import { locate, OpenProjector, rebuildLocked, type Place } from '../../src/projector/open.ts';
import type { PassOptions } from '../../src/projector/projector.ts';
import type { PassResult } from '../../src/projector/pass-result.ts';
import type { RebuildResult } from '../../src/projector/rebuild.ts';
import { verify, type VerifyReport } from '../../src/projector/verify.ts';
import { tempDir } from '../events/temp-dir.ts';
import {
  closed, created, errorEvent, metric, result, slurm, status, writerFile, type Fields, type GivenFile,
} from '../helpers/lines.ts'; // prettier-ignore
import { TempLedger } from '../helpers/temp-ledger.ts';
import { hashOf } from '../process/tables-hash.ts';

export class Home {
  readonly ledger: TempLedger;
  readonly file: string;
  readonly place: Place;
  clock: Clock = systemClock;

  private constructor(ledger: TempLedger, place: Place) {
    this.ledger = ledger;
    this.place = place;
    this.file = place.file;
  }

  static async of(...files: GivenFile[]): Promise<Home> {
    const ledger = new TempLedger(...files);
    const place = await locate({ ledger: ledger.root, db: path.join(tempDir(), 'runs.db'), env: {} });
    return new Home(ledger, place);
  }

  /** The same, after a first pass. */
  static async read(...files: GivenFile[]): Promise<Home> {
    const home = await Home.of(...files);
    await home.sync();
    return home;
  }

  async sync(options: PassOptions = { thorough: true }): Promise<PassResult> {
    using open = OpenProjector.open(this.place, 'sync', this.clock);
    return await open.projector.pass(options);
  }

  async rebuild(options: { loseMissing?: boolean; signal?: AbortSignal } = {}): Promise<RebuildResult> {
    return await rebuildLocked(this.place, options, this.clock);
  }

  async verify(): Promise<VerifyReport> {
    const { ledger, storage, file } = this.place;
    return await verify(file, { ledger, storage, clock: this.clock });
  }

  /** What the tables would be if all were read for the first time. */
  async freshHash(): Promise<string> {
    const fresh = await locate({ ledger: this.ledger.root, db: path.join(tempDir(), 'fresh.db'), env: {} });
    using open = OpenProjector.open(fresh, 'sync', this.clock);
    await open.projector.pass({ thorough: true });
    return hashOf(fresh.file);
  }

  get hash(): string {
    return hashOf(this.file);
  }

  /** Looks into the database. */
  look<T>(use: (db: Db) => T): T {
    const db = openReadOnly(this.file);
    try {
      return use(db);
    } finally {
      db.close();
    }
  }

  count(table: string): number {
    return this.look((db) => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()));
  }

  /** Somebody else writes into it. */
  tamper(change: (db: Database.Database) => void): void {
    const db = new Database(this.file);
    try {
      change(db);
    } finally {
      db.close();
    }
  }

  /** What lies beside the database, but its lock and what SQLite keeps there while somebody reads. */
  beside(): string[] {
    const name = path.basename(this.file);
    const own = new Set(['', '.lock', '.note', '-wal', '-shm'].map((suffix) => name + suffix));
    return fs.readdirSync(path.dirname(this.file)).filter((other) => !own.has(other));
  }
}

/** A run of its own for each seed, with a row in every table. */
export function wholeRun(writer: string, seed: number, points = 20): GivenFile {
  const key: RunKey = { experiment_number: 1, dataset: 'd', method: 'm', subject: null, cl_info: null, seed };
  const events: Fields[] = [
    { ...created(0), ...key },
    slurm(0, 'env', { attempt: undefined, job_id: String(seed) }),
    status(0, 'running'),
    ...Array.from({ length: points }, (_, step) =>
      metric(step, { step, loss: 1 / (step + 1), f1: step / 100 }),
    ),
    errorEvent(30),
    result(31, { acc: seed }),
    status(32, 'completed'),
    closed(33, points + 7),
  ];
  const run_id = runId(key);
  const owned = events.map((event) => ('run_id' in event ? { ...event, run_id } : event));
  return writerFile(writer, ...owned.slice(0, 4), ...owned.slice(4));
}

/** A ULID of the day of the others; the nth in their order. */
export function nthWriter(nth: number): string {
  return `01M83XJ880${String(nth).padStart(16, '0')}`;
}
