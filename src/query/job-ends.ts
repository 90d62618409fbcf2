// How a start of a task ended, by SLURM's word and by those of its runs.
import type { RunStatus } from '../events/event.ts';
import type { JobRow } from './job-rows.ts';
import { endOfState, hasEnded, stateWord } from './job-states.ts';

type Ending = Pick<JobRow, 'state' | 'attempt_status'>;

/** How a task ended that was started once, for one run; `spends`: its time counts, for it is not waiting. */
export function plainEnd(row: Ending): { status: RunStatus; spends: boolean; has_ended: boolean } {
  const state = stateOf([row], false);
  const end = state === null ? undefined : endOfState(state);
  return {
    status: statusOf(row, { end, isSuperseded: false }),
    spends: !isWaiting(state),
    has_ended: end !== undefined || hasEnded(row.attempt_status),
  };
}

export function isWaiting(state: string | null): boolean {
  return state === 'PENDING' || state === 'pending';
}

/** SLURM's last word on the job, unless it is older than the end of all its runs. */
export function stateOf(rows: readonly Ending[], isSuperseded: boolean): string | null {
  const words = rows.flatMap(({ state }) => (state === null ? [] : [stateWord(state)]));
  const ended = words.find((word) => endOfState(word) !== undefined);
  if (ended !== undefined) return ended;
  const statuses = new Set(rows.map(({ attempt_status }) => attempt_status));
  const areOver = [...statuses].every(hasEnded);
  if (isSuperseded && !areOver) return 'superseded';
  const isOld = areOver || (words[0] === 'PENDING' && statuses.has('running'));
  if (words[0] !== undefined && !isOld) return words[0];
  return WORST_FIRST.find((status) => statuses.has(status)) ?? null;
}

const WORST_FIRST: readonly RunStatus[] = ['failed', 'timeout', 'running', 'pending', 'completed'];

/** How the attempt ended: by its own word, else by SLURM's; what was started anew without either has failed. */
export function statusOf(
  { attempt_status }: Ending,
  { end, isSuperseded }: { end: RunStatus | undefined; isSuperseded: boolean },
): RunStatus {
  if (attempt_status !== null && hasEnded(attempt_status)) return attempt_status;
  return end ?? (isSuperseded ? 'failed' : (attempt_status ?? 'pending'));
}
