// One job of the demo: trains one method on one data set with one seed and logs its curve with runfold.
//
//   node train.mjs --dataset iris --method mlp --seed 1 [--fail-at EPOCH] [--diverge]
//                  [--checkpoint FILE] [--epoch-ms N]
//
// RUNFOLD_DIR names the ledger. Started again with the same --checkpoint it goes on where that was saved.
import { parseArgs } from 'node:util';
import { RunLogger } from 'runfold/logger';
import { DATASETS } from './data.mjs';
import { METHODS } from './methods.mjs';
import { openTraining, testScores, train } from './training.mjs';

const { values } = parseArgs({
  options: {
    dataset: { type: 'string' },
    method: { type: 'string' },
    seed: { type: 'string', default: '1' },
    'fail-at': { type: 'string' },
    diverge: { type: 'boolean', default: false },
    checkpoint: { type: 'string' },
    'epoch-ms': { type: 'string', default: '0' },
  },
});
const dataset = oneOf('--dataset', values.dataset, DATASETS);
const method = oneOf('--method', values.method, Object.keys(METHODS));
const seed = integer('--seed', values.seed);
const epochMs = integer('--epoch-ms', values['epoch-ms']);
const failAt = values['fail-at'] === undefined ? undefined : integer('--fail-at', values['fail-at']);

const training = await openTraining({
  dataset,
  method,
  seed,
  diverge: values.diverge,
  checkpoint: values.checkpoint,
});
const { config, resumed } = training;
const run = RunLogger.create({ dataset, method, seed, config, resume: resumed });
if (resumed) console.log(`resumed after epoch ${training.epoch}`);
await train(training, run, {
  failAt,
  epochMs,
  onEpoch: (epoch, loss, f1) => {
    console.log(`epoch ${epoch}/${config.epochs}  loss ${loss.toFixed(4)}  f1 ${f1.toFixed(3)}`);
  },
});
const scores = testScores(training);
run.logResults(scores);
await run.close();
console.log(`test accuracy ${scores.test_accuracy.toFixed(3)}  f1 ${scores.test_f1.toFixed(3)}`);

/**
 * @param {string} option
 * @param {string | undefined} value
 * @param {string[]} names
 */
function oneOf(option, value, names) {
  if (value !== undefined && names.includes(value)) return value;
  return wrongUsage(`${option} must be one of ${names.join(', ')}`);
}

/**
 * @param {string} option
 * @param {string} text
 */
function integer(option, text) {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  return wrongUsage(`${option} must be a whole number`);
}

/**
 * @param {string} message
 * @returns {never}
 */
function wrongUsage(message) {
  console.error(message);
  process.exit(2);
}
