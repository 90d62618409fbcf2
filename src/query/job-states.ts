// The states of jobs, in SLURM's words.
import type { RunStatus } from '../events/event.ts';

/** The states in which a job has ended, and what each makes of a run that did not say its end. */
const ENDS: Readonly<Record<string, RunStatus>> = {
  BOOT_FAIL: 'failed',
  CANCELLED: 'failed',
  COMPLETED: 'completed',
  DEADLINE: 'timeout',
  FAILED: 'failed',
  LAUNCH_FAILED: 'failed',
  NODE_FAIL: 'failed',
  OUT_OF_MEMORY: 'failed',
  PREEMPTED: 'failed',
  REQUEUED: 'failed',
  REVOKED: 'failed',
  SPECIAL_EXIT: 'failed',
  TIMEOUT: 'timeout',
};

export const ENDED_STATES: readonly string[] = Object.keys(ENDS);

/** `CANCELLED by 1000` is CANCELLED, and so is `CANCELLED+`. */
export function stateWord(state: string): string {
  const [word = ''] = state.trim().split(/\s+/);
  return word.replace(/\+$/, '').toUpperCase();
}

/** How a run ended whose job ended in that state; undefined: in that state a job has not ended. */
export function endOfState(word: string): RunStatus | undefined {
  return Object.hasOwn(ENDS, word) ? ENDS[word] : undefined;
}

export function hasEnded(status: RunStatus | null): boolean {
  return status === 'completed' || status === 'failed' || status === 'timeout';
}

/** What SLURM calls a cause; COMPLETED and a plain FAILED are none. */
export function isCause(word: string): boolean {
  return endOfState(word) !== undefined && word !== 'COMPLETED' && word !== 'FAILED';
}
