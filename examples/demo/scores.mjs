// Accuracy, macro-F1 and log loss of predicted class probabilities.

/** Log loss clips here, as is customary, so that one confident mistake does not make it infinite. */
const SMALLEST_PROBABILITY = 1e-15;

/**
 * @param {ArrayLike<number>[]} probabilities one row of class probabilities for each label
 * @param {number[]} labels
 */
export function accuracy(probabilities, labels) {
  return labels.filter((label, index) => mostLikely(probabilities[index]) === label).length / labels.length;
}

/**
 * The mean over classes of 2TP / (2TP + FP + FN); a class that is neither there nor predicted counts as 0.
 * @param {ArrayLike<number>[]} probabilities
 * @param {number[]} labels
 */
export function macroF1(probabilities, labels) {
  const classes = probabilities[0].length;
  const correct = new Float64Array(classes);
  const mentioned = new Float64Array(classes);
  labels.forEach((label, index) => {
    const guess = mostLikely(probabilities[index]);
    if (guess === label) correct[label]++;
    mentioned[label]++;
    mentioned[guess]++;
  });
  return correct.reduce((sum, hits, k) => sum + (mentioned[k] ? (2 * hits) / mentioned[k] : 0), 0) / classes;
}

/**
 * The mean of -log(probability of the true class). NaN probabilities stay NaN: a diverged model has no loss.
 * @param {ArrayLike<number>[]} probabilities
 * @param {number[]} labels
 */
export function logLoss(probabilities, labels) {
  let sum = 0;
  labels.forEach((label, index) => {
    sum -= Math.log(Math.max(probabilities[index][label], SMALLEST_PROBABILITY));
  });
  return sum / labels.length;
}

/**
 * @param {{ nFeatures: number, predict(rows: Float64Array[]): ArrayLike<number>[] }} model
 * @param {import('./data.mjs').Table} table
 */
export function evaluate(model, { rows, labels }) {
  const width = rows[0].length;
  if (width !== model.nFeatures) {
    throw new RangeError(`the table has ${width} features, the model was fitted on ${model.nFeatures}`);
  }
  const probabilities = model.predict(rows);
  return {
    accuracy: accuracy(probabilities, labels),
    f1: macroF1(probabilities, labels),
    loss: logLoss(probabilities, labels),
  };
}

/** The first of the greatest. */
function mostLikely(probabilities) {
  let best = 0;
  for (let k = 1; k < probabilities.length; k++) if (probabilities[k] > probabilities[best]) best = k;
  return best;
}
