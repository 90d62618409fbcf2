// The ledger read again into a new database, up to where another one has read it.
import type { Clock } from '../clock.ts';
import type { Db } from '../db/open.ts';
import type { LedgerInfo } from '../events/ledger.ts';
import { assertSame } from './binding.ts';
import { GONE, hasBeenRead, isTampered, type FileState } from './file-state.ts';
import { FileStore } from './file-store.ts';
import { keptTrust, Projector } from './projector.ts';
import type { PassProgress, PassResult } from './pass-result.ts';
import type { LedgerStorage } from './storage.ts';
import type { People, TrustLevel } from './trust.ts';

/** A file whose rows the ledger no longer gives. */
export interface Loss {
  path: string;
  writer: string | null;
  /** gone, unreadable (an errno), not trusted, truncated or rewritten. */
  reason: string;
  events: number;
}

export interface ReplayOptions {
  ledger: LedgerInfo;
  storage: LedgerStorage;
  clock: Clock;
  /** `bytesTotal` is then of all that was read before, from the beginning on. */
  onProgress?: (progress: PassProgress) => void;
  /** Whose files are read; default everyone's. */
  trust?: TrustLevel | undefined;
  people?: People | undefined;
  signal?: AbortSignal;
}

/**
 * What a database has read of which file.
 *
 * @throws RunfoldError `database_other_ledger`.
 */
export function filesRead(db: Db, ledger: LedgerInfo): FileState[] {
  assertOfLedger(db, ledger);
  return new FileStore(db).loadAll();
}

export interface Replayed {
  projector: Projector;
  pass: PassResult;
  losses: Loss[];
}

/**
 * Reads into `into` what `from` has read, and says which files no longer hold what was read from them.
 *
 * @throws RunfoldError `database_other_ledger`; an AbortError if the signal came before all was read.
 */
export async function replay(from: Db, into: Db, options: ReplayOptions): Promise<Replayed> {
  const trust = keptTrust(from);
  return await readAgain(filesRead(from, options.ledger), stopLines(from), into, { ...options, trust });
}

/**
 * The same for files of which it is known how far they were read.
 *
 * @param stops where the lines end that stopped a file: they are not before its offset, but they are reported
 */
export async function readAgain(
  files: readonly FileState[],
  stops: ReadonlyMap<string, number>,
  into: Db,
  options: ReplayOptions,
): Promise<Replayed> {
  const { ledger, storage, clock, trust, people, onProgress, signal } = options;
  const before = files.filter((file) => hasBeenRead(file) || stops.has(file.path));
  const projector = new Projector(into, ledger, storage, clock, { trust, ...(people && { people }) });
  const whole = before.reduce((sum, file) => sum + file.offset, 0);
  const ofWhole = (now: PassProgress): void =>
    onProgress?.({ ...now, bytesTotal: Math.max(whole, now.bytesTotal) });
  const read = async (upTo: ReadonlyMap<string, number>): Promise<PassResult> =>
    await projector.pass({ upTo, onProgress: ofWhole, ...(signal && { signal }) });
  const pass = await read(new Map(before.map((file) => [file.path, file.offset])));
  // what was not read for want of time is not lost
  signal?.throwIfAborted();
  const reasons = new Map<string, string>();
  for (const file of before) {
    const reason = lossOf(file, projector.file(file.path));
    if (reason !== undefined) reasons.set(file.path, reason);
  }
  await read(stops);
  signal?.throwIfAborted();
  for (const path of stops.keys()) {
    const reason = unstoppedBy(projector.file(path));
    if (reason !== undefined && !reasons.has(path)) reasons.set(path, reason);
  }
  const losses = before.flatMap(({ path, writer, events }) => {
    const reason = reasons.get(path);
    if (reason === undefined) return [];
    // one whose first lines were a hole was nobody's yet
    return [{ path, writer: writer ?? projector.file(path)?.writer ?? null, reason, events }];
  });
  return { projector, pass, losses };
}

/** Why it cannot be said just now whether a file still stops where it did. */
function unstoppedBy(after: FileState | undefined): string | undefined {
  if (after === undefined || after.state === 'missing') return after?.reason ?? GONE;
  return isTampered(after) ? (after.reason ?? undefined) : undefined;
}

/** By path, the end of the line that stopped a file: it is in `_rejected`, and nothing after it was read. */
function stopLines(db: Db): Map<string, number> {
  const ends = db
    .prepare(
      `SELECT r.file, max(r.offset + r.length) FROM _rejected r JOIN _files f ON f.path = r.file
       WHERE r.offset >= f.offset GROUP BY r.file`,
    )
    .raw()
    .all() as [string, number][];
  return new Map(ends);
}

/** One that no pass has been made into is of no ledger yet. */
function assertOfLedger(db: Db, ledger: LedgerInfo): void {
  const row = db.prepare('SELECT ledger_id FROM _projection').get() as { ledger_id: string } | undefined;
  assertSame(db, row?.ledger_id ?? ledger.ledger_id, ledger);
}

function lossOf(before: FileState, after: FileState | undefined): string | undefined {
  if (after === undefined || after.state === 'missing') return after?.reason ?? GONE;
  if (after.state === 'untrusted') return 'not trusted';
  if (after.offset < before.offset) return after.size < before.offset ? 'truncated' : 'rewritten';
  return after.crc === before.crc ? undefined : 'rewritten';
}
