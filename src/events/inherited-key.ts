// The key of the run that a program was started as, which whoever started it passes on in RUNFOLD_KEY.
import type { Env } from './env.ts';
import { hashText, isRunKey, keyText, type RunKey } from './run-id.ts';

/** A variable of 128 KiB would keep every program from being started; a character has at most 4 bytes. */
const MAX_CHARACTERS = 32_000;

/** The value of RUNFOLD_KEY: the text that is hashed. Undefined if it is too long to be passed on. */
export function keyVariable(key: RunKey): string | undefined {
  const text = keyText(key);
  return text.length > MAX_CHARACTERS ? undefined : text;
}

export interface InheritedKey {
  /** Undefined if there is none, or none that is of RUNFOLD_RUN_ID: that may be of a run further out. */
  key: RunKey | undefined;
  /** What is wrong with the variable, as a sentence. */
  problem: string | undefined;
}

export function inheritedKey(env: Env): InheritedKey {
  const text = env['RUNFOLD_KEY'];
  if (!text) return { key: undefined, problem: undefined };
  const key = keyOf(text);
  if (key === undefined) {
    const problem =
      'RUNFOLD_KEY is not used: it is no JSON array of experiment_number, dataset, method, subject, cl_info and seed';
    return { key: undefined, problem };
  }
  return { key: hashText(text) === env['RUNFOLD_RUN_ID'] ? key : undefined, problem: undefined };
}

/** What the notice of two runs begins with, after the name of the program. */
export const TWO_RUNS = 'this program logs run';

/**
 * For a logger that logs another run than the one that `exec` has started it as. Not below a run that a program has
 * begun itself, which RUNFOLD_STARTED tells: that one may well begin others.
 */
export function twoRunsNotice(env: Env, run: { runId: string; key: RunKey }): string | undefined {
  const started = inheritedKey(env).key;
  const startedId = env['RUNFOLD_RUN_ID'] ?? '';
  if (started === undefined || env['RUNFOLD_STARTED'] || run.runId === startedId) return undefined;
  return `${TWO_RUNS} ${run.runId} with the key ${keyText(run.key)}, but was started as run ${startedId} with the key ${keyText(started)}: these are two runs. To have one, give it the same key, or leave the key out here`;
}

function keyOf(text: string): RunKey | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    // the caller says that it is no array
    return undefined;
  }
  if (!Array.isArray(fields) || fields.length !== 6) return undefined;
  const [experiment_number, dataset, method, subject, cl_info, seed] = fields as unknown[];
  const key = { experiment_number, dataset, method, subject, cl_info, seed };
  return isRunKey(key) ? key : undefined;
}
