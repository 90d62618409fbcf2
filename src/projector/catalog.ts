// All event files ever seen: in the database, and those not at rest in memory too.
import { isoTime, type Clock } from '../clock.ts';
import type { Db } from '../db/open.ts';
import { GONE, hasBeenRead, isAtRest, newFileState, withStatus, type FileState } from './file-state.ts';
import type { FileStore } from './file-store.ts';
import { KnownFolders } from './known-folders.ts';
import { PACE } from './pace.ts';
import type { Listing } from './storage.ts';

export class Catalog {
  readonly #db: Db;
  readonly #store: FileStore;
  readonly #clock: Clock;
  /** History grows without end, what is at work does not: files at rest are looked up when they are asked for. */
  readonly #active = new Map<string, FileState>();
  /** Of the files in memory, the one well placed file of each writer that has a header. */
  readonly #byWriter = new Map<string, string>();
  readonly #folders: KnownFolders;

  constructor(db: Db, store: FileStore, clock: Clock) {
    this.#db = db;
    this.#store = store;
    this.#clock = clock;
    this.#folders = new KnownFolders(lastSweepAt(db));
    for (const file of store.loadActive()) this.keep(file);
  }

  /** The files that are not at rest. */
  get active(): ReadonlyMap<string, FileState> {
    return this.#active;
  }

  get(path: string): FileState | undefined {
    return this.#active.get(path) ?? this.#store.load(path);
  }

  ofWriter(writer: string): FileState | undefined {
    const path = this.#byWriter.get(writer) ?? this.#store.pathOfWriter(writer);
    const file = path === undefined ? undefined : this.get(path);
    return file?.kind === 'writer' && file.writer === writer ? file : undefined;
  }

  /** Takes over a state that the database has. */
  remember(file: FileState): void {
    if (!isAtRest(file)) this.keep(file);
    else if (this.#active.has(file.path)) this.#drop(file.path);
  }

  /** Takes over a state that the database need not have. */
  keep(file: FileState): void {
    this.#unlink(file.path);
    this.#active.set(file.path, file);
    if (file.kind === 'writer' && file.writer !== null) this.#byWriter.set(file.writer, file.path);
  }

  #drop(path: string): void {
    this.#unlink(path);
    this.#active.delete(path);
  }

  #unlink(path: string): void {
    const writer = this.#active.get(path)?.writer ?? '';
    if (this.#byWriter.get(writer) === path) this.#byWriter.delete(writer);
  }

  /** The state of a path; a new one if it has not been seen. */
  ensure(path: string): FileState {
    const known = this.get(path);
    if (known !== undefined) return known;
    const file = newFileState(path, isoTime(this.#clock.now()));
    this.keep(file);
    return file;
  }

  save(files: readonly FileState[]): void {
    if (files.length === 0) return;
    this.#db.transaction(() => {
      for (const file of files) this.#store.save(file);
    })();
    for (const file of files) this.remember(file);
  }

  /** Whether a listing of the folder would find what is known. */
  isKnown = (folder: string, changedAtMs: number): boolean =>
    this.#folders.isKnown(folder, changedAtMs, this.#clock.now());

  /** New files are noted; files that a whole listing of their folder does not have are missing. */
  noteListing(listing: Listing): void {
    const listed = new Set(listing.files);
    const known = new Set([...listing.folders].flatMap((folder) => this.#store.pathsIn(folder)));
    const now = isoTime(this.#clock.now());
    const found = listing.files.filter((path) => !known.has(path) && !this.#active.has(path));
    if (found.some((path) => this.#wasHidden(path, listing))) this.#folders.distrust();
    const changed = found.map((path) => newFileState(path, now));
    const unread: string[] = [];
    for (const path of known) {
      const file = listed.has(path) ? undefined : this.get(path);
      if (file === undefined) continue;
      if (!hasBeenRead(file)) unread.push(path);
      else if (file.state !== 'missing') changed.push(withStatus(file, 'missing', GONE, now));
    }
    this.save(changed);
    for (const path of unread) this.#forget(path);
    for (const [folder, changedAtMs] of listing.changedAt ?? []) {
      this.#folders.note(folder, changedAtMs, this.#clock.now());
    }
  }

  /** Whether a new file is in a folder that would not have been listed but for a sweep. */
  #wasHidden(path: string, { changedAt }: Listing): boolean {
    const folder = path.slice(0, path.lastIndexOf('/'));
    const changedAtMs = changedAt?.get(folder);
    return changedAtMs !== undefined && this.isKnown(folder, changedAtMs);
  }

  /** Of a file that is gone and of which nothing was ever read there is nothing to report. */
  #forget(path: string): void {
    this.#db.transaction(() => {
      this.#store.clear(path);
      this.#store.forget(path);
    })();
    this.#drop(path);
  }

  /** Files that have been silent for long and whose runs are all finished need no frequent look. */
  settle(): void {
    const now = this.#clock.now();
    const silent = [...this.#active.values()].filter(
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

/** When all folders were last listed, in milliseconds; undefined: never. */
function lastSweepAt(db: Db): number | undefined {
  const due = db.prepare<[], string | null>('SELECT slow_sweep_due_at FROM _projection').pluck().get();
  return due === null || due === undefined ? undefined : Date.parse(due) - PACE.slowSweep;
}
