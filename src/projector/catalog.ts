// All event files ever seen, in memory as in the database.
import { isoTime, type Clock } from '../clock.ts';
import type { Db } from '../db/open.ts';
import { GONE, hasBeenRead, newFileState, withStatus, type FileState } from './file-state.ts';
import type { FileStore } from './file-store.ts';
import { PACE } from './pace.ts';
import type { Listing } from './storage.ts';

export class Catalog {
  readonly #db: Db;
  readonly #store: FileStore;
  readonly #clock: Clock;
  readonly #files = new Map<string, FileState>();
  /** The one well placed file of each writer that has a header. */
  readonly #byWriter = new Map<string, string>();

  constructor(db: Db, store: FileStore, clock: Clock) {
    this.#db = db;
    this.#store = store;
    this.#clock = clock;
    for (const file of store.load()) this.remember(file);
  }

  get files(): ReadonlyMap<string, FileState> {
    return this.#files;
  }

  get(path: string): FileState | undefined {
    return this.#files.get(path);
  }

  ofWriter(writer: string): FileState | undefined {
    const path = this.#byWriter.get(writer);
    return path === undefined ? undefined : this.#files.get(path);
  }

  /** Takes over a state that the database has. */
  remember(file: FileState): void {
    const before = this.#files.get(file.path);
    if (before?.kind === 'writer' && this.#byWriter.get(before.writer ?? '') === file.path) {
      this.#byWriter.delete(before.writer ?? '');
    }
    this.#files.set(file.path, file);
    if (file.kind === 'writer' && file.writer !== null) this.#byWriter.set(file.writer, file.path);
  }

  /** The state of a path; a new one if it has not been seen. */
  ensure(path: string): FileState {
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    const file = newFileState(path, isoTime(this.#clock.now()));
    this.remember(file);
    return file;
  }

  save(files: readonly FileState[]): void {
    if (files.length === 0) return;
    this.#db.transaction(() => {
      for (const file of files) this.#store.save(file);
    })();
    for (const file of files) this.remember(file);
  }

  /** New files are noted; files that a whole listing of their folder does not have are missing. */
  noteListing(listing: Listing): void {
    const listed = new Set(listing.files);
    const now = isoTime(this.#clock.now());
    const changed = listing.files
      .filter((path) => !this.#files.has(path))
      .map((path) => newFileState(path, now));
    const unread: string[] = [];
    for (const file of this.#files.values()) {
      const folder = file.path.slice(0, file.path.lastIndexOf('/'));
      if (listed.has(file.path) || !listing.folders.has(folder)) continue;
      if (!hasBeenRead(file)) unread.push(file.path);
      else if (file.state !== 'missing') changed.push(withStatus(file, 'missing', GONE, now));
    }
    this.save(changed);
    for (const path of unread) this.#forget(path);
  }

  /** Of a file that is gone and of which nothing was ever read there is nothing to report. */
  #forget(path: string): void {
    this.#db.transaction(() => {
      this.#store.clear(path);
      this.#store.forget(path);
    })();
    this.#files.delete(path);
  }

  /** Files that have been silent for long and whose runs are all finished need no frequent look. */
  settle(): void {
    const now = this.#clock.now();
    const silent = [...this.#files.values()].filter(
      (file) =>
        file.state === 'live' &&
        file.kind === 'writer' &&
        file.reason === null &&
        now - file.mtimeMs >= PACE.quietAfter,
    );
    if (silent.length === 0) return;
    const busy = this.#writersOfUnfinishedRuns();
    const quiet = silent.filter((file) => file.writer !== null && !busy.has(file.writer));
    this.save(quiet.map((file) => withStatus(file, 'quiet', null, isoTime(now))));
  }

  #writersOfUnfinishedRuns(): Set<string> {
    const writers = this.#db
      .prepare(
        `SELECT DISTINCT w.writer FROM
           (SELECT run_id, writer FROM _events UNION SELECT run_id, writer FROM _series) w
         LEFT JOIN experiment_runs r ON r.run_id = w.run_id
         WHERE r.status IS NULL OR r.status IN ('pending', 'running')`,
      )
      .pluck()
      .all() as string[];
    return new Set(writers);
  }
}
