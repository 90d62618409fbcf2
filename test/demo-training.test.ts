// The demo trains real models: its data, its mathematics and its resumption are checked here.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';

interface Table {
  rows: Float64Array[];
  labels: number[];
}
interface Dataset extends Table {
  features: string[];
  classes: string[];
}
interface Tables {
  train: Table;
  validation: Table;
  test: Table;
}
type Shape = { nFeatures: number; nClasses: number };
interface Model {
  parameters: Float64Array;
  lossAndGradient(rows: Float64Array[], labels: number[]): { loss: number; gradient: Float64Array };
  trainEpoch(table: Table, random: unknown): void;
  predict(rows: Float64Array[]): Float64Array[];
  state(): unknown;
}
type ModelClass = new (shape: Shape, config: object, random: unknown) => Model;
interface Job {
  dataset: string;
  method: string;
  seed: number;
  diverge?: boolean;
  checkpoint?: string;
}
interface Training {
  resumed: boolean;
  epoch: number;
  tables: Tables;
  model: Model;
}
interface Point extends Record<string, number> {
  loss: number;
}
interface Run {
  log(metrics: Point, at: { epoch: number }): void;
  flush(): void;
}

// The demo is plain JavaScript without declarations; a computed path keeps the compiler from asking for them.
async function demo<T>(file: string): Promise<T> {
  const module: T = await import(new URL(`../examples/demo/${file}`, import.meta.url).href);
  return module;
}
const { DATASETS, loadDataset, parseDataset, prepareTables, stratifiedSplit } = await demo<{
  DATASETS: string[];
  loadDataset: (name: string) => Promise<Dataset>;
  parseDataset: (name: string, text: string) => Dataset;
  prepareTables: (dataset: Dataset, seed: number) => Tables;
  stratifiedSplit: (labels: number[], seed: number) => Record<keyof Tables, number[]>;
}>('data.mjs');
const { METHODS } = await demo<{
  METHODS: Record<string, { Model: ModelClass; config: { epochs: number } }>;
}>('methods.mjs');
const { Random } = await demo<{
  Random: { forPurpose(seed: number, purpose: string): { normal(): number; integer(bound: number): number } };
}>('random.mjs');
const { accuracy, logLoss, macroF1 } =
  await demo<
    Record<'accuracy' | 'logLoss' | 'macroF1', (probabilities: number[][], labels: number[]) => number>
  >('scores.mjs');
const { openTraining, testScores, train } = await demo<{
  openTraining: (job: Job) => Promise<Training>;
  testScores: (training: Training) => { test_accuracy: number };
  train: (training: Training, run: Run, options?: { failAt?: number }) => Promise<void>;
}>('training.mjs');
const { jobArguments, jobs } = await demo<{
  jobs: (Job & { name: string; trouble?: string })[];
  jobArguments: (job: Job, folder: string) => string[];
}>('jobs.mjs');

const folder = mkdtempSync(join(tmpdir(), 'runfold-demo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const upTo = (max: number) => fc.integer({ min: 1, max });

/** Collects the curve by epoch; the process "dies" when it logs `dieAt`. */
async function curveOf(job: Job, curve = new Map<number, Point>(), dieAt = Infinity): Promise<Training> {
  const training = await openTraining(job);
  await train(training, {
    log(metrics, { epoch }) {
      if (epoch === dieAt) throw new Error('killed');
      curve.set(epoch, metrics);
    },
    flush() {},
  });
  return training;
}

describe('the data files', () => {
  const readme = readFileSync(new URL('../examples/data/README.md', import.meta.url), 'utf8');
  const tableRow = /^\| `(.+)\.csv` \| (\d+) \| (\d+) \| (\d+) \| `(\w+)` \|$/gm;
  const listed = [...readme.matchAll(tableRow)].map(([, name = '', rows, features, classes, hash]) => ({
    name,
    counts: [rows, features, classes].map(Number),
    hash,
  }));

  test('are all listed', () => {
    const files = readdirSync(new URL('../examples/data', import.meta.url));
    const names = files.filter((file) => file.endsWith('.csv')).map((file) => file.slice(0, -4));
    expect(new Set(listed.map(({ name }) => name))).toEqual(new Set(names));
    expect(new Set(DATASETS)).toEqual(new Set(names));
  });

  test.each(listed)('$name', async ({ name, counts, hash }) => {
    const bytes = readFileSync(new URL(`../examples/data/${name}.csv`, import.meta.url));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(hash);
    expect(bytes.length).toBeLessThan(300_000);
    const dataset = await loadDataset(name);
    expect([dataset.rows.length, dataset.features.length, dataset.classes.length]).toEqual(counts);
  });

  test('a broken line is named', () => {
    expect(() => parseDataset('x', 'a,b,label\n1,2,yes\n1,,2,no\n')).toThrow('x: line 3');
    expect(() => parseDataset('x', 'a,b,label\n1,,yes\n')).toThrow('x: line 2');
    expect(() => parseDataset('x', 'a,b\n1,2\n')).toThrow("'label'");
  });
});

describe('the split', () => {
  test('is stratified, complete and without overlap, for any labels and seed', () => {
    const labels = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(labels, fc.nat(), (all, seed) => {
        const split = stratifiedSplit(all, seed);
        const indexes = [...split.train, ...split.validation, ...split.test];
        expect(indexes.toSorted((a, b) => a - b)).toEqual([...all.keys()]);
        for (const label of new Set(all)) {
          const size = all.filter((other) => other === label).length;
          const share = (part: number[]) => part.filter((index) => all[index] === label).length;
          expect(share(split.test)).toBe(Math.round(size * 0.2));
          expect(share(split.validation)).toBe(Math.round(size * 0.2));
        }
        expect(stratifiedSplit(all, seed)).toEqual(split);
      }),
    );
  });

  test('differs between seeds', async () => {
    const { labels } = await loadDataset('wine');
    expect(stratifiedSplit(labels, 1)).not.toEqual(stratifiedSplit(labels, 2));
  });

  test('the training rows are scaled to mean 0 and deviation 1', async () => {
    const { train: table } = prepareTables(await loadDataset('wine'), 1);
    for (let j = 0; j < 13; j++) {
      const column = table.rows.map((row) => row[j]!);
      const mean = column.reduce((sum, x) => sum + x) / column.length;
      expect(mean).toBeCloseTo(0, 10);
      expect(column.reduce((sum, x) => sum + x ** 2, 0) / column.length).toBeCloseTo(1, 10);
    }
  });

  test.each(Object.keys(METHODS))('nothing of the other rows leaks into %s', async (method) => {
    const dataset = await loadDataset('iris');
    const seed = 3;
    const { validation, test: hidden } = stratifiedSplit(dataset.labels, seed);
    const spoilt = structuredClone(dataset);
    for (const index of [...validation, ...hidden]) {
      spoilt.rows[index] = spoilt.rows[index]!.map((x) => 100 * x);
    }
    const stateOf = (data: Dataset) => {
      const random = Random.forPurpose(seed, 'training');
      const { Model, config } = METHODS[method]!;
      const model = new Model({ nFeatures: 4, nClasses: 3 }, config, random);
      for (let epoch = 0; epoch < 3; epoch++) model.trainEpoch(prepareTables(data, seed).train, random);
      return model.state();
    };
    expect(stateOf(spoilt)).toEqual(stateOf(dataset));
  });
});

test('the scores agree with values worked out by hand', () => {
  const sure = [0, 0, 1, 1, 2].map((guess) => [0, 1, 2].map((k) => (k === guess ? 1 : 0)));
  const labels = [0, 1, 1, 1, 0];
  expect(accuracy(sure, labels)).toBe(3 / 5);
  // Class 0: 1 hit of 2 true and 2 guessed; class 1: 2 of 3 and 2; class 2: none.
  expect(macroF1(sure, labels)).toBeCloseTo((2 / 4 + 4 / 5 + 0) / 3, 12);
  const unsure = [
    [0.5, 0.5],
    [0.2, 0.8],
  ];
  expect(logLoss(unsure, [0, 1])).toBeCloseTo(-(Math.log(0.5) + Math.log(0.8)) / 2, 12);
  expect(logLoss([[NaN, NaN]], [0])).toBeNaN();
});

test.each(['softmax-regression', 'mlp'])('the gradient of %s agrees with finite differences', (method) => {
  fc.assert(
    fc.property(upTo(6), upTo(5), upTo(8), fc.nat(), (nFeatures, nClasses, nRows, seed) => {
      const random = Random.forPurpose(seed, 'test');
      const config = { hidden: 5, weight_decay: 0.01 };
      const model = new METHODS[method]!.Model({ nFeatures, nClasses }, config, random);
      model.parameters.forEach((_, p) => (model.parameters[p] = random.normal()));
      const rows = Array.from({ length: nRows }, () =>
        Float64Array.from({ length: nFeatures }, () => random.normal()),
      );
      const labels = rows.map(() => random.integer(nClasses));
      const { gradient } = model.lossAndGradient(rows, labels);
      const lossWith = (p: number, value: number) => {
        model.parameters[p] = value;
        return model.lossAndGradient(rows, labels).loss;
      };
      const step = 1e-6;
      gradient.forEach((slope, p) => {
        const value = model.parameters[p]!;
        const difference = (lossWith(p, value + step) - lossWith(p, value - step)) / (2 * step);
        model.parameters[p] = value;
        expect(Math.abs(slope - difference)).toBeLessThan(1e-5 * Math.max(1, Math.abs(slope)));
      });
    }),
    // A fixed seed: now and then the step would cross the kink of a rectifier, where there is no slope.
    { numRuns: 50, seed: 1 },
  );
});

// Published test accuracies of these kinds of model, with room for the small test parts.
test.each([
  ['iris', 0.9],
  ['wine', 0.93],
  ['breast-cancer', 0.91],
  ['vehicle', 0.7],
])('every method learns %s', async (dataset, least) => {
  for (const method of Object.keys(METHODS)) {
    const scores: number[] = [];
    for (const seed of [1, 2, 3]) {
      const curve = new Map<number, Point>();
      const training = await curveOf({ dataset, method, seed }, curve);
      expect(curve.size).toBe(METHODS[method]!.config.epochs);
      expect(curve.get(curve.size)!.loss).toBeLessThan(curve.get(1)!.loss);
      for (const row of training.model.predict(training.tables.test.rows)) {
        expect(row.reduce((sum, p) => sum + p)).toBeCloseTo(1, 9);
      }
      scores.push(testScores(training).test_accuracy);
    }
    const mean = scores.reduce((sum, score) => sum + score) / scores.length;
    expect(mean, `${method} ${scores.join(' ')}`).toBeGreaterThan(least);
  }
});

test.each(Object.keys(METHODS))('%s: a resumed job has the curve of one never stopped', async (method) => {
  const job = { dataset: 'wine', method, seed: 2 };
  const whole = new Map<number, Point>();
  const scores = testScores(await curveOf(job, whole));

  const checkpoint = join(folder, `${method}.json`);
  const pieces = new Map<number, Point>();
  await expect(curveOf({ ...job, checkpoint }, pieces, 13)).rejects.toThrow('killed');
  expect(await openTraining({ ...job, checkpoint })).toMatchObject({ resumed: true, epoch: 10 });
  const resumed = new Map<number, Point>();
  const training = await curveOf({ ...job, checkpoint }, resumed);

  expect([...resumed.keys()][0]).toBe(11);
  expect(new Map([...pieces, ...resumed])).toEqual(whole);
  expect(testScores(training)).toEqual(scores);
  await expect(openTraining({ ...job, seed: 5, checkpoint })).rejects.toThrow('of another job');
});

test.each(DATASETS)('--diverge: the loss on %s becomes NaN, which no checkpoint keeps', async (dataset) => {
  const job = { dataset, method: 'mlp', seed: 4, diverge: true, checkpoint: join(folder, dataset) };
  const curve = new Map<number, Point>();
  await curveOf(job, curve);
  expect(curve.get(1)!.loss).not.toBeNaN();
  expect(curve.get(40)!.loss).toBeNaN();
  const { epoch } = await openTraining(job);
  expect(curve.get(epoch)?.loss).not.toBeNaN();
});

test('--fail-at: the job fails at that epoch as such jobs do', async () => {
  const training = await openTraining({ dataset: 'wine', method: 'mlp', seed: 1 });
  const epochs: number[] = [];
  const run: Run = { log: (_metrics, { epoch }) => void epochs.push(epoch), flush() {} };
  await expect(train(training, run, { failAt: 4 })).rejects.toThrow(
    new RangeError('the table has 4 features, the model was fitted on 13'),
  );
  expect(epochs).toEqual([1, 2, 3]);
});

test('the jobs are a full grid, each cell once, with one of each trouble', () => {
  expect(jobs.length).toBe(DATASETS.length * Object.keys(METHODS).length * 4);
  expect(new Set(jobs.map(({ name }) => name)).size).toBe(jobs.length);
  const troubles = jobs.flatMap(({ trouble }) => trouble ?? []);
  expect(troubles.toSorted()).toEqual(['diverges', 'killed', 'requeued', 'throws']);
  const requeued = jobs.find(({ trouble }) => trouble === 'requeued')!;
  expect(jobArguments(requeued, '/scratch')).toContain('/scratch/digits-mlp-seed2.checkpoint.json');
});
