// runfold status: how far the log has been read.
import { readCallsNote, type StorageCalls } from '../../db/calls-note.ts';
import type { Holder } from '../../db/lock.ts';
import { openReadOnly } from '../../db/open.ts';
import { ledgerStatus, type LedgerStatus } from '../../projector/health.ts';
import { holderOf, locate, type Place } from '../../projector/open.ts';
import { freshen } from '../freshness.ts';
import { bytes, count, duration } from '../human.ts';
import { say, sayJson, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
import { printSafe } from '../print-safe.ts';

export interface StatusFlags extends PlaceFlags {
  sync: boolean;
  json?: boolean;
}

export async function status(flags: StatusFlags, io: CliIo): Promise<ExitCode> {
  const place = await locate({ ...flags, env: io.env, cwd: io.cwd }, io.clock);
  if (flags.sync) await freshen(place, io);
  const db = openReadOnly(place.file);
  try {
    const report = ledgerStatus(db, io.clock.now());
    const holder = holderOf(place);
    const calls = holder?.purpose === 'watch' ? readCallsNote(place.file) : undefined;
    if (flags.json === true) {
      sayJson(io.stdout, { ...report, database: place.file, holder: holder ?? null, calls: calls ?? null }, 2);
    } else for (const line of describe(report, place, holder, calls, io.clock.now())) say(io.stdout, line);
    return 0;
  } finally {
    db.close();
  }
}

function describe(
  report: LedgerStatus,
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
