// Softmax regression: one linear layer, cross-entropy, weight decay.
import { GradientClassifier, addDecay, softmax } from './gradient-classifier.mjs';

/** Parameters: a row of weights for each class, then the biases. All start at 0: the problem is convex. */
export class SoftmaxRegression extends GradientClassifier {
  /**
   * @param {{ nFeatures: number, nClasses: number }} shape
   * @param {import('./gradient-classifier.mjs').Descent} config
   */
  constructor(shape, config) {
    super(shape, config, (shape.nFeatures + 1) * shape.nClasses);
    this.biases = shape.nFeatures * shape.nClasses;
  }

  /** @param {Float64Array} row */
  logits(row) {
    const { nFeatures, nClasses, parameters, biases } = this;
    const result = new Float64Array(nClasses);
    for (let k = 0; k < nClasses; k++) {
      let sum = parameters[biases + k];
      for (let j = 0; j < nFeatures; j++) sum += parameters[k * nFeatures + j] * row[j];
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
    const { nFeatures, nClasses, parameters, biases } = this;
    const gradient = new Float64Array(this.nParameters);
    let loss = addDecay(this.config.weight_decay, parameters, gradient, 0, biases);
    rows.forEach((row, index) => {
      const probabilities = softmax(this.logits(row));
      loss -= Math.log(probabilities[labels[index]]) / rows.length;
      for (let k = 0; k < nClasses; k++) {
        const error = (probabilities[k] - (k === labels[index] ? 1 : 0)) / rows.length;
        for (let j = 0; j < nFeatures; j++) gradient[k * nFeatures + j] += error * row[j];
        gradient[biases + k] += error;
      }
    });
    return { loss, gradient };
  }
}
