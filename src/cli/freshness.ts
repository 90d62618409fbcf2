// Commands that read make one pass first, unless something keeps the database up to date already.
import { existsSync } from 'node:fs';
import { isoTime } from '../clock.ts';
import type { Holder } from '../db/lock.ts';
import { openReadOnly } from '../db/open.ts';
import { databaseTrouble } from '../db/trouble.ts';
import { RunfoldError } from '../errors.ts';
import { withPatience } from '../projector/hang.ts';
import { OpenProjector, type Place } from '../projector/open.ts';
import type { PassOptions, PassResult } from '../projector/projector.ts';
import { Bound } from './bound.ts';
import { duration } from './human.ts';
import { say, type CliIo } from './io.ts';
import { ProgressLine } from './progress.ts';

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
  const isFirst = !existsSync(place.file);
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
      const path = place.storage.oldest?.path ?? 'the log';
      say(io.stderr, `not synced: the storage does not answer (${path})`);
      io.abandon();
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
  say(io.stderr, at === undefined ? 'not synced' : `${asOf(at, io)}, not synced since`);
}

function asKept(place: Place, io: CliIo, { message, cause }: RunfoldError): string {
  const at = lastPassAt(place);
  if (at === undefined || !isHolder(cause)) return `not synced: ${message}`;
  const holder = `${cause.purpose}, pid ${cause.pid} on ${cause.host}`;
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
