// How the command ended, the signals before, and when the job was to end -> how the run ended. Pure.
import type { RunStatus } from '../events/event.ts';

/** How a command ended; one that could not be started has the exit code that a shell gives for it. */
export type CommandEnd =
  | { kind: 'exited'; code: number }
  | { kind: 'killed'; signal: NodeJS.Signals }
  | { kind: 'not started'; code: 126 | 127; reason: string; message: string };

/** A signal that was passed on to the command. */
export interface Warning {
  signal: NodeJS.Signals;
  /** Milliseconds since 1970. */
  at: number;
}

export interface Outcome {
  status: Exclude<RunStatus, 'pending' | 'running'>;
  exitCode: number | undefined;
  reason: string | undefined;
  /** Whether a signal asked for this end, so that an error of the command needs to be seen to be believed. */
  wasAsked: boolean;
}

/** SLURM looks at time limits every 30 s, and SIGTERM is its word that the time is over. */
export const LIMIT_NEAR_MS = 60_000;
/** How long before the end a job has itself warned is up to the user: `--signal=USR1@300`. */
export const WARNING_NEAR_MS = 600_000;

/** Signals that are no request to end. */
const NO_WARNING: ReadonlySet<NodeJS.Signals> = new Set(['SIGCONT', 'SIGWINCH', 'SIGURG']);

export function isWarning(signal: NodeJS.Signals): boolean {
  return !NO_WARNING.has(signal);
}

/** @param jobEnd when the job's time is over, in milliseconds since 1970; undefined if that is not known */
export function outcomeOf(end: CommandEnd, signals: readonly Warning[], jobEnd: number | undefined): Outcome {
  const warnings = signals.filter(({ signal }) => isWarning(signal));
  const isGood = end.kind === 'exited' && end.code === 0;
  const exitCode = end.kind === 'killed' ? undefined : end.code;
  if (end.kind === 'not started') return { status: 'failed', exitCode, reason: end.reason, wasAsked: false };
  // SLURM calls it a TIMEOUT even if the command then ends well
  const isOver = warnings.some(({ signal, at }) => signal === 'SIGTERM' && isNear(at, jobEnd, LIMIT_NEAR_MS));
  const wasWarned = warnings.some(({ at }) => isNear(at, jobEnd, WARNING_NEAR_MS));
  if (isOver || (wasWarned && !isGood && !wasTerminatedEarly(warnings, jobEnd))) {
    return { status: 'timeout', exitCode, reason: 'TIMEOUT', wasAsked: true };
  }
  const last = warnings.at(-1)?.signal;
  const wasTerminated = warnings.some(({ signal }) => signal === 'SIGTERM');
  if (isGood && !wasTerminated) return { status: 'completed', exitCode, reason: undefined, wasAsked: false };
  const asked = wasTerminated ? 'SIGTERM' : last;
  return {
    status: 'failed',
    exitCode,
    reason: end.kind === 'killed' ? end.signal : asked,
    wasAsked: asked !== undefined,
  };
}

/** A SIGTERM well before the end is somebody else's, and the last word. */
function wasTerminatedEarly(warnings: readonly Warning[], jobEnd: number | undefined): boolean {
  return warnings.some(({ signal, at }) => signal === 'SIGTERM' && !isNear(at, jobEnd, LIMIT_NEAR_MS));
}

function isNear(at: number, jobEnd: number | undefined, within: number): boolean {
  return jobEnd !== undefined && at >= jobEnd - within;
}
