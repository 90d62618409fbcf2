// Why an attempt failed, in a word or two.
import type { RunStatus } from '../events/event.ts';
import { isCause, stateWord } from './job-states.ts';

export interface FailureClues {
  status: RunStatus;
  status_reason: string | null;
  exit_code: number | null;
  /** Of the attempt's last error. */
  exception_type: string | null;
  /** Of its job. */
  job_state: string | null;
  signal: number | null;
}

/** Signals of Linux that end a process, on the processors that SLURM runs on. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  31: 'SIGSYS',
};
const UNKNOWN = 'unknown';

/**
 * SLURM's word (`OUT_OF_MEMORY`), else the type of the last exception, else the reason that the job or its wrapper gave,
 * else the signal, else `exit code 3`, else `unknown`.
 */
export function failureCause(clues: FailureClues): string {
  const { status, status_reason, exit_code, exception_type, job_state, signal } = clues;
  if (status_reason !== null && isCause(status_reason)) return status_reason;
  if (status === 'timeout') return 'TIMEOUT';
  if (exception_type !== null) return exception_type;
  if (status_reason !== null && status_reason.trim() !== '') return status_reason;
  const word = job_state === null ? '' : stateWord(job_state);
  if (isCause(word)) return word;
  const name = signalName(signal) ?? signalName(signalOf(exit_code));
  if (name !== undefined) return name;
  return exit_code === null || exit_code === 0 ? UNKNOWN : `exit code ${exit_code}`;
}

function signalName(signal: number | null): string | undefined {
  return signal === null || signal === 0 ? undefined : (SIGNALS[signal] ?? `signal ${signal}`);
}

/** As shells have it: 139 is 128 and SIGSEGV. */
function signalOf(exitCode: number | null): number | null {
  const signal = (exitCode ?? 0) - 128;
  return Object.hasOwn(SIGNALS, signal) ? signal : null;
}
