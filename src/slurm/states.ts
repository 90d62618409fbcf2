// What each state of SLURM says of a run. docs/slurm.md has this table, and is tested against it.
import type { RunStatus } from '../events/event.ts';

export interface StateMeaning {
  /** The job, or this start of it, is over. */
  isEnd: boolean;
  /** Undefined: the state says nothing of the run's status. */
  status?: Extract<RunStatus, 'running' | 'completed' | 'failed' | 'timeout'>;
  /** What the run's `status_reason` becomes. A plain FAILED has none, so that it hides no better one. */
  reason?: string;
}

function fails(reason: string): StateMeaning {
  return { isEnd: true, status: 'failed', reason };
}

const LIVE: StateMeaning = { isEnd: false };

export const STATES: Readonly<Record<string, StateMeaning>> = {
  COMPLETED: { isEnd: true, status: 'completed' },
  FAILED: { isEnd: true, status: 'failed' },
  TIMEOUT: { isEnd: true, status: 'timeout', reason: 'TIMEOUT' },
  DEADLINE: { isEnd: true, status: 'timeout', reason: 'DEADLINE' },
  OUT_OF_MEMORY: fails('OUT_OF_MEMORY'),
  CANCELLED: fails('CANCELLED'),
  NODE_FAIL: fails('NODE_FAIL'),
  BOOT_FAIL: fails('BOOT_FAIL'),
  LAUNCH_FAILED: fails('LAUNCH_FAILED'),
  PREEMPTED: fails('PREEMPTED'),
  REQUEUED: fails('REQUEUED'),
  SPECIAL_EXIT: fails('SPECIAL_EXIT'),
  RUNNING: { isEnd: false, status: 'running' },
  PENDING: LIVE,
  CONFIGURING: LIVE,
  COMPLETING: LIVE,
  SUSPENDED: LIVE,
  STOPPED: LIVE,
  RESIZING: LIVE,
  SIGNALING: LIVE,
  STAGE_OUT: LIVE,
  REQUEUE_HOLD: LIVE,
  REQUEUE_FED: LIVE,
  RESV_DEL_HOLD: LIVE,
  REVOKED: LIVE,
};

/** The word of a state: "CANCELLED by 1000" is CANCELLED. */
export function stateWord(state: string): string {
  const [word = ''] = state.trim().split(/[\s+]/);
  return word.toUpperCase();
}

/** A state that is not in the table says nothing. */
export function meaningOf(state: string): StateMeaning {
  const word = stateWord(state);
  return (Object.hasOwn(STATES, word) ? STATES[word] : undefined) ?? LIVE;
}

export function isEndState(state: string): boolean {
  return meaningOf(state).isEnd;
}
