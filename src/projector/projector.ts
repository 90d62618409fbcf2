// pass(): lists, reads, admits, applies. Correct whenever and for whatever reason it is called.
import { setImmediate } from 'node:timers/promises';
import { isoTime, type Clock } from '../clock.ts';
import type { Db } from '../db/open.ts';
import type { LedgerInfo } from '../events/ledger.ts';
import { Applier } from './apply.ts';
import { assertSame, bind } from './binding.ts';
import { Catalog } from './catalog.ts';
import { GONE, isTampered, unread, type FileState, type FileStatus } from './file-state.ts';
import { ChunkQueue, type Chunk } from './chunk-queue.ts';
import { FileStore } from './file-store.ts';
import { HoleKeeper } from './holes.ts';
import { isIntact } from './integrity.ts';
import type { Batch } from './intake.ts';
import { PACE } from './pace.ts';
import { count, emptyResult, sumUp, type PassProgress, type PassResult } from './pass-result.ts';
import { WorkerParseAhead, type ParseAhead } from './parse-ahead.ts';
import { look, type Look } from './reader.ts';
import { Round, type RoundParts } from './round.ts';
import { isProblem, type LedgerStorage } from './storage.ts';
import { systemPeople, Trust, type People, type TrustLevel } from './trust.ts';

export interface PassOptions {
  /** Looks at every file, and whether holes have filled: a sweep. By default when that is due. */
  thorough?: boolean;
  /** A sweep leaves the files at rest to `sweepOn`. */
  sliced?: boolean;
  /** Looks at these files alone and lists nothing: a hint. */
  only?: readonly string[];
  /** Which folders below `events/` to list (all if it is thorough). */
  folders?: (folder: string) => boolean;
  /** Which of the live files to look at. */
  due?: (file: FileState) => boolean;
  /** Reads these files alone, each up to its offset, giving up the holes before it. */
  upTo?: ReadonlyMap<string, number>;
  /** Called for what of a file has been applied or rejected, perhaps several times. */
  onLines?: (path: string, lines: number) => void;
  /** Called after each transaction. */
  onProgress?: (progress: PassProgress) => void;
  /** Stops between two transactions. */
  signal?: AbortSignal;
}

export interface ProjectorOptions {
  /** How lines are parsed on another thread. */
  startAhead?: () => ParseAhead;
  /** Bytes to be read from which on that is done. */
  aheadFrom?: number;
  /** Whose files are read from now on; default: as before, at first everyone's. */
  trust?: TrustLevel | undefined;
  people?: People;
}

/** A sweep that is under way. */
interface Sweep {
  begunAt: number;
  /** By the pass that has begun it: some may have come to rest by that. */
  looked: ReadonlySet<string>;
  /** The file at rest that it has come to. */
  at: string;
}

/** A sweep looks at so many files at rest at a time: others must not wait for long. */
const SLICE_FILES = 256;
/** A worker takes some 0.1 s to start. */
const AHEAD_FROM = 8 * 1_048_576;

/** Folds the event files of one ledger into one database. The caller holds the lock of the database. */
export class Projector {
  readonly #db: Db;
  readonly #ledgerId: string;
  readonly #storage: LedgerStorage;
  readonly #clock: Clock;
  readonly #store: FileStore;
  readonly #catalog: Catalog;
  readonly #holes: HoleKeeper;
  readonly #applier: Applier;
  readonly #parts: RoundParts;
  readonly #ahead: Pick<Required<ProjectorOptions>, 'startAhead' | 'aheadFrom'>;
  readonly #trust: Trust;
  #sweep: Sweep | undefined;

  /** @throws RunfoldError `database_other_ledger` if the database is of another ledger. */
  constructor(
    db: Db,
    ledger: LedgerInfo,
    storage: LedgerStorage,
    clock: Clock,
    options: ProjectorOptions = {},
  ) {
    this.#db = db;
    this.#ledgerId = ledger.ledger_id;
    this.#storage = storage;
    this.#clock = clock;
    bind(db, ledger);
    const { people = systemPeople(ledger.path), trust, ...ahead } = options;
    this.#trust = new Trust(trust === undefined ? keptTrust(db) : keepTrust(db, trust), people);
    this.#store = new FileStore(db);
    this.#catalog = new Catalog(db, this.#store, clock);
    this.#holes = new HoleKeeper(storage, clock);
    this.#applier = new Applier(db);
    this.#parts = { db, catalog: this.#catalog, store: this.#store, applier: this.#applier, clock };
    this.#ahead = { startAhead: () => new WorkerParseAhead(), aheadFrom: AHEAD_FROM, ...ahead };
  }

  file(path: string): FileState | undefined {
    return this.#catalog.get(path);
  }

  /** By path, the files of which more may come, or that something is wrong with. */
  get activeFiles(): ReadonlyMap<string, FileState> {
    return this.#catalog.active;
  }

  get isSweeping(): boolean {
    return this.#sweep !== undefined;
  }

  /**
   * Looks at the ledger once and applies all that is there and complete.
   *
   * @throws RunfoldError `ledger_not_found`, `ledger_unreadable` or `database_other_ledger` before anything is
   *   read. A file that cannot be read is a state of that file, not an exception.
   */
  async pass(options: PassOptions = {}): Promise<PassResult> {
    await this.#assertSame();
    const now = this.#clock.now();
    const lists = options.only === undefined && options.upTo === undefined;
    const isSweptOn = options.sliced === true && this.isSweeping;
    const thorough = lists && (options.thorough ?? (!isSweptOn && this.#isSlowSweepDue(now)));
    const result = emptyResult(thorough);
    const callsBefore = this.#calls;
    if (options.only !== undefined) await this.#noteNew(options.only);
    if (lists) {
      const listing = thorough
        ? await this.#storage.list()
        : await this.#storage.list(options.folders, this.#catalog.isKnown);
      result.strangers = listing.strangers;
      this.#catalog.noteListing(listing);
    }
    if (thorough) await this.#lookAtHoles();
    const queue = await this.#queue(options, thorough);
    result.listingCalls = this.#calls - callsBefore;
    await this.#readAll(queue, options, result);
    // a file that came back in this pass may have to yield to one that was misplaced because of it
    if (lists) await this.#readAll(this.#claims(), options, result);
    if (lists) this.#db.prepare('UPDATE _projection SET last_pass_at = ?').run(isoTime(now));
    if (!thorough) return result;
    this.#sweep = { begunAt: now, looked: new Set(queue), at: '' };
    while (options.sliced !== true && this.isSweeping && options.signal?.aborted !== true) {
      await this.#sweepSlice(this.#sweep, options, result);
    }
    return result;
  }

  /**
   * Looks at the next files at rest, if `isSweeping`.
   *
   * @throws as `pass`
   */
  async sweepOn(options: Pick<PassOptions, 'onLines' | 'onProgress' | 'signal'> = {}): Promise<PassResult> {
    const result = emptyResult(false);
    if (this.#sweep === undefined) return result;
    await this.#assertSame();
    await this.#sweepSlice(this.#sweep, options, result);
    return { ...result, thorough: !this.isSweeping };
  }

  async #sweepSlice(sweep: Sweep, options: PassOptions, result: PassResult): Promise<void> {
    const paths = this.#store.pathsAtRest(sweep.at, SLICE_FILES);
    const unseen = paths.filter((path) => !sweep.looked.has(path));
    await this.#readAll(unseen, options, result);
    await this.#readAll(this.#claims(), options, result);
    if (options.signal?.aborted === true) return;
    const last = paths.at(-1);
    if (last === undefined) this.#endSweep(sweep.begunAt);
    else sweep.at = last;
  }

  /** Another file system may have been mounted there since. */
  async #assertSame(): Promise<void> {
    assertSame(this.#db, this.#ledgerId, await this.#storage.identify());
  }

  get #calls(): number {
    return this.#storage.calls ?? 0;
  }

  /** A hint may name anything: only a listing says what is an event file. */
  async #noteNew(paths: readonly string[]): Promise<void> {
    const unknown = paths.filter((path) => this.#catalog.get(path) === undefined);
    if (unknown.length === 0) return;
    const folders = new Set(unknown.map((path) => path.split('/')[1]));
    this.#catalog.noteListing(await this.#storage.list((folder) => folders.has(folder)));
  }

  #isSlowSweepDue(now: number): boolean {
    const due = this.#db.prepare('SELECT slow_sweep_due_at FROM _projection').pluck().get() as string | null;
    // a time further away than the sweep's period is one of a clock that has been set back since
    return due === null || Date.parse(due) <= now || Date.parse(due) > now + PACE.slowSweep;
  }

  #endSweep(begunAt: number): void {
    this.#catalog.settle();
    this.#db.prepare('UPDATE _projection SET slow_sweep_due_at = ?').run(isoTime(begunAt + PACE.slowSweep));
    this.#sweep = undefined;
  }

  /** A file whose hole has filled is read again from its start: what it holds now decides. */
  async #lookAtHoles(): Promise<void> {
    const filled = new Set<string>();
    for (const { path, ...hole } of this.#store.holes()) {
      const file = this.#catalog.get(path);
      if (file === undefined || file.state === 'missing' || isTampered(file) || filled.has(path)) continue;
      if (await this.#holes.hasChanged(path, hole)) filled.add(path);
    }
    for (const path of filled) this.#retract(this.#catalog.ensure(path));
  }

  #retract(file: FileState): void {
    const next = unread(file, isoTime(this.#clock.now()));
    try {
      this.#db.transaction(() => {
        if (file.writer !== null) this.#applier.retract(file.writer);
        this.#store.clear(file.path);
        this.#store.save(next);
        this.#applier.finish();
      })();
    } catch (error) {
      this.#applier.discard();
      throw error;
    }
    this.#catalog.remember(next);
  }

  async #queue(options: PassOptions, thorough: boolean): Promise<string[]> {
    if (options.upTo !== undefined) {
      for (const [path, offset] of options.upTo) {
        this.#catalog.keep({ ...this.#catalog.ensure(path), holesUntil: offset });
      }
      return [...options.upTo.keys()].toSorted();
    }
    if (options.only !== undefined) {
      return options.only.filter((path) => isReadOn(this.#catalog.get(path)));
    }
    const queue: string[] = [];
    for (const file of this.#catalog.active.values()) {
      // there may be thousands of live ones: waiting for each costs more than asking
      const isDue = file.state === 'live' ? (options.due?.(file) ?? true) : undefined;
      if (isDue ?? (await this.#isToRead(file, thorough))) queue.push(file.path);
    }
    return [...queue, ...this.#claims()].toSorted();
  }

  #claims(): string[] {
    const claims = [...this.#catalog.active.values()].filter((file) => this.#mayClaim(file));
    for (const file of claims) this.#catalog.keep(unread(file, isoTime(this.#clock.now())));
    return claims.map(({ path }) => path);
  }

  /** A file that lost its writer to another one looks again when that one is gone for good or yields. */
  #mayClaim(file: FileState): boolean {
    if (file.state !== 'misplaced' || file.writer === null) return false;
    const other = this.#catalog.ofWriter(file.writer);
    if (other === undefined) return true;
    return other.path > file.path && other.state !== 'missing' && !isTampered(other);
  }

  async #isToRead(file: FileState, thorough: boolean): Promise<boolean> {
    // whose a file is hardly ever changes
    if (file.state === 'untrusted') return thorough;
    if (file.state === 'missing') return file.reason !== GONE || (await this.#isBack(file));
    return isTampered(file) && (await this.#isAsItWas(file, thorough));
  }

  /** A file that was gone and is there again may have come back changed. */
  async #isBack(file: FileState): Promise<boolean> {
    const part = await this.#storage.read(file.path, 0, 0);
    return !isProblem(part);
  }

  /** Whether a file that was truncated or rewritten has its old bytes again. */
  async #isAsItWas(file: FileState, thorough: boolean): Promise<boolean> {
    const part = await this.#storage.read(file.path, 0, 0);
    if (isProblem(part) || part.size < file.offset) return false;
    // a thorough look compares anew: the one before may have been given stale bytes, or none
    if (!thorough && part.size === file.size && part.mtimeMs === file.mtimeMs) return false;
    const intact = await isIntact(file, this.#store.uncounted(file.path), this.#storage);
    // noted, so that it is not read whole again before it changes again
    if (!intact) this.#catalog.save([{ ...file, size: part.size, mtimeMs: part.mtimeMs }]);
    return intact;
  }

  async #readAll(paths: string[], options: PassOptions, result: PassResult): Promise<void> {
    const progress = new Map<string, { done: number; total: number }>();
    result.files += paths.length;
    const queue = new ChunkQueue(paths, {
      catalog: this.#catalog,
      storage: this.#storage,
      limitOf: (path) => limitOf(path, options),
      ...this.#ahead,
    });
    try {
      while (options.signal?.aborted !== true) {
        const chunks = await queue.take();
        if (chunks.length === 0) return;
        const round = new Round(this.#parts);
        const batches: Batch[] = [];
        await round.run(async () => {
          for (const chunk of chunks) {
            const looked = await this.#look(chunk, round, options);
            if (looked?.batch !== undefined) batches.push(looked.batch);
            queue.done(chunk, looked);
            // what is read and parsed meanwhile comes in
            if (chunk.ahead !== undefined) await setImmediate();
          }
        });
        for (const batch of batches) count(batch, result, progress, options.onLines);
        options.onProgress?.(sumUp(progress, result.lines));
      }
    } finally {
      await queue.end();
    }
  }

  async #look(chunk: Chunk, round: Round, options: PassOptions): Promise<Look | undefined> {
    const { path, read } = chunk;
    const file = round.get(path);
    // it may have been displaced since it was queued
    if (chunk.isVoid || file === undefined || file.state === 'misplaced') return undefined;
    // a mount that has just gone looks as if its files had: then the log has too, which is thrown
    if (isProblem(read) && read.reason === 'ENOENT' && file.state !== 'missing')
      await this.#storage.identify();
    const context = {
      sink: round.sink,
      storage: this.#storage,
      store: this.#store,
      holes: this.#holes,
      trust: this.#trust,
      clock: this.#clock,
      claimant: (writer: string, other: string) => round.claimant(writer, other),
    };
    const looked = await look(file, read, limitOf(path, options), context, await chunk.ahead?.take());
    round.put(looked.file);
    return looked;
  }
}

function limitOf(path: string, options: PassOptions): number {
  return options.upTo?.get(path) ?? Number.POSITIVE_INFINITY;
}

/** Whether a hint about the file is of any use. */
function isReadOn(file: FileState | undefined): boolean {
  return file !== undefined && !NOT_READ_ON.has(file.state);
}

const NOT_READ_ON: ReadonlySet<FileStatus> = new Set(['misplaced', 'frozen', 'untrusted']);

/** Whose files have been read so far. */
export function keptTrust(db: Db): TrustLevel {
  const kept = db.prepare<[], TrustLevel>('SELECT trust FROM _projection').pluck().get();
  return kept ?? 'all';
}

/** With another level, files that are not looked at any more may be read now, or no longer. */
function keepTrust(db: Db, level: TrustLevel): TrustLevel {
  db.prepare('UPDATE _projection SET trust = ?, slow_sweep_due_at = NULL WHERE trust <> ?').run(level, level);
  return level;
}
