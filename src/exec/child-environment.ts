// What a command that is tracked has in its environment, so that a logger in it joins.
import type { Env } from '../events/env.ts';
import { keyVariable } from '../events/inherited-key.ts';
import type { RunKey } from '../events/run-id.ts';

export interface Joined {
  /** Absolute; undefined if it could not be looked for: then a logger looks for it itself. */
  ledger: string | undefined;
  runId: string;
  key: RunKey;
  /** Undefined where none is known: the one of the environment could be another run's. */
  attempt: string | undefined;
}

export function childEnvironment(env: Env, { ledger, runId, key, attempt }: Joined): Record<string, string> {
  const all: Env = {
    ...env,
    RUNFOLD_DIR: ledger ?? env['RUNFOLD_DIR'],
    RUNFOLD_RUN_ID: runId,
    RUNFOLD_KEY: keyVariable(key),
    RUNFOLD_ATTEMPT: attempt,
    RUNFOLD_STARTED: undefined,
    RUNFOLD_SUBMISSION: undefined,
    RUNFOLD_GRID_SHA256: undefined,
  };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
