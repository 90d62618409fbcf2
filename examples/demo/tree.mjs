// A decision tree over binned columns, grown by least squares. With one-hot targets least squares is the
// Gini criterion, so the forest and the boosting share it.

const MAX_BINS = 64;

/**
 * Bin b of a column holds the values up to thresholds[b].
 * @typedef {{ columns: Uint8Array[], thresholds: number[][] }} Bins
 * @typedef {{ feature: number, threshold: number, left: Node, right: Node } | { value: number[] }} Node
 * @typedef {{ maxDepth: number, minLeaf: number, candidates(): number[] }} Growth
 */

/**
 * Cuts each column at quantiles of its values (at every value if there are few), halfway between two of them.
 * @param {Float64Array[]} rows
 * @returns {Bins}
 */
export function binColumns(rows) {
  const thresholds = [];
  const columns = [];
  for (let j = 0; j < rows[0].length; j++) {
    const values = [...new Set(rows.map((row) => row[j]))].toSorted((a, b) => a - b);
    const count = Math.min(values.length, MAX_BINS);
    const cuts = [];
    for (let bin = 1; bin < count; bin++) {
      const at = Math.floor((bin * values.length) / count);
      cuts.push((values[at - 1] + values[at]) / 2);
    }
    thresholds.push(cuts);
    columns.push(Uint8Array.from(rows, (row) => binOf(row[j], cuts)));
  }
  return { columns, thresholds };
}

function binOf(value, cuts) {
  let bin = 0;
  while (bin < cuts.length && value > cuts[bin]) bin++;
  return bin;
}

/**
 * @param {Bins} bins
 * @param {Float64Array[]} targets one vector for each row of the bins
 * @param {number[]} sample indexes of rows, repeated where a row counts more than once
 * @param {Growth} growth
 * @param {(sample: number[]) => number[]} leafValue
 * @returns {Node}
 */
export function growTree(bins, targets, sample, growth, leafValue, depth = 0) {
  const split = depth < growth.maxDepth ? bestSplit(bins, targets, sample, growth) : undefined;
  if (split === undefined) return { value: leafValue(sample) };
  const column = bins.columns[split.feature];
  const left = sample.filter((index) => column[index] <= split.bin);
  const right = sample.filter((index) => column[index] > split.bin);
  return {
    feature: split.feature,
    threshold: bins.thresholds[split.feature][split.bin],
    left: growTree(bins, targets, left, growth, leafValue, depth + 1),
    right: growTree(bins, targets, right, growth, leafValue, depth + 1),
  };
}

/** The cut that takes most off the squared error, or undefined if none takes off anything. */
function bestSplit(bins, targets, sample, { minLeaf, candidates }) {
  if (sample.length < 2 * minLeaf) return undefined;
  const width = targets[0].length;
  const total = new Float64Array(width);
  for (const index of sample) for (let k = 0; k < width; k++) total[k] += targets[index][k];
  const base = squares(total) / sample.length;
  let best;
  let bestGain = 1e-9;
  for (const feature of candidates()) {
    const { counts, sums } = histogram(bins, feature, targets, sample);
    const left = new Float64Array(width);
    let nLeft = 0;
    for (let bin = 0; bin < counts.length - 1; bin++) {
      if (counts[bin] === 0) continue;
      nLeft += counts[bin];
      let score = 0;
      const nRight = sample.length - nLeft;
      for (let k = 0; k < width; k++) {
        left[k] += sums[bin * width + k];
        score += left[k] ** 2 / nLeft + (total[k] - left[k]) ** 2 / nRight;
      }
      if (nLeft < minLeaf || nRight < minLeaf || score - base <= bestGain) continue;
      bestGain = score - base;
      best = { feature, bin };
    }
  }
  return best;
}

function histogram(bins, feature, targets, sample) {
  const column = bins.columns[feature];
  const width = targets[0].length;
  const counts = new Float64Array(bins.thresholds[feature].length + 1);
  const sums = new Float64Array(counts.length * width);
  for (const index of sample) {
    const bin = column[index];
    counts[bin]++;
    for (let k = 0; k < width; k++) sums[bin * width + k] += targets[index][k];
  }
  return { counts, sums };
}

const squares = (vector) => vector.reduce((sum, value) => sum + value ** 2, 0);

/**
 * @param {Node} node
 * @param {Float64Array} row
 * @returns {number[]}
 */
export function leafOf(node, row) {
  while ('left' in node) node = row[node.feature] <= node.threshold ? node.left : node.right;
  return node.value;
}

/** Numbers that a tree holds: two for each cut, and the values of its leaves. */
export function countNumbers(node) {
  return 'left' in node ? 2 + countNumbers(node.left) + countNumbers(node.right) : node.value.length;
}
