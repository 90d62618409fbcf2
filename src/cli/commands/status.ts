// runfold status: how far the log has been read.
import { isoTime } from '../../clock.ts';
import { readCallsNote, type StorageCalls } from '../../db/calls-note.ts';
import type { Holder } from '../../db/lock.ts';
import { openReadOnly } from '../../db/open.ts';
import { ledgerStatus, type LedgerStatus } from '../../projector/health.ts';
import { byNumber, type NameOf } from '../../projector/people.ts';
import { holderOf, type Place } from '../../projector/open.ts';
import { freshen, noteHang } from '../freshness.ts';
import { bytes, count, duration } from '../human.ts';
import { say, sayJson, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
import { namesIn } from '../owners.ts';
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
    const nameOf = flags.json === true || hasOthers(report) ? await namesIn(db) : byNumber;
    if (flags.json === true) {
      const owners = report.owners.map((owner) => ({ ...owner, name: nameOf(owner.uid) }));
      const answer = { ...report, storage, owners, database: place.file, holder: holder ?? null };
      sayJson(io.stdout, { ...answer, calls: calls ?? null }, 2);
    } else {
      const lines = describe(report, storage, place, holder, io.clock.now());
      for (const line of [...lines, ...describeCalls(calls), ...describePeople(report, nameOf)])
        say(io.stdout, line);
      if (isUnhealthy(report)) {
        say(io.stdout);
        say(io.stdout, 'Something is wrong with the log: runfold doctor says what, and what to do.');
      }
    }
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
  const others = (['quiet', 'frozen', 'misplaced', 'missing', 'untrusted'] as const)
    .filter((state) => files[state] > 0)
    .map((state) => `${files[state]} ${state}`);
  const waiting = report.waiting === 0 ? '' : ` (${report.waiting} waiting for NUL bytes to fill)`;
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
  ];
}

/** Nothing, where nobody counts them. */
function describeCalls(counted: StorageCalls | undefined): string[] {
  if (counted === undefined) return [];
  const { at, calls, budget, per_file: perFile } = counted;
  const made = `${calls.toLocaleString('en')} to the storage in the minute before ${at.slice(11, 19)} UTC`;
  const most =
    budget === null || perFile === null
      ? 'no limit'
      : `at most ${budget.toLocaleString('en')} (${perFile} for each live file)`;
  return [`calls      ${made}, ${most}`];
}

function isUnhealthy({ rejected, files }: LedgerStatus): boolean {
  return rejected + files.frozen + files.misplaced + files.missing > 0;
}

/** Whether there are names to be asked for. */
function hasOthers({ owners }: Pick<LedgerStatus, 'owners'>): boolean {
  const self = process.getuid?.() ?? 0;
  return owners.some(({ uid }) => uid !== self);
}

/** Nothing, where all files are one’s own. */
function describePeople({ owners, trust, files }: LedgerStatus, nameOf: NameOf): string[] {
  const lines: string[] = [];
  if (hasOthers({ owners })) {
    const each = owners.map((owner) => `${nameOf(owner.uid)} ${count(owner.files, 'file')}`);
    lines.push(`owners     ${printSafe(each.join(', '))}`);
  }
  if (trust !== 'all') {
    const left = files.untrusted === 0 ? '' : `; ${count(files.untrusted, 'file')} of others not read`;
    lines.push(`trust      ${trust}${left}`);
  }
  return lines;
}
