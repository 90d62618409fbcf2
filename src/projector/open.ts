// A projector with everything it needs: the ledger, the lock, the database.
import os from 'node:os';
import { isoTime, systemClock, type Clock } from '../clock.ts';
import { databasePath, prepareDatabaseDirectory } from '../db/location.ts';
import { lockHolder, ProjectorLock, type Holder } from '../db/lock.ts';
import { openForWriting, type Db } from '../db/open.ts';
import { RunfoldError } from '../errors.ts';
import { findLedger, LEDGER_DIR, type LedgerInfo } from '../events/ledger.ts';
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
}

/** A ledger, and where its database is or will be. */
export interface Place {
  ledger: LedgerInfo;
  storage: TimedStorage;
  /** Absolute path of the database file, in a directory that is there and fit for it. */
  file: string;
}

/**
 * Finds the ledger and the database.
 *
 * @throws RunfoldError `ledger_not_found`, `ledger_unreadable`, `database_on_network`, `database_unsafe`.
 */
export async function locate(options: PlaceOptions = {}, clock: Clock = systemClock): Promise<Place> {
  const { env = process.env, cwd = process.cwd() } = options;
  const directory = findLedger({ explicit: options.ledger, env, cwd });
  if (directory === undefined) {
    throw new RunfoldError('ledger_not_found', `there is no ${LEDGER_DIR} directory in ${cwd} or above it`, {
      hint: 'Make one with: runfold init. Or name one with --ledger or RUNFOLD_DIR.',
    });
  }
  const storage = new TimedStorage(new DirectoryStorage(directory), clock);
  const ledger = await storage.identify();
  const uid = process.getuid?.() ?? 0;
  const file = databasePath({ explicit: options.db, env, ledgerId: ledger.ledger_id, uid, cwd });
  prepareDatabaseDirectory(file, uid);
  return { ledger, storage, file };
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
    place: Place,
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
    this.db.close();
    this.#lock.release();
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
