// A neural network with one hidden layer of rectified linear units.
import { GradientClassifier, addDecay, softmax } from './gradient-classifier.mjs';

/** Parameters: hidden weights (a row a unit), output weights (a row a class), then the biases of each. */
export class Mlp extends GradientClassifier {
  /**
   * @param {{ nFeatures: number, nClasses: number }} shape
   * @param {import('./gradient-classifier.mjs').Descent & { hidden: number }} config
   * @param {import('./random.mjs').Random} random
   */
  constructor(shape, config, random) {
    const { nFeatures, nClasses } = shape;
    const { hidden } = config;
    const weights = hidden * (nFeatures + nClasses);
    super(shape, config, weights + hidden + nClasses);
    this.hidden = hidden;
    this.outputWeights = hidden * nFeatures;
    this.hiddenBiases = weights;
    this.outputBiases = weights + hidden;
    // He initialisation: the variance of the signal is kept through the rectifier.
    for (let p = 0; p < weights; p++) {
      const inputs = p < this.outputWeights ? nFeatures : hidden;
      this.parameters[p] = random.normal() * Math.sqrt(2 / inputs);
    }
  }

  /** @param {Float64Array} row */
  activations(row) {
    const { hidden, nFeatures, parameters, hiddenBiases } = this;
    const result = new Float64Array(hidden);
    for (let h = 0; h < hidden; h++) {
      let sum = parameters[hiddenBiases + h];
      for (let j = 0; j < nFeatures; j++) sum += parameters[h * nFeatures + j] * row[j];
      // Not `sum > 0 ? sum : 0`, which would turn the NaN of a diverged network into a quiet 0.
      result[h] = Math.max(sum, 0);
    }
    return result;
  }

  /**
   * @param {Float64Array} row
   * @param {Float64Array} [activations] of this row, if they are known
   */
  logits(row, activations = this.activations(row)) {
    const { hidden, nClasses, parameters, outputWeights, outputBiases } = this;
    const result = new Float64Array(nClasses);
    for (let k = 0; k < nClasses; k++) {
      let sum = parameters[outputBiases + k];
      for (let h = 0; h < hidden; h++) sum += parameters[outputWeights + k * hidden + h] * activations[h];
      result[k] = sum;
    }
    return result;
  }

  /**
   * The mean cross-entropy of the rows plus weight decay, and its derivative by each parameter.
   * @param {Float64Array[]} rows
   * @param {number[]} labels
   */
  lossAndGradient(rows, labels) {
    const { hidden, nFeatures, nClasses, parameters } = this;
    const gradient = new Float64Array(this.nParameters);
    let loss = addDecay(this.config.weight_decay, parameters, gradient, 0, this.hiddenBiases);
    rows.forEach((row, index) => {
      const activations = this.activations(row);
      const errors = softmax(this.logits(row, activations));
      loss -= Math.log(errors[labels[index]]) / rows.length;
      errors[labels[index]] -= 1;
      const back = new Float64Array(hidden);
      for (let k = 0; k < nClasses; k++) {
        const error = errors[k] / rows.length;
        const from = this.outputWeights + k * hidden;
        for (let h = 0; h < hidden; h++) {
          gradient[from + h] += error * activations[h];
          back[h] += error * parameters[from + h];
        }
        gradient[this.outputBiases + k] += error;
      }
      for (let h = 0; h < hidden; h++) {
        if (activations[h] === 0) continue;
        for (let j = 0; j < nFeatures; j++) gradient[h * nFeatures + j] += back[h] * row[j];
        gradient[this.hiddenBiases + h] += back[h];
      }
    });
    return { loss, gradient };
  }
}
