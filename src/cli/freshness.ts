// Commands that read make one pass first, unless something keeps the database up to date already.
import { existsSync } from 'node:fs';
import { isoTime } from '../clock.ts';
import type { Hang } from '../projector/ledger-note.ts';
import type { Holder } from '../db/lock.ts';
import { openReadOnly } from '../db/open.ts';
import { databaseTrouble } from '../db/trouble.ts';
import { RunfoldError } from '../errors.ts';
import { withPatience } from '../projector/hang.ts';
import { OpenProjector, silent, type Place } from '../projector/open.ts';
import type { PassOptions } from '../projector/projector.ts';
import type { PassResult } from '../projector/pass-result.ts';
import { Bound } from './bound.ts';
import { duration } from './human.ts';
import { say, type CliIo } from './io.ts';
import { notAnswered } from './not-answered.ts';
import { ProgressLine } from './progress.ts';
import { startIfNew } from './start.ts';

/** A command that reads does not keep anyone waiting for longer than this. */
const BOUND_MS = 10_000;
/** Who keeps a database looks for new files much more often than this. */
const LATE_SECONDS = 10;

/** Makes a bounded pass, or leaves that to whoever holds the database; says on stderr as of when the answer is. */
export async function freshen(
  place: Place,
  io: CliIo,
  options: PassOptions & { boundMs?: number } = {},
): Promise<PassResult | undefined> {
  const { boundMs = BOUND_MS, ...passOptions } = options;
  if (place.hang === undefined && place.away === undefined) await startIfNew(place, io);
  const isFirst = !existsSync(place.file);
  if (place.hang !== undefined) {
    if (isFirst) throw silent(place.ledger.path, place.hang);
    sayHang(place, io, place.hang);
    return undefined;
  }
  if (place.away !== undefined) {
    const at = lastPassAt(place);
    say(io.stderr, `${place.away.message}: ${at === undefined ? 'not synced' : asOf(at, io)}`);
    return undefined;
  }
  try {
    using open = OpenProjector.open(place, 'sync', io.clock);
    const progress = new ProgressLine(io, 'reading');
    using bound = new Bound(io.signal, boundMs);
    // the first read makes the database: half of it would answer nothing
    const signal = isFirst ? io.signal : bound.signal;
    const pass = open.projector.pass({ ...passOptions, onProgress: progress.update, signal });
    const outcome = await withPatience(pass, {
      storage: place.storage,
      clock: io.clock,
      signal,
      onHang: () => undefined,
    });
    progress.done();
    if (outcome === 'abandoned') {
      io.abandon();
      io.signal.throwIfAborted();
      const hang = place.storage.oldest ?? { path: 'events', since: io.clock.now() };
      if (isFirst) throw silent(place.ledger.path, hang);
      sayHang(place, io, hang);
      return undefined;
    }
    io.signal.throwIfAborted();
    if (signal.aborted) say(io.stderr, `not synced to the end within ${boundMs / 1000} s; run: runfold sync`);
    else say(io.stderr, `as of ${isoTime(io.clock.now())}`);
    return outcome.value;
  } catch (error) {
    const trouble = databaseTrouble(place.file, error) ?? error;
    if (!(trouble instanceof RunfoldError)) throw error;
    if (trouble.code === 'projector_running') say(io.stderr, asKept(place, io, trouble));
    else if (trouble.code === 'database_not_writable' && !isFirst) {
      // what it has can be read
      say(io.stderr, `not synced: ${trouble.message}. ${trouble.hint ?? ''}`);
      sayHowFresh(place, io);
    } else throw trouble;
    return undefined;
  }
}

/** For commands that read the database as it is. */
export function sayHowFresh(place: Place, io: CliIo): void {
  const at = lastPassAt(place);
  if (place.hang !== undefined && at !== undefined) sayHang(place, io, place.hang);
  else say(io.stderr, at === undefined ? 'not synced' : `${asOf(at, io)}, not synced since`);
}

/** The answer is what the database has. Since when it hangs is remembered for whoever asks next. */
function sayHang(place: Place, io: CliIo, hang: Hang): void {
  const at = lastPassAt(place);
  const first = noteHang(place, hang, at);
  say(io.stderr, `${notAnswered(first)}: ${at === undefined ? 'not synced' : asOf(at, io)}`);
}

/** Since when the storage hangs, as far as this machine knows. */
export function noteHang({ note, ledger }: Place, hang: Hang, lastPassAtIso: string | undefined): Hang {
  return note.hangs(ledger, hang, lastPassAtIso === undefined ? 0 : Date.parse(lastPassAtIso));
}

function asKept(place: Place, io: CliIo, { message, cause }: RunfoldError): string {
  const at = lastPassAt(place);
  if (at === undefined || !isHolder(cause)) return `not synced: ${message}`;
  const holder = `${cause.purpose}, pid ${cause.pid} on ${cause.host}`;
  const { hang } = place.note;
  if (hang?.pid === cause.pid) return `${asOf(at, io)}, kept by ${holder}: ${notAnswered(hang)}`;
  const isLate = ageOf(at, io) > LATE_SECONDS;
  const doubt = isLate
    ? ', which has not looked for that long: is it stopped, or does the storage hang?'
    : '';
  return `${asOf(at, io)}, kept by ${holder}${doubt}`;
}

function isHolder(cause: unknown): cause is Holder {
  return typeof cause === 'object' && cause !== null && 'purpose' in cause;
}

function asOf(at: string, io: CliIo): string {
  return `as of ${at} (${duration(ageOf(at, io))} ago)`;
}

function ageOf(at: string, { clock }: CliIo): number {
  return Math.max(0, clock.now() - Date.parse(at)) / 1000;
}

/** When somebody last looked for what is new in the log; undefined: that is not known. */
function lastPassAt(place: Place): string | undefined {
  // who makes the database may not have come to its tables
  if (!existsSync(place.file)) return undefined;
  const db = openReadOnly(place.file);
  try {
    const at = db.prepare<[], string | null>('SELECT last_pass_at FROM _projection').pluck().get();
    return at ?? undefined;
  } finally {
    db.close();
  }
}
