// runfold verify: proves on the user's own data that the database is what the log says.
import { withPatience } from '../../projector/hang.ts';
import { verify as compareWithRebuilt, type Difference, type VerifyReport } from '../../projector/verify.ts';
import { freshen } from '../freshness.ts';
import { count, thousands } from '../human.ts';
import { say, sayJson, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
import { notAnswered } from '../not-answered.ts';
import { waitForPlace } from '../place.ts';
import { printSafe } from '../print-safe.ts';
import { ProgressLine } from '../progress.ts';

export interface VerifyFlags extends PlaceFlags {
  sync: boolean;
  json?: boolean;
}

export async function verify(flags: VerifyFlags, io: CliIo): Promise<ExitCode> {
  const place = await waitForPlace(flags, io);
  if (flags.sync) await freshen(place, io, { thorough: true });
  const progress = new ProgressLine(io, 'reading again');
  const comparing = new ProgressLine(io, 'comparing');
  const comparison = compareWithRebuilt(place.file, {
    ledger: place.ledger,
    storage: place.storage,
    clock: io.clock,
    onProgress: progress.updateOfWhole,
    onCompare: (rows, total) => {
      progress.done();
      comparing.show(() => `${count(rows, 'row')} of ${thousands(total)}`);
    },
    signal: io.signal,
  });
  const outcome = await withPatience(comparison, {
    storage: place.storage,
    clock: io.clock,
    signal: io.signal,
    onHang: (call) => say(io.stderr, call === undefined ? 'the storage answers again' : notAnswered(call)),
  });
  if (outcome === 'abandoned') {
    io.abandon();
    return 1;
  }
  const report = outcome.value;
  progress.done();
  comparing.done();
  if (flags.json === true) sayJson(io.stdout, report, 2);
  else for (const line of describe(report)) say(io.stdout, line);
  return report.differenceCount === 0 && report.leftOut.length === 0 ? 0 : 3;
}

function* describe({ compared, differences, differenceCount, leftOut }: VerifyReport): Generator<string> {
  for (const { path, reason, events } of leftOut) {
    yield `left out: ${printSafe(path)} is ${printSafe(reason)}; the rows of its ${count(events, 'event')} cannot be checked`;
  }
  for (const difference of differences) yield* describeDifference(difference);
  if (differenceCount > differences.length) yield `… and ${differenceCount - differences.length} more`;
  const rows = Object.entries(compared).map(([table, number]) => `${table} ${thousands(number)}`);
  const reach = leftOut.length === 0 ? 'equal' : 'equal, as far as it can be checked';
  if (differenceCount === 0) yield `${reach}: a rebuild gives the same rows (${rows.join(', ')})`;
  else yield `${count(differenceCount, 'row')} differ. Run: runfold sync --rebuild, and please report it`;
}

function* describeDifference({ table, key, live, rebuilt }: Difference): Generator<string> {
  yield `${table} ${printSafe(JSON.stringify(key))}`;
  if (live === undefined) yield '    only in the rebuild';
  else if (rebuilt === undefined) yield '    only in the database';
  else {
    for (const [column, value] of Object.entries(live)) {
      if (Object.is(value, rebuilt[column])) continue;
      const other = JSON.stringify(rebuilt[column]);
      yield `    ${column}: ${printSafe(JSON.stringify(value))} in the database, ${printSafe(other)} in the rebuild`;
    }
  }
}
