// A projector with everything it needs: the ledger, the lock, the database.
import os from 'node:os';
import path from 'node:path';
import { isoTime, systemClock, type Clock } from '../clock.ts';
import { noteOf, type Hang, type LedgerNote } from './ledger-note.ts';
import { databasePath, prepareDatabaseDirectory } from '../db/location.ts';
import { lockHolder, ProjectorLock, type Holder } from '../db/lock.ts';
import { mayHang } from '../db/mounts.ts';
import { openForWriting, type Db } from '../db/open.ts';
import { RunfoldError } from '../errors.ts';
import {
  findLedger,
  LEDGER_DIR,
  ledgerCandidates,
  type FindLedgerOptions,
  type LedgerInfo,
} from '../events/ledger.ts';
import { EVENTS_DIR, LEDGER_FILE } from '../events/layout.ts';
import { askStorage, isAnswered, type AskStorage, type Question } from './ask-storage.ts';
import { directCalls, threadedCalls } from './file-calls.ts';
import { PACE } from './pace.ts';
import { Projector, type ProjectorOptions } from './projector.ts';
import { rebuild, type RebuildOptions, type RebuildResult } from './rebuild.ts';
import { DirectoryStorage } from './storage.ts';
import { TimedStorage } from './timed-storage.ts';

export interface PlaceOptions {
  /** `--ledger`; else `RUNFOLD_DIR`, else the nearest `.runfold/` upwards. */
  ledger?: string | undefined;
  /** `--db`; else `RUNFOLD_DB`, else a private file on a local disk. */
  db?: string | undefined;
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** Ends the wait for a storage that hangs, by an AbortError. */
  signal?: AbortSignal;
  /**
   * For what is nothing without the storage: it is waited for until it answers, and this is told once if that is late.
   * Without it a ledger that was seen before on this machine is given with its `hang`.
   */
  onHang?: (hang: Hang) => void;
  /** A ledger that was seen before on this machine and is not there now is given with the reason in `away`. */
  isAwayFine?: boolean;
  /** Told if a call of this process to the storage is left hanging, so that the process cannot end as usual. */
  onStuck?: () => void;
  /** How a storage that may hang is asked; undefined: by a process, and only if it is not on a local disk. */
  ask?: AskStorage | undefined;
}

/** A ledger, and where its database is or will be. */
export interface Place {
  ledger: LedgerInfo;
  storage: TimedStorage;
  /** Absolute path of the database file, in a directory that is there and fit for it. */
  file: string;
  note: LedgerNote;
  /** The storage has not answered: nothing of it may be touched, and `ledger` is what is remembered of it. */
  hang: Hang | undefined;
  /** Why the ledger cannot be read, if that is fine: not mounted, as a rule. */
  away: RunfoldError | undefined;
}

/**
 * Finds the ledger and the database. Calls to a storage that may hang are made by other processes or threads.
 *
 * @throws RunfoldError `ledger_not_found`, `ledger_unreadable`, `ledger_silent`, `database_on_network`,
 *   `database_unsafe`.
 */
export async function locate(options: PlaceOptions = {}, clock: Clock = systemClock): Promise<Place> {
  const { env = process.env, cwd = process.cwd(), signal, onHang } = options;
  const sought = { explicit: options.ledger, env, cwd };
  const candidates = ledgerCandidates(sought);
  const question = ask(candidates, options.ask);
  const since = clock.now();
  if (question !== undefined && !(await isAnswered(question, PACE.answerWithin, signal))) {
    const hang = { path: LEDGER_FILE, since };
    if (onHang === undefined) {
      question.giveUp();
      return withoutStorage(candidates, hang, options, clock);
    }
    onHang(hang);
    await isAnswered(question, Number.POSITIVE_INFINITY, signal);
  }
  try {
    return await found(sought, since, options, clock);
  } catch (error) {
    const isAway = error instanceof RunfoldError && AWAY.has(error.code);
    if (!isAway || options.isAwayFine !== true) throw error;
    const place = remembered(candidates, options, clock);
    if (place === undefined) throw error;
    return { ...place, away: error };
  }
}

const AWAY: ReadonlySet<string> = new Set(['ledger_not_found', 'ledger_unreadable']);

async function found(
  sought: FindLedgerOptions,
  since: number,
  options: PlaceOptions,
  clock: Clock,
): Promise<Place> {
  const directory = findLedger(sought);
  if (directory === undefined) {
    throw new RunfoldError(
      'ledger_not_found',
      `there is no ${LEDGER_DIR} directory in ${sought.cwd} or above it`,
      { hint: 'Make one with: runfold init. Or name one with --ledger or RUNFOLD_DIR.' },
    );
  }
  const storage = storageOf(directory, clock);
  const ledger = await identified(storage, options);
  // it may have begun to hang just now
  if (ledger === undefined) return withoutStorage([directory], { path: LEDGER_FILE, since }, options, clock);
  const note = noteOf(directory, options);
  const place = {
    ledger,
    storage,
    file: databaseOf(ledger, options),
    note,
    hang: undefined,
    away: undefined,
  };
  note.answers(ledger);
  return place;
}

function storageOf(directory: string, clock: Clock): TimedStorage {
  const calls = mayHang(path.join(directory, EVENTS_DIR)) ? threadedCalls : directCalls;
  return new TimedStorage(new DirectoryStorage(directory, calls), clock);
}

function databaseOf(
  ledger: LedgerInfo,
  { db, env = process.env, cwd = process.cwd() }: PlaceOptions,
): string {
  const uid = process.getuid?.() ?? 0;
  const file = databasePath({ explicit: db, env, ledgerId: ledger.ledger_id, uid, cwd });
  prepareDatabaseDirectory(file, uid);
  return file;
}

async function identified(
  storage: TimedStorage,
  { signal, onHang, onStuck }: PlaceOptions,
): Promise<LedgerInfo | undefined> {
  const identity = storage.identify();
  const question: Question = {
    answered: identity.then(
      () => undefined,
      () => undefined,
    ),
    giveUp: () => onStuck?.(),
  };
  const patience = onHang === undefined ? PACE.answerWithin : Number.POSITIVE_INFINITY;
  if (await isAnswered(question, patience, signal)) return await identity;
  question.giveUp();
  return undefined;
}

function ask(candidates: readonly string[], own: AskStorage | undefined): Question | undefined {
  if (own !== undefined) return own(candidates);
  return candidates.some((candidate) => mayHang(candidate)) ? askStorage(candidates) : undefined;
}

/** @throws RunfoldError `ledger_silent` if this machine has not seen a ledger there. */
function withoutStorage(
  candidates: readonly string[],
  hang: Hang,
  options: PlaceOptions,
  clock: Clock,
): Place {
  const place = remembered(candidates, options, clock);
  if (place === undefined) throw silent(candidates[0] ?? '', hang);
  return { ...place, hang };
}

/** The nearest ledger that this machine has seen at one of these paths. */
function remembered(candidates: readonly string[], options: PlaceOptions, clock: Clock): Place | undefined {
  for (const directory of candidates) {
    const note = noteOf(directory, options);
    const { ledger } = note;
    if (ledger === undefined) continue;
    const storage = storageOf(directory, clock);
    return { ledger, storage, file: databaseOf(ledger, options), note, hang: undefined, away: undefined };
  }
  return undefined;
}

/** For what cannot be done while the storage hangs. */
export function silent(at: string, { path: file, since }: Hang): RunfoldError {
  return new RunfoldError(
    'ledger_silent',
    `the storage of ${at} has not answered since ${isoTime(since)} (${file})`,
    { hint: 'Try again when its file server answers; runfold status shows what is known of it.' },
  );
}

/** The one projector of a database, for as long as it is open. */
export class OpenProjector implements Disposable {
  readonly projector: Projector;
  readonly db: Db;
  readonly #lock: ProjectorLock;

  private constructor(projector: Projector, db: Db, lock: ProjectorLock) {
    this.projector = projector;
    this.db = db;
    this.#lock = lock;
  }

  /**
   * Takes the lock and opens the database for writing; makes it if there is none.
   *
   * @throws RunfoldError `projector_running` and those of `openForWriting` and `Projector`.
   */
  static open(
    place: Pick<Place, 'ledger' | 'storage' | 'file'>,
    purpose: string,
    clock: Clock = systemClock,
    options: Pick<ProjectorOptions, 'trust'> = {},
  ): OpenProjector {
    const lock = ProjectorLock.acquire(place.file, thisProcess(purpose, clock));
    let db: Db | undefined;
    try {
      db = openForWriting(place.file);
      return new OpenProjector(new Projector(db, place.ledger, place.storage, clock, options), db, lock);
    } catch (error) {
      db?.close();
      lock.release();
      throw error;
    }
  }

  close(): void {
    try {
      this.db.close();
    } finally {
      this.#lock.release();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** `rebuild` under the lock. */
export async function rebuildLocked(
  place: Place,
  options: Omit<RebuildOptions, 'ledger' | 'storage' | 'clock'>,
  clock: Clock = systemClock,
): Promise<RebuildResult> {
  const lock = ProjectorLock.acquire(place.file, thisProcess('sync --rebuild', clock));
  try {
    return await rebuild(place.file, { ...options, ledger: place.ledger, storage: place.storage, clock });
  } finally {
    lock.release();
  }
}

/** Who holds the database of a place, or undefined. */
export function holderOf(place: Place): Holder | undefined {
  return lockHolder(place.file);
}

function thisProcess(purpose: string, clock: Clock): Holder {
  return { host: os.hostname(), pid: process.pid, since: isoTime(clock.now()), purpose };
}
