// A node with a projector: its NFS client, its clock, its database, and processes that come and go.
import fs from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import type { Clock } from '../../src/clock.ts';
import { IN_MEMORY, openForWriting, type Db } from '../../src/db/open.ts';
import { errnoOf } from '../../src/errors.ts';
import type { HintsOptions } from '../../src/projector/hints.ts';
import { Projector, type PassOptions, type ProjectorOptions } from '../../src/projector/projector.ts';
import { rebuild } from '../../src/projector/rebuild.ts';
import { verify, type VerifyReport } from '../../src/projector/verify.ts';
import { watch } from '../../src/projector/watch.ts';
import { LEDGER } from '../helpers/memory-storage.ts';
import type { Client } from './client.ts';
import type { Coverage } from './coverage.ts';
import { mortalDb } from './mortal-db.ts';
import { Process } from './process.ts';
import { Actor, type Scheduler } from './scheduler.ts';

/** A copy is made several times as fast as tables. */
const EMPTY_DATABASE = openForWriting(IN_MEMORY).serialize();

export interface MachineOptions {
  name: string;
  scheduler: Scheduler;
  client: Client;
  coverage: Coverage;
  skewMs: number;
  projector: ProjectorOptions;
  /** Where databases are files: those of rebuilds. */
  directory: string;
  /** Called whenever a process has come to rest or has died, with the database as it is then. */
  onRest: (db: Db, hasDied: boolean) => void;
  log: (text: string) => void;
}

export class Machine {
  readonly options: MachineOptions;
  readonly #actor = new Actor();
  db: Db = new Database(EMPTY_DATABASE);
  #skewMs: number;
  #process: Process | undefined;
  #projector: Projector | undefined;
  #onHint: ((file: string) => void) | undefined;
  #files = 0;
  /** What must not happen. */
  failure: unknown;

  constructor(options: MachineOptions) {
    this.options = options;
    this.#skewMs = options.skewMs;
  }

  get isBusy(): boolean {
    return this.#actor.isBusy;
  }

  get clock(): Clock {
    return { now: () => this.options.scheduler.now + this.#skewMs };
  }

  setClock(skewMs: number): void {
    if (skewMs === this.#skewMs) return;
    this.options.coverage.hit(skewMs > this.#skewMs ? 'clock jumps ahead' : 'clock jumps back');
    this.#skewMs = skewMs;
  }

  /** The process that is there, or a new one. */
  #ensure(): Process {
    const { scheduler, client, coverage } = this.options;
    this.#process ??= new Process(this.#actor, scheduler, client, coverage, this.clock, () => this.db);
    return this.#process;
  }

  #begin(work: (process: Process, projector: () => Projector) => Promise<void>): void {
    if (this.isBusy) return;
    const process = this.#ensure();
    const projector = (): Projector => {
      const guarded = mortalDb(this.db, () => process.beforeStatement());
      this.#projector ??= new Projector(guarded, LEDGER, process.storage, this.clock, this.options.projector);
      return this.#projector;
    };
    void this.options.scheduler.start(this.#actor, async () => {
      try {
        await work(process, projector);
      } catch (error) {
        this.#ended(process, error);
      }
      if (process.isDead) this.#bury();
      this.#rest(process.isDead);
    });
  }

  #rest(hasDied: boolean): void {
    try {
      this.options.onRest(this.db, hasDied);
    } catch (error) {
      this.failure ??= error;
    }
  }

  #ended(process: Process, error: unknown): void {
    if (process.isDead) return;
    const code = errnoOf(error) ?? '';
    this.options.log(`${this.options.name}: ${String(error)}`);
    // a process that is told that this is another log ends; after all else it may try again
    if (code === 'database_other_ledger') process.die();
    else if (!/^(E[A-Z]+|ledger_\w+|SQLITE_FULL|would_lose_rows)$/.test(code)) this.failure ??= error;
    if (code === 'would_lose_rows') this.options.coverage.hit('rebuild refused');
  }

  /** What the kernel does for a process that is gone. */
  #bury(): void {
    if (this.db.inTransaction) this.db.exec('ROLLBACK');
    this.#process = undefined;
    this.#projector = undefined;
    this.#onHint = undefined;
  }

  pass(options: PassOptions): void {
    this.#begin(async (_, projector) => {
      const { files, lines, rejected, thorough } = await projector().pass(options);
      this.options.log(
        `${this.options.name}: ${thorough ? 'thorough ' : ''}pass over ${files} files, ${lines} lines, ${rejected} rejected`,
      );
    });
  }

  watch(ms: number): void {
    const { scheduler, coverage } = this.options;
    const ending = new AbortController();
    if (!this.isBusy) scheduler.at(scheduler.now + ms, () => ending.abort());
    this.#begin(async (process, projector) => {
      coverage.hit('watch');
      const end = await watch(projector(), process.storage, {
        root: LEDGER.path,
        clock: this.clock,
        signal: ending.signal,
        isOnNetwork: false,
        sleep: (duration, signal) => scheduler.sleep(this.#actor, duration, signal),
        hints: (options) => this.#hintsFor(options),
        onPass: ({ lines }) => {
          if (lines > 0) this.#rest(false);
        },
      });
      this.#onHint = undefined;
      if (end === 'abandoned') process.die();
    });
  }

  #hintsFor({ onHint }: HintsOptions): { follow(): void; forget(): void; stop(): Promise<void> } {
    this.#onHint = onHint;
    return { follow: () => undefined, forget: () => undefined, stop: () => Promise.resolve() };
  }

  hint(file: string): void {
    this.options.coverage.hit('hint');
    if (this.#onHint === undefined) this.pass({ only: [file] });
    else this.#onHint(file);
  }

  /** Arms what will happen to the process at its k-th storage call or statement from now. */
  arm(what: 'call' | 'statement' | 'full', k: number): void {
    this.#ensure().arm(what, k);
  }

  async kill(): Promise<void> {
    const process = this.#ensure();
    this.options.coverage.hit('killed between');
    process.die();
    await this.options.scheduler.runUntil(this.options.scheduler.now);
    if (!this.isBusy) this.#bury();
    this.#rest(true);
  }

  restart(): void {
    if (this.isBusy) return;
    this.options.coverage.hit('restart');
    this.#bury();
  }

  /** The database as a file of its own. */
  #toFile(): string {
    this.#files += 1;
    const file = path.join(this.options.directory, `${this.options.name}${this.#files}.db`);
    fs.writeFileSync(file, this.db.serialize(), { mode: 0o600 });
    return file;
  }

  rebuild(): void {
    if (this.isBusy) return;
    this.#projector = undefined;
    this.#begin(async (process) => {
      const { storage } = process;
      const file = this.#toFile();
      try {
        await rebuild(file, { ledger: LEDGER, storage, clock: this.clock });
      } catch (error) {
        // the live database is as it was, whatever the file beside it has come to
        if (process.isDead) this.options.coverage.hit('rebuild cut off');
        throw error;
      }
      this.db.close();
      this.db = openForWriting(file);
      this.options.coverage.hit('rebuild');
      this.options.log(`${this.options.name}: rebuilt`);
    });
  }

  /** A database that has never been there before. */
  async renew(): Promise<void> {
    this.#bury();
    this.db.close();
    this.db = new Database(EMPTY_DATABASE);
    this.pass({ thorough: true });
    await this.finish();
  }

  verify(onReport: (report: VerifyReport) => void): void {
    this.#begin(async ({ storage }) => {
      const report = await verify(this.#toFile(), { ledger: LEDGER, storage, clock: this.clock });
      this.options.coverage.hit('verify');
      this.options.log(
        `${this.options.name}: verified, ${report.differenceCount} differences, ${report.leftOut.length} left out`,
      );
      onReport(report);
    });
  }

  async finish(): Promise<void> {
    await this.options.scheduler.finish(this.#actor);
    if (this.failure !== undefined) throw this.failure;
  }
}
