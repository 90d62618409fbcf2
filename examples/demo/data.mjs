// From a CSV file to standardised training, validation and test tables.
import { readFile } from 'node:fs/promises';
import { Random } from './random.mjs';

/**
 * @typedef {{ rows: Float64Array[], labels: number[] }} Table  labels are indexes into the class names
 * @typedef {Table & { name: string, features: string[], classes: string[] }} Dataset
 * @typedef {{ train: number[], validation: number[], test: number[] }} Split  indexes of rows
 */

const FOLDER = new URL('../data/', import.meta.url);

/** The data sets in `examples/data`, by file name. */
export const DATASETS = ['iris', 'wine', 'breast-cancer', 'vehicle', 'digits'];

/**
 * @param {string} name
 * @returns {Promise<Dataset>}
 */
export async function loadDataset(name) {
  return parseDataset(name, await readFile(new URL(`${name}.csv`, FOLDER), 'utf8'));
}

/**
 * The files are plain: a header, numbers, the label last, no quotes, no missing values.
 * @param {string} name
 * @param {string} text
 * @returns {Dataset}
 */
export function parseDataset(name, text) {
  const [features, ...cases] = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  if (features.pop() !== 'label') throw new Error(`${name}: the last column must be 'label'`);
  const names = cases.map((cells) => cells.pop() ?? '');
  const rows = cases.map((cells, index) => {
    // Number('') is 0: a missing value must not pass for one.
    const row = Float64Array.from(cells, (cell) => (cell.trim() === '' ? Number.NaN : Number(cell)));
    if (row.length !== features.length || !row.every(Number.isFinite)) {
      throw new Error(`${name}: line ${index + 2} is not ${features.length} numbers and a label`);
    }
    return row;
  });
  const classes = [...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1));
  return { name, features, classes, rows, labels: names.map((label) => classes.indexOf(label)) };
}

/**
 * 60 % training, 20 % validation, 20 % test, each class divided alike, the same for the same seed.
 * @param {number[]} labels
 * @param {number} seed
 * @returns {Split}
 */
export function stratifiedSplit(labels, seed) {
  const random = Random.forPurpose(seed, 'split');
  /** @type {Split} */
  const split = { train: [], validation: [], test: [] };
  for (const label of [...new Set(labels)].toSorted((a, b) => a - b)) {
    const members = random.shuffled([...labels.keys()].filter((index) => labels[index] === label));
    const part = Math.round(members.length * 0.2);
    split.test.push(...members.slice(0, part));
    split.validation.push(...members.slice(part, 2 * part));
    split.train.push(...members.slice(2 * part));
  }
  return split;
}

/**
 * Mean and standard deviation of each column, from the training rows alone: a scale that had seen the
 * other rows would leak them into the training.
 * @param {Float64Array[]} rows
 */
function fitScale(rows) {
  const width = rows[0].length;
  const mean = new Float64Array(width);
  const deviation = new Float64Array(width);
  for (const row of rows) row.forEach((value, column) => (mean[column] += value / rows.length));
  for (const row of rows) {
    row.forEach((value, column) => (deviation[column] += (value - mean[column]) ** 2 / rows.length));
  }
  // A constant column (the corners of the digits are always blank) stays 0 instead of becoming 0/0.
  deviation.forEach((variance, column) => (deviation[column] = Math.sqrt(variance) || 1));
  return { mean, deviation };
}

/**
 * @param {Float64Array[]} rows
 * @param {{ mean: Float64Array, deviation: Float64Array }} scale
 */
function applyScale(rows, { mean, deviation }) {
  return rows.map((row) => row.map((value, column) => (value - mean[column]) / deviation[column]));
}

/**
 * The three standardised tables of one seed.
 * @param {Dataset} dataset
 * @param {number} seed
 * @returns {{ train: Table, validation: Table, test: Table }}
 */
export function prepareTables(dataset, seed) {
  const split = stratifiedSplit(dataset.labels, seed);
  const scale = fitScale(split.train.map((index) => dataset.rows[index]));
  /** @param {number[]} indexes */
  const table = (indexes) => {
    const rows = indexes.map((index) => dataset.rows[index]);
    return { rows: applyScale(rows, scale), labels: indexes.map((index) => dataset.labels[index]) };
  };
  return { train: table(split.train), validation: table(split.validation), test: table(split.test) };
}
