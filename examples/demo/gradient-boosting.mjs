// Multi-class gradient boosting after Friedman (2001): each round fits, for every class, a small regression
// tree to what the probabilities still miss.
import { softmax } from './gradient-classifier.mjs';
import { binColumns, countNumbers, growTree, leafOf } from './tree.mjs';

/** An epoch is one round: a tree for each class. */
export class GradientBoosting {
  /**
   * @param {{ nFeatures: number, nClasses: number }} shape
   * @param {{ learning_rate: number, max_depth: number, min_leaf: number, subsample: number }} config
   */
  constructor({ nFeatures, nClasses }, config) {
    this.nFeatures = nFeatures;
    this.nClasses = nClasses;
    this.config = config;
    /** @type {import('./tree.mjs').Bins | undefined} */
    this.bins = undefined;
    /** @type {import('./tree.mjs').Node[][]} */
    this.rounds = [];
  }

  get nParameters() {
    return this.rounds.flat().reduce((sum, tree) => sum + countNumbers(tree), 0);
  }

  /**
   * @param {import('./data.mjs').Table} table
   * @param {import('./random.mjs').Random} random
   */
  trainEpoch({ rows, labels }, random) {
    const { max_depth: maxDepth, min_leaf: minLeaf, subsample } = this.config;
    this.bins ??= binColumns(rows);
    const probabilities = this.predict(rows);
    const sample = random.shuffled([...rows.keys()]).slice(0, Math.ceil(rows.length * subsample));
    const all = Array.from({ length: this.nFeatures }, (_, j) => j);
    const growth = { maxDepth, minLeaf, candidates: () => all };
    const trees = [];
    for (let k = 0; k < this.nClasses; k++) {
      const truth = labels.map((label) => (label === k ? 1 : 0));
      const residuals = probabilities.map((row, index) => Float64Array.of(truth[index] - row[k]));
      const leafValue = (leaf) => [this.newtonStep(residuals, leaf)];
      trees.push(growTree(this.bins, residuals, sample, growth, leafValue));
    }
    this.rounds.push(trees);
  }

  /** The step of a leaf: one Newton step of the multinomial deviance, equation 34 of the paper. */
  newtonStep(residuals, leaf) {
    let sum = 0;
    let curvature = 0;
    for (const index of leaf) {
      const residual = residuals[index][0];
      sum += residual;
      curvature += Math.abs(residual) * (1 - Math.abs(residual));
    }
    // A leaf where every row is already right has next to no curvature, and nothing left to correct.
    if (curvature < 1e-12) return 0;
    return (this.config.learning_rate * ((this.nClasses - 1) / this.nClasses) * sum) / curvature;
  }

  /** @param {Float64Array[]} rows */
  predict(rows) {
    return rows.map((row) => {
      const scores = new Float64Array(this.nClasses);
      for (const trees of this.rounds) trees.forEach((tree, k) => (scores[k] += leafOf(tree, row)[0]));
      return softmax(scores);
    });
  }

  state() {
    return { rounds: this.rounds };
  }

  /** @param {{ rounds: import('./tree.mjs').Node[][] }} state */
  restore({ rounds }) {
    this.rounds = rounds;
  }
}
