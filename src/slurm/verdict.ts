// What the end of a job says of its run: the status, and why.
import os from 'node:os';
import type { SacctRow } from './sacct.ts';
import { meaningOf, stateWord, type StateMeaning } from './states.ts';
import type { Exit } from './values.ts';

export interface Verdict {
  status: NonNullable<StateMeaning['status']>;
  reason?: string | undefined;
}

const SIGNALS = new Map(Object.entries(os.constants.signals).map(([name, number]) => [number, name]));

/** `SIGSEGV`; a signal without a name is `SIG42`. */
function signalName(signal: number): string {
  return SIGNALS.get(signal) ?? `SIG${signal}`;
}

/** Undefined: the state is no end. `steps` are those of the same start of the job. */
export function verdictOf(state: string, exit: Exit, steps: SacctRow['steps'] = []): Verdict | undefined {
  const { isEnd, status, reason } = meaningOf(state);
  if (!isEnd || status === undefined) return undefined;
  if (stateWord(state) === 'COMPLETED') return failedStep(steps) ?? { status };
  if (reason !== undefined) return { status, reason };
  if (exit.isLaunchFailure === true) return { status, reason: 'LAUNCH_FAILED' };
  return { status, ...(exit.signal !== undefined && { reason: signalName(exit.signal) }) };
}

/** A script that takes no notice of its steps' ends is COMPLETED all the same. */
function failedStep(steps: SacctRow['steps']): Verdict | undefined {
  const own = steps.filter(({ name }) => name !== 'batch' && name !== 'extern');
  if (own.some(({ state }) => stateWord(state) === 'OUT_OF_MEMORY')) {
    return { status: 'failed', reason: 'OUT_OF_MEMORY' };
  }
  const killed = own.find(({ exit }) => exit.signal !== undefined);
  return killed?.exit.signal === undefined
    ? undefined
    : { status: 'failed', reason: signalName(killed.exit.signal) };
}
