// One job's training: begun or taken up from a checkpoint, then epoch after epoch into a run.
import { setTimeout as pause } from 'node:timers/promises';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.mjs';
import { loadDataset, prepareTables } from './data.mjs';
import { METHODS } from './methods.mjs';
import { Random } from './random.mjs';
import { evaluate } from './scores.mjs';

const CHECKPOINT_EVERY = 5;

/**
 * @typedef {{ dataset: string, method: string, seed: number, diverge?: boolean, checkpoint?: string }} Job
 * @typedef {{ log(metrics: Record<string, number>, at: { epoch: number }): void, flush(): void }} Run
 * @typedef {(epoch: number, loss: number, f1: number) => void} OnEpoch
 * @typedef {{ failAt?: number, epochMs?: number, onEpoch?: OnEpoch }} TrainOptions
 */

/**
 * The same job gives the same training; with a checkpoint it stands where that was saved.
 * @param {Job} job
 */
export async function openTraining({ dataset: name, method, seed, diverge = false, checkpoint }) {
  const { Model, config: settings, divergingRate } = METHODS[method];
  if (diverge && divergingRate === undefined) throw new Error(`no learning rate makes ${method} diverge`);
  const config = diverge ? { ...settings, learning_rate: divergingRate } : settings;
  const dataset = await loadDataset(name);
  const random = Random.forPurpose(seed, 'training');
  const shape = { nFeatures: dataset.features.length, nClasses: dataset.classes.length };
  const training = {
    job: { dataset: name, method, seed, config },
    config,
    tables: prepareTables(dataset, seed),
    model: new Model(shape, config, random),
    random,
    epoch: 0,
    resumed: false,
    checkpoint,
  };
  const saved = checkpoint && (await loadCheckpoint(checkpoint));
  if (saved) resume(training, saved);
  return training;
}

function resume(training, { job, epoch, random, model }) {
  if (JSON.stringify(job) !== JSON.stringify(training.job)) {
    throw new Error(`the checkpoint ${training.checkpoint} is of another job: ${JSON.stringify(job)}`);
  }
  training.model.restore(model);
  training.random.state = random;
  training.epoch = epoch;
  training.resumed = true;
}

/**
 * Trains to the last epoch. `loss` is over the training rows, `f1` the macro-F1 over the validation rows.
 * @param {Awaited<ReturnType<typeof openTraining>>} training
 * @param {Run} run
 * @param {TrainOptions} [options]
 */
export async function train(training, run, { failAt, epochMs = 0, onEpoch } = {}) {
  const { config, tables, model, random } = training;
  while (training.epoch < config.epochs) {
    const epoch = ++training.epoch;
    model.trainEpoch(tables.train, random);
    const { loss } = evaluate(model, tables.train);
    const validation = evaluate(model, tables.validation);
    if (epoch === failAt) await scoreForeignTable(training);
    const { f1 } = validation;
    run.log({ loss, f1, 'val/acc': validation.accuracy, 'val/loss': validation.loss }, { epoch });
    // The log first: a checkpoint ahead of it would leave a hole in the curve of a job that is killed now.
    if (training.checkpoint && epoch % CHECKPOINT_EVERY === 0 && Number.isFinite(loss)) {
      run.flush();
      const state = { job: training.job, epoch, random: random.state, model: model.state() };
      await saveCheckpoint(training.checkpoint, state);
    }
    onEpoch?.(epoch, loss, f1);
    // Even a pause of 0 lets the event loop turn, without which no signal would be seen.
    await pause(epochMs);
  }
}

/** What the finished model is worth on rows that nothing has seen. */
export function testScores({ tables, model }) {
  const { accuracy, f1, loss } = evaluate(model, tables.test);
  return {
    test_accuracy: accuracy,
    test_f1: f1,
    test_loss: loss,
    n_parameters: model.nParameters,
    n_train: tables.train.rows.length,
    n_test: tables.test.rows.length,
  };
}

/** The mistake behind --fail-at: a table of another study, whose columns are not those the model knows. */
async function scoreForeignTable({ job, model }) {
  evaluate(model, await loadDataset(job.dataset === 'iris' ? 'wine' : 'iris'));
}
