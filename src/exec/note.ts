// What is told to the recorder of a command, as values that can be sent to another process.
import type { TailError } from './error-from-tail.ts';
import type { Outcome } from './outcome.ts';
import type { Sample } from './sampler.ts';

export type Note =
  | { kind: 'begin' }
  | { kind: 'sample'; ts: string; elapsedSeconds: number; sample: Sample }
  /** All that was told before is to be on the disk. */
  | { kind: 'flush' }
  | { kind: 'end'; ts: string; until: number; outcome: Outcome; error: TailError | undefined };
