// runfold slurm refresh: what the scheduler did to the jobs of runs.
import { isoTime } from '../../clock.ts';
import { silent } from '../../projector/open.ts';
import { runCommand } from '../../slurm/run-command.ts';
import { freshen } from '../freshness.ts';
import { count, duration } from '../human.ts';
import { say, sayJson, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
import { findPlace } from '../place.ts';
import { POLITE_MS, refreshOnce, type Refreshed } from '../slurm-refresh.ts';
import { describeJobs } from '../slurm-words.ts';

export interface SlurmRefreshFlags extends PlaceFlags {
  force?: boolean;
  json?: boolean;
}

export async function slurmRefresh(flags: SlurmRefreshFlags, io: CliIo): Promise<ExitCode> {
  const place = await findPlace(flags, io);
  // what SLURM says is written into the log
  if (place.hang !== undefined) throw silent(place.ledger.path, place.hang);
  await freshen(place, io);
  const refreshed = await refreshOnce({ place, io, run: runCommand, isForced: flags.force === true });
  // so that the next question sees it, also one with --no-sync
  if (refreshed.kind === 'asked' && refreshed.file !== undefined) {
    await freshen(place, io, { only: [refreshed.file] });
  }
  if (refreshed.kind === 'asked') for (const note of refreshed.notes) say(io.stderr, note);
  if (flags.json === true) sayJson(io.stdout, asJson(refreshed), 2);
  else say(io.stdout, describe(refreshed, io.clock.now()));
  return 0;
}

function describe(refreshed: Refreshed, nowMs: number): string {
  switch (refreshed.kind) {
    case 'nothing_to_ask':
      return refreshed.unknown === 0
        ? 'no job to ask about: the ends of all are known'
        : `no job to ask about now: ${count(refreshed.unknown, 'job')} that SLURM did not know (--force asks again)`;
    case 'too_early': {
      const ago = duration(Math.max(0, nowMs - refreshed.lastAt) / 1000);
      return `SLURM was asked ${ago} ago, at ${isoTime(refreshed.lastAt)}; it is asked every ${POLITE_MS / 1000} s at most (--force does not wait)`;
    }
    case 'asked': {
      const { jobs, events } = refreshed;
      return `${describeJobs(jobs)} (${events === 0 ? 'nothing new' : count(events, 'new event')})`;
    }
  }
}

function asJson(refreshed: Refreshed): unknown {
  if (refreshed.kind === 'nothing_to_ask') return { asked: false, last_asked_at: null, events: 0, jobs: [] };
  if (refreshed.kind === 'too_early') {
    return { asked: false, last_asked_at: isoTime(refreshed.lastAt), events: 0, jobs: [] };
  }
  const { jobs, events, notes, calls } = refreshed;
  return {
    asked: true,
    calls,
    events,
    jobs: jobs.map(({ job, restart, state, isNewEnd, cause }) => ({
      job,
      restart_count: restart,
      state,
      cause,
      has_ended: isNewEnd,
    })),
    notes,
  };
}
