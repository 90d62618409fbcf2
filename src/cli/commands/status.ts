// runfold status: how far the log has been read.
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
    if (flags.json === true) {
      sayJson(io.stdout, { ...report, database: place.file, holder: holder ?? null }, 2);
    } else for (const line of describe(report, place, holder, io.clock.now())) say(io.stdout, line);
    return 0;
  } finally {
    db.close();
  }
}

function describe(report: LedgerStatus, place: Place, holder: Holder | undefined, nowMs: number): string[] {
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
    ...(unhealthy ? ['', 'Something is wrong with the log: runfold doctor says what, and what to do.'] : []),
  ];
}
