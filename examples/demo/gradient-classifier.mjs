// What softmax regression and the neural network share: mini-batch descent with momentum on one flat
// vector of parameters.

/**
 * @typedef {{ learning_rate: number, momentum: number, weight_decay: number, batch_size: number }} Descent
 */

/**
 * A subclass has `logits(row)` and `lossAndGradient(rows, labels)` over `this.parameters`.
 * @abstract
 */
export class GradientClassifier {
  /**
   * @param {{ nFeatures: number, nClasses: number }} shape
   * @param {Descent} config
   * @param {number} nParameters
   */
  constructor({ nFeatures, nClasses }, config, nParameters) {
    this.nFeatures = nFeatures;
    this.nClasses = nClasses;
    this.nParameters = nParameters;
    this.config = config;
    this.parameters = new Float64Array(nParameters);
    this.velocity = new Float64Array(nParameters);
  }

  /**
   * @abstract
   * @param {Float64Array} _row
   * @returns {Float64Array} one for each class, not yet normalised
   */
  logits(_row) {
    throw new Error('a subclass defines the logits');
  }

  /**
   * @abstract
   * @param {Float64Array[]} _rows
   * @param {number[]} _labels
   * @returns {{ loss: number, gradient: Float64Array }}
   */
  lossAndGradient(_rows, _labels) {
    throw new Error('a subclass defines the loss');
  }

  /**
   * One pass over the training rows in random order.
   * @param {import('./data.mjs').Table} table
   * @param {import('./random.mjs').Random} random
   */
  trainEpoch({ rows, labels }, random) {
    const { batch_size: size, learning_rate: rate, momentum } = this.config;
    const order = random.shuffled([...rows.keys()]);
    for (let start = 0; start < order.length; start += size) {
      const batch = order.slice(start, start + size);
      const { gradient } = this.lossAndGradient(
        batch.map((index) => rows[index]),
        batch.map((index) => labels[index]),
      );
      for (let p = 0; p < this.nParameters; p++) {
        this.velocity[p] = momentum * this.velocity[p] - rate * gradient[p];
        this.parameters[p] += this.velocity[p];
      }
    }
  }

  /**
   * Class probabilities, a row for each row.
   * @param {Float64Array[]} rows
   */
  predict(rows) {
    return rows.map((row) => softmax(this.logits(row)));
  }

  /** All that a checkpoint needs beside the random state. */
  state() {
    return { parameters: [...this.parameters], velocity: [...this.velocity] };
  }

  /** @param {{ parameters: number[], velocity: number[] }} state */
  restore({ parameters, velocity }) {
    this.parameters.set(parameters);
    this.velocity.set(velocity);
  }
}

/**
 * In place; the greatest logit is taken off first so that exp cannot overflow.
 * @param {Float64Array} logits
 */
export function softmax(logits) {
  let greatest = -Infinity;
  for (const logit of logits) greatest = Math.max(greatest, logit);
  let sum = 0;
  for (let k = 0; k < logits.length; k++) sum += logits[k] = Math.exp(logits[k] - greatest);
  for (let k = 0; k < logits.length; k++) logits[k] /= sum;
  return logits;
}

/**
 * Adds weight decay, (decay / 2) |w|^2, over parameters [from, to) to the gradient and returns its loss.
 * Biases are left out by the caller.
 */
export function addDecay(decay, parameters, gradient, from, to) {
  let squares = 0;
  for (let p = from; p < to; p++) {
    gradient[p] += decay * parameters[p];
    squares += parameters[p] ** 2;
  }
  return (decay / 2) * squares;
}
