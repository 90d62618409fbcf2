// What is known of how an attempt went: from its own words, its wrapper's, SLURM's.
import type { RunStatus } from '../events/event.ts';
import { compareByTime, type FoldEvent } from './attempts.ts';

export interface AttemptStatus {
  status: RunStatus;
  reason: string | null;
  exitCode: number | null;
  startedAt: string | null;
  finishedAt: string | null;
}

type StatusEvent = FoldEvent<'status_changed'>;

const SOURCE_RANK = { job: 3, wrapper: 2, slurm: 1 } as const;

export function isTerminal(status: RunStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'timeout';
}

/** Terminal over running over pending; among terminal ones job over wrapper over slurm; then the later. */
function compareByRank(a: StatusEvent, b: StatusEvent): number {
  return rank(a) - rank(b) || compareByTime(a, b);
}

function rank({ event }: StatusEvent): number {
  if (isTerminal(event.status)) return 10 + SOURCE_RANK[sourceOf(event)];
  return event.status === 'running' ? 1 : 0;
}

function sourceOf(event: StatusEvent['event']): 'job' | 'wrapper' | 'slurm' {
  return event.source ?? 'job';
}

/** Folds the `status_changed` of one attempt, in whatever order they are given. */
export function statusOf(said: readonly StatusEvent[]): AttemptStatus {
  const ranked = said.toSorted(compareByRank);
  const winner = ranked.at(-1);
  if (winner === undefined) {
    return { status: 'pending', reason: null, exitCode: null, startedAt: null, finishedAt: null };
  }
  const { event } = winner;
  const withExitCode = ranked.findLast((item) => !isNil(item.event.exit_code));
  const starts = ranked.filter((item) => item.event.status === 'running').map((item) => item.event.ts);
  const explained =
    event.status === 'failed' && sourceOf(event) !== 'slurm' ? slurmVerdict(ranked) : undefined;
  return {
    status: explained?.status === 'timeout' ? 'timeout' : event.status,
    reason: explained?.reason ?? event.reason ?? null,
    exitCode: event.exit_code ?? withExitCode?.event.exit_code ?? null,
    // stored times have one form, which sorts as text
    startedAt: starts.toSorted()[0] ?? null,
    finishedAt: isTerminal(event.status) ? event.ts : null,
  };
}

/** SLURM's last terminal word, which explains a failure that the job or its wrapper only saw. */
function slurmVerdict(ranked: readonly StatusEvent[]): StatusEvent['event'] | undefined {
  return ranked.findLast(({ event }) => sourceOf(event) === 'slurm' && isTerminal(event.status))?.event;
}

function isNil(value: unknown): boolean {
  return value === null || value === undefined;
}
