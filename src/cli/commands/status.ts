// runfold status: how far the log has been read.
import { isoTime } from '../../clock.ts';
import { readCallsNote, type StorageCalls } from '../../db/calls-note.ts';
import type { Holder } from '../../db/lock.ts';
import { openReadOnly } from '../../db/open.ts';
import { ledgerStatus, type LedgerStatus } from '../../projector/health.ts';
import { holderOf, type Place } from '../../projector/open.ts';
import { freshen, noteHang } from '../freshness.ts';
import { bytes, count, duration } from '../human.ts';
import { say, sayJson, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
import { findPlace } from '../place.ts';
import { printSafe } from '../print-safe.ts';

export interface StatusFlags extends PlaceFlags {
  sync: boolean;
  json?: boolean;
}

export async function status(flags: StatusFlags, io: CliIo): Promise<ExitCode> {
  const place = await findPlace(flags, io, 'also without the log');
  if (flags.sync || place.hang !== undefined) await freshen(place, io);
  const db = openReadOnly(place.file);
  try {
    const report = ledgerStatus(db, io.clock.now());
    const holder = holderOf(place);
    const calls = holder?.purpose === 'watch' ? readCallsNote(place.file) : undefined;
    const storage = storageOf(place, report.last_pass_at);
    if (flags.json === true) {
      sayJson(
        io.stdout,
        { ...report, storage, database: place.file, holder: holder ?? null, calls: calls ?? null },
        2,
      );
    } else
      for (const line of describe(report, storage, place, holder, calls, io.clock.now()))
        say(io.stdout, line);
    return 0;
  } finally {
    db.close();
  }
}

/** Of the storage of the log: whether it answers, and whatever its state is, since when and where that was seen. */
interface StorageState {
  state: 'ok' | 'hangs' | 'away';
  since: string | null;
  path: string | null;
  /** Who waits for it, null if that is this command. */
  pid: number | null;
}

function storageOf(place: Place, lastPassAt: string | null): StorageState {
  if (place.away !== undefined) {
    return { state: 'away', since: null, path: place.away.message, pid: null };
  }
  // a pass of this process may have been given up because of it
  const own = place.hang ?? place.storage.oldest;
  if (own !== undefined) {
    const { since, path } = noteHang(place, own, lastPassAt ?? undefined);
    return { state: 'hangs', since: isoTime(since), path, pid: null };
  }
  const { hang } = place.note;
  if (hang === undefined) return { state: 'ok', since: null, path: null, pid: null };
  return { state: 'hangs', since: isoTime(hang.since), path: hang.path, pid: hang.pid };
}

function describeStorage({ state, since, path, pid }: StorageState, nowMs: number): string {
  if (state === 'ok') return 'answers';
  if (state === 'away') return `away: ${printSafe(path ?? '')}`;
  const age = since === null ? '' : ` since ${since} (${duration((nowMs - Date.parse(since)) / 1000)})`;
  const who = pid === null ? '' : `; pid ${pid} waits for it`;
  return `hangs${age} at ${printSafe(path ?? '')}${who}`;
}

function describe(
  report: LedgerStatus,
  storage: StorageState,
  place: Place,
  holder: Holder | undefined,
  calls: StorageCalls | undefined,
  nowMs: number,
): string[] {
  const { files } = report;
  const lag =
    report.lag_bytes === 0
      ? 'none'
      : `${bytes(report.lag_bytes)} not applied, written up to ${duration(report.lag_seconds ?? 0)} ago`;
  const lastPass =
    report.last_pass_at === null
      ? 'never'
      : `${report.last_pass_at} (${duration(Math.max(0, nowMs - Date.parse(report.last_pass_at)) / 1000)} ago)`;
  const others = (['quiet', 'frozen', 'misplaced', 'missing'] as const)
    .filter((state) => files[state] > 0)
    .map((state) => `${files[state]} ${state}`);
  const waiting = report.waiting === 0 ? '' : ` (${report.waiting} waiting for NUL bytes to fill)`;
  const unhealthy = report.rejected + files.frozen + files.misplaced + files.missing > 0;
  return [
    `log        ${printSafe(place.ledger.path)}`,
    `storage    ${describeStorage(storage, nowMs)}`,
    `database   ${printSafe(place.file)}`,
    `files      ${[`${files.live} live${waiting}`, `${files.complete} complete`, ...others].join(', ')}`,
    `events     ${count(report.events, 'applied', 'applied')}, ${report.unknown} of unknown type`,
    `rejected   ${count(report.rejected, 'line')}`,
    `lag        ${lag}`,
    `last pass  ${lastPass}`,
    `held by    ${holder === undefined ? 'nobody' : `${holder.purpose}, pid ${holder.pid} on ${holder.host} since ${holder.since}`}`,
    ...(calls === undefined ? [] : [`calls      ${describeCalls(calls)}`]),
    ...(unhealthy ? ['', 'Something is wrong with the log: runfold doctor says what, and what to do.'] : []),
  ];
}

function describeCalls({ at, calls, budget, per_file: perFile }: StorageCalls): string {
  const asked = `${calls.toLocaleString('en')} to the storage in the minute before ${at.slice(11, 19)} UTC`;
  if (budget === null || perFile === null) return `${asked}, no limit`;
  return `${asked}, at most ${budget.toLocaleString('en')} (${perFile} for each live file)`;
}
