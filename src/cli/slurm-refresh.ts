// Asks SLURM once about the jobs whose end is not known, and writes down what is new.
import { isTurnFree, takeTurn } from '../db/turn.ts';
import { openReadOnly } from '../db/open.ts';
import { RunfoldError } from '../errors.ts';
import { appendToDayFile, dayFilePath } from '../events/day-file.ts';
import { hostName, userName } from '../events/origin.ts';
import type { Place } from '../projector/open.ts';
import { getUnsettledRuns } from '../query/unsettled-jobs.ts';
import { askSlurm, idsOf } from '../slurm/ask.ts';
import { newsOf, type JobNow } from '../slurm/news.ts';
import type { RunCommand } from '../slurm/run-command.ts';
import { STARTS_AGAIN } from '../slurm/sacct.ts';
import { GRACE_MS, SACCT_LATE_MS, UNKNOWN } from '../slurm/word.ts';
import type { CliIo } from './io.ts';

/** SLURM is not asked more often than this, for one log by one user on one machine. */
export const POLITE_MS = 60_000;

/** About a job that SLURM did not know, and whose run says nothing, it is asked this often, for so long. */
const UNKNOWN_EVERY_MS = 3_600_000;
const UNKNOWN_FOR_MS = 7 * 86_400_000;

export interface RefreshOptions {
  place: Place;
  io: Pick<CliIo, 'clock' | 'env' | 'signal'>;
  run: RunCommand;
  /** Without the wait since the last time, and about jobs too that SLURM did not know then. */
  isForced?: boolean;
  timeoutMs?: number;
}

export type Refreshed =
  /** `unknown`: how many jobs have no known end, for SLURM did not know them. */
  | { kind: 'nothing_to_ask'; unknown: number }
  /** `lastAt`: when SLURM was asked last, in milliseconds since 1970. */
  | { kind: 'too_early'; lastAt: number }
  | {
      kind: 'asked';
      jobs: JobNow[];
      events: number;
      /** Where in the log the events are; undefined: there are none. */
      file: string | undefined;
      notes: string[];
      calls: number;
    };

/** @throws RunfoldError `slurm_silent`, `database_unsafe`, those of reading the log and the database; a system error. */
export async function refreshOnce(options: RefreshOptions): Promise<Refreshed> {
  const { place, io, run, isForced = false, timeoutMs } = options;
  const { clock, env, signal } = io;
  const isHour = isTurnFree(place.file, clock.now(), UNKNOWN_EVERY_MS, 'turn_unknown');
  const { runs, leftOut } = unsettled(place, clock.now(), { isForced, isHour });
  const ids = idsOf(runs);
  if (ids.length === 0) return { kind: 'nothing_to_ask', unknown: leftOut };
  const turn = takeTurn(place.file, clock.now(), isForced ? 0 : POLITE_MS);
  if (!turn.isOurs) return { kind: 'too_early', lastAt: turn.lastAt };
  if (isHour) takeTurn(place.file, clock.now(), 0, 'turn_unknown');

  const asked = await askSlurm(ids, { run, env, signal, ...(timeoutMs !== undefined && { timeoutMs }) });
  signal.throwIfAborted();
  const { answers, notes, calls } = asked;
  if (answers.squeue !== 'answered' && answers.sacct !== 'answered') {
    throw new RunfoldError('slurm_silent', `SLURM does not answer: ${notes.join('; ')}`, {
      hint: 'Nothing was written. Try again later, or where squeue and sacct are at hand: on a login node.',
    });
  }
  const nowMs = clock.now();
  const { jobs, events } = newsOf(runs, answers, nowMs);
  if (events.length === 0) return { kind: 'asked', jobs, events: 0, file: undefined, notes, calls };
  // an unmounted file system must not get a file
  await place.storage.identify();
  const name = { purpose: 'slurm-refresh', host: hostName(), user: userName(env), nowMs };
  await appendToDayFile({ ledger: place.ledger.path, ...name }, events);
  return { kind: 'asked', jobs, events: events.length, file: dayFilePath(name), notes, calls };
}

function unsettled(
  place: Place,
  nowMs: number,
  { isForced, isHour }: { isForced: boolean; isHour: boolean },
) {
  const before = (ms: number): string => new Date(nowMs - ms).toISOString();
  // no time is before the first of all, none after the last
  const [ever, never] = ['', '~'];
  // a connection of its own: that of watch is in the middle of a pass
  const db = openReadOnly(place.file);
  try {
    return getUnsettledRuns(db, {
      recent: before(GRACE_MS),
      startsAgain: STARTS_AGAIN,
      sacctSince: isForced ? ever : before(SACCT_LATE_MS),
      unknown: { reason: UNKNOWN, since: isForced ? ever : isHour ? before(UNKNOWN_FOR_MS) : never },
    });
  } finally {
    db.close();
  }
}
