// The jobs of the demo: every data set with every method and four seeds, and four of them in trouble.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DATASETS } from './data.mjs';
import { METHODS } from './methods.mjs';

/**
 * @typedef {object} Job
 * @property {string} name unique, fit for a file name
 * @property {string} dataset
 * @property {string} method
 * @property {number} seed
 * @property {'killed' | 'throws' | 'diverges' | 'requeued'} [trouble] none in most jobs
 * @property {string[]} [extraArgs]
 * @property {{ signal: 'SIGKILL' | 'SIGTERM', atEpoch: number }} [kill] sent once the job prints that epoch
 * @property {boolean} [restart] to be started again, with the same arguments, after it was killed
 * @property {boolean} [checkpoint] keeps a checkpoint
 */

const SEEDS = [1, 2, 3, 4];

/** The data are small: without a pause a job would be over before anyone could watch its curve grow. */
const EPOCH_MS = 12;

/** Long enough for whoever sends the signal to see the epoch that it waits for. */
const SLOW_EPOCH_MS = 40;

/** @type {Record<string, Partial<Job>>} */
const TROUBLES = {
  // Late: a logger writes its points each second, and what it still held dies with the process.
  'breast-cancer/random-forest/3': { trouble: 'killed', kill: { signal: 'SIGKILL', atEpoch: 35 } },
  'wine/softmax-regression/2': { trouble: 'throws', extraArgs: ['--fail-at', '12'] },
  'vehicle/mlp/4': { trouble: 'diverges', extraArgs: ['--diverge'] },
  'digits/mlp/2': {
    trouble: 'requeued',
    kill: { signal: 'SIGTERM', atEpoch: 23 },
    restart: true,
    checkpoint: true,
  },
};

/**
 * Seed by seed, so that every cell of the table has a first value early on.
 * @type {Job[]}
 */
export const jobs = SEEDS.flatMap((seed) =>
  DATASETS.flatMap((dataset) =>
    Object.keys(METHODS).map((method) => ({
      name: `${dataset}-${method}-seed${seed}`,
      dataset,
      method,
      seed,
      ...TROUBLES[`${dataset}/${method}/${seed}`],
    })),
  ),
);

/**
 * What follows `node` on the command line.
 * @param {Job} job
 * @param {string} folder where checkpoints are kept
 */
export function jobArguments(job, folder) {
  const { name, dataset, method, seed, extraArgs = [] } = job;
  const script = fileURLToPath(new URL('train.mjs', import.meta.url));
  const args = [script, '--dataset', dataset, '--method', method, '--seed', String(seed), ...extraArgs];
  args.push('--epoch-ms', String(job.kill ? SLOW_EPOCH_MS : EPOCH_MS));
  if (job.checkpoint) args.push('--checkpoint', join(folder, `${name}.checkpoint.json`));
  return args;
}

/**
 * The epoch that a line of a job's output tells of, or undefined.
 * @param {string} line
 */
export function epochOfLine(line) {
  const match = /^epoch (\d+)\//.exec(line);
  return match ? Number(match[1]) : undefined;
}
