// Asks SLURM once about the jobs whose end is not known, and writes down what is new.
import { takeTurn } from '../db/turn.ts';
import { openReadOnly } from '../db/open.ts';
import { RunfoldError } from '../errors.ts';
import { appendToDayFile, dayFilePath } from '../events/day-file.ts';
import { hostName, userName } from '../events/origin.ts';
import type { Place } from '../projector/open.ts';
import { getUnsettledRuns } from '../query/unsettled-jobs.ts';
import { askSlurm, idsOf } from '../slurm/ask.ts';
import { newsOf, type JobNow } from '../slurm/news.ts';
import type { RunCommand } from '../slurm/run-command.ts';
import { GRACE_MS, UNKNOWN } from '../slurm/word.ts';
import type { CliIo } from './io.ts';

/** SLURM is not asked more often than this, for one log by one user on one machine. */
export const POLITE_MS = 60_000;

export interface RefreshOptions {
  place: Place;
  io: Pick<CliIo, 'clock' | 'env' | 'signal'>;
  run: RunCommand;
  /** Without the wait since the last time, and about jobs too that SLURM did not know then. */
  isForced?: boolean;
  timeoutMs?: number;
}

export type Refreshed =
  | { kind: 'nothing_to_ask' }
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
  const runs = unsettled(place, clock.now(), isForced);
  const ids = idsOf(runs);
  if (ids.length === 0) return { kind: 'nothing_to_ask' };
  const turn = takeTurn(place.file, clock.now(), isForced ? 0 : POLITE_MS);
  if (!turn.isOurs) return { kind: 'too_early', lastAt: turn.lastAt };

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

function unsettled(place: Place, nowMs: number, isForced: boolean) {
  // a connection of its own: that of watch is in the middle of a pass
  const db = openReadOnly(place.file);
  try {
    const recent = new Date(nowMs - GRACE_MS).toISOString();
    return getUnsettledRuns(db, { recent, ...(!isForced && { exceptReason: UNKNOWN }) });
  } finally {
    db.close();
  }
}
