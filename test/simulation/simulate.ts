// Histories in a row: what a seed gives, it gives again; and one that fails is made smaller.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { Coverage } from './coverage.ts';
import { history, type History, type Step } from './history.ts';
import { World } from './world.ts';

/** Databases that become files need no disk: real ones are for test/process. */
const MEMORY = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
const MOST_TRIES = 300;

/** Histories of one seed: a failure names few enough to be had again at once. */
const BATCH = 100;

export interface SimulationOptions {
  histories: number;
  /** Of the first batch; each batch has the next. */
  seed: number;
  /** Of a failure: which of the seed's histories it is; no other one happens then. */
  path?: string | undefined;
  onProgress?: (done: number, nextSeed: number) => void;
}

/** @throws with a small history that fails, what happened in it, and how to have it again. */
export async function simulate(options: SimulationOptions): Promise<Coverage> {
  const { histories, seed, path: at, onProgress } = options;
  const coverage = new Coverage();
  if (at !== undefined) await batch(1, seed, at, coverage);
  else {
    for (let done = 0, next = seed; done < histories; done += BATCH) {
      await batch(Math.min(BATCH, histories - done), next, undefined, coverage);
      next += 1;
      onProgress?.(Math.min(histories, done + BATCH), next);
    }
  }
  return coverage;
}

async function batch(
  histories: number,
  seed: number,
  at: string | undefined,
  coverage: Coverage,
): Promise<void> {
  const details = await fc.check(
    fc.asyncProperty(history, (made) => happen(made, coverage)),
    { numRuns: histories, seed, endOnFailure: true, ...(at !== undefined && { path: at }) },
  );
  const [failing] = details.counterexample ?? [];
  if (failing === undefined) return;
  const { smaller, error } = await makeSmaller(failing, details.errorInstance);
  const again = `npm run simulate -- --seed ${seed} --path ${details.counterexamplePath ?? ''}`;
  throw new Error(
    `a history of ${failing.steps.length} steps fails, and ${smaller.steps.length} of its steps do; again with:\n  ${again}\n${String(error)}`,
    { cause: error },
  );
}

/** Leaves out ever shorter stretches of steps for as long as what is left still fails. */
async function makeSmaller(failing: History, first: unknown): Promise<{ smaller: History; error: unknown }> {
  let { steps } = failing;
  let error = first;
  let tries = 0;
  for (
    let length = Math.ceil(steps.length / 2);
    length >= 1;
    length = length === 1 ? 0 : Math.ceil(length / 2)
  ) {
    for (let at = 0; at < steps.length && tries < MOST_TRIES;) {
      const fewer = without(steps, at, length);
      tries += 1;
      const failure = await failureOf({ ...failing, steps: fewer });
      if (failure === undefined) at += length;
      else {
        steps = fewer;
        error = failure;
      }
    }
  }
  return { smaller: { ...failing, steps }, error };
}

/** The steps after those left out come at the time at which they came before. */
function without(steps: readonly Step[], at: number, length: number): Step[] {
  const left = steps.slice(at, at + length);
  const [next, ...later] = steps.slice(at + length);
  const gone = left.reduce((sum, { afterMs }) => sum + afterMs, 0);
  return [...steps.slice(0, at), ...(next ? [{ ...next, afterMs: next.afterMs + gone }] : []), ...later];
}

async function failureOf(made: History): Promise<unknown> {
  try {
    await happen(made, new Coverage());
    return undefined;
  } catch (error) {
    return error;
  }
}

/** @throws with the trace of what happened. */
export async function happen(made: History, coverage: Coverage): Promise<void> {
  const directory = fs.mkdtempSync(path.join(MEMORY, 'runfold-simulation-'));
  const world = new World(made, coverage, directory);
  try {
    await world.run(made.steps);
    await world.settle();
  } catch (error) {
    const settings = JSON.stringify(made.settings);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`${settings}\n${world.trace.join('\n')}\n${text}`, { cause: error });
  } finally {
    world.close();
    fs.rmSync(directory, { recursive: true, force: true });
  }
}
