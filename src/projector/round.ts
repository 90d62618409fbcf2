// One transaction: the lines of some files go in, and the states that they leave.
import { isoTime, type Clock } from '../clock.ts';
import type { Db } from '../db/open.ts';
import type { Applier } from './apply.ts';
import type { Catalog } from './catalog.ts';
import { misplaced, withStatus, type FileState } from './file-state.ts';
import type { FileStore } from './file-store.ts';
import type { LineSink } from './intake.ts';

export interface RoundParts {
  db: Db;
  catalog: Catalog;
  store: FileStore;
  applier: Applier;
  clock: Clock;
}

export class Round {
  readonly #parts: RoundParts;
  readonly #files = new Map<string, FileState>();
  readonly #writers = new Map<string, string>();

  constructor(parts: RoundParts) {
    this.#parts = parts;
  }

  /** The state as this round leaves it. */
  get(path: string): FileState | undefined {
    return this.#files.get(path) ?? this.#parts.catalog.get(path);
  }

  /** The other file whose header names this writer. */
  claimant(writer: string, path: string): FileState | undefined {
    const here = this.#writers.get(writer);
    const other = here === undefined ? this.#parts.catalog.ofWriter(writer) : this.get(here);
    return other === undefined || other.path === path ? undefined : this.get(other.path);
  }

  put(file: FileState): void {
    this.#files.set(file.path, file);
    if (file.kind === 'writer' && file.writer !== null) this.#writers.set(file.writer, file.path);
  }

  /** Where the lines of this round go. */
  get sink(): LineSink {
    const { applier, store } = this.#parts;
    return {
      event: (file, event, seq, extraJson) => applier.event(file, event, seq, extraJson),
      metrics: (file, lines) => applier.metrics(file, lines),
      reject: (path, line) => store.reject(path, line),
      misplace: (path) => store.clear(path),
      displace: (other, file) => this.#displace(other, file),
    };
  }

  #displace(path: string, by: FileState): void {
    const { applier, store, clock } = this.#parts;
    if (by.writer !== null) applier.retract(by.writer);
    store.clear(path);
    const displaced = this.get(path);
    if (displaced === undefined) return;
    const reason = `${by.path} is this writer’s file`;
    this.#files.set(path, misplaced(displaced, reason, by.writer, isoTime(clock.now())));
  }

  /** Rows, events, rejected lines and offsets: all that `step` does, or nothing. */
  async run(step: () => Promise<void>): Promise<void> {
    const { db, applier } = this.#parts;
    db.exec('BEGIN IMMEDIATE');
    try {
      await step();
      this.#saveFiles();
      applier.finish();
      db.exec('COMMIT');
    } catch (error) {
      applier.discard();
      // SQLite has rolled back by itself after some errors, a full disk among them
      if (db.inTransaction) db.exec('ROLLBACK');
      throw error;
    }
    for (const file of this.#files.values()) this.#parts.catalog.remember(file);
  }

  #saveFiles(): void {
    const { catalog, store, clock } = this.#parts;
    for (const [path, file] of this.#files) {
      const settled = settle(file, store, isoTime(clock.now()));
      if (isSame(settled, catalog.get(path))) continue;
      this.#files.set(path, settled);
      store.save(settled);
    }
  }
}

/** A closed file is complete when every line up to the closing one has come. */
function settle(file: FileState, store: FileStore, now: string): FileState {
  if (file.state !== 'live' || file.closedSeq === null) return file;
  return store.gaps(file.path, file.closedSeq).length === 0 ? withStatus(file, 'complete', null, now) : file;
}

function isSame(a: FileState, b: FileState | undefined): boolean {
  if (b === undefined) return false;
  const keys = Object.keys(a) as (keyof FileState)[];
  return keys.every((key) => key === 'stretch' || key === 'marker' || a[key] === b[key]);
}
