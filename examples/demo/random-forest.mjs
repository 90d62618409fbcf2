// A random forest: bootstrap samples, a random part of the columns at each cut, mean of class frequencies.
import { binColumns, countNumbers, growTree, leafOf } from './tree.mjs';

/** An epoch is one more tree. */
export class RandomForest {
  /**
   * @param {{ nFeatures: number, nClasses: number }} shape
   * @param {{ max_depth: number, min_leaf: number }} config
   */
  constructor({ nFeatures, nClasses }, config) {
    this.nFeatures = nFeatures;
    this.nClasses = nClasses;
    this.config = config;
    /** @type {import('./tree.mjs').Bins | undefined} */
    this.bins = undefined;
    /** @type {import('./tree.mjs').Node[]} */
    this.trees = [];
  }

  get nParameters() {
    return this.trees.reduce((sum, tree) => sum + countNumbers(tree), 0);
  }

  /**
   * @param {import('./data.mjs').Table} table
   * @param {import('./random.mjs').Random} random
   */
  trainEpoch({ rows, labels }, random) {
    this.bins ??= binColumns(rows);
    const classes = Array.from({ length: this.nClasses }, (_, k) => k);
    const oneHot = labels.map((label) => Float64Array.from(classes, (k) => (k === label ? 1 : 0)));
    const sample = rows.map(() => random.integer(rows.length));
    const all = Array.from({ length: this.nFeatures }, (_, j) => j);
    const nCandidates = Math.max(1, Math.round(Math.sqrt(this.nFeatures)));
    const growth = {
      maxDepth: this.config.max_depth,
      minLeaf: this.config.min_leaf,
      candidates: () => random.shuffled(all).slice(0, nCandidates),
    };
    this.trees.push(growTree(this.bins, oneHot, sample, growth, (leaf) => meanOf(oneHot, leaf)));
  }

  /** @param {Float64Array[]} rows */
  predict(rows) {
    return rows.map((row) => {
      const probabilities = new Float64Array(this.nClasses);
      for (const tree of this.trees) {
        leafOf(tree, row).forEach((value, k) => (probabilities[k] += value / this.trees.length));
      }
      return probabilities;
    });
  }

  state() {
    return { trees: this.trees };
  }

  /** @param {{ trees: import('./tree.mjs').Node[] }} state */
  restore({ trees }) {
    this.trees = trees;
  }
}

function meanOf(targets, sample) {
  const mean = new Float64Array(targets[0].length);
  for (const index of sample) targets[index].forEach((value, k) => (mean[k] += value / sample.length));
  // A plain array: JSON would write a typed one as an object.
  return [...mean];
}
