// The methods by name, each with the settings that it is trained with.
import { GradientBoosting } from './gradient-boosting.mjs';
import { Mlp } from './mlp.mjs';
import { RandomForest } from './random-forest.mjs';
import { SoftmaxRegression } from './softmax-regression.mjs';

/**
 * A method's class and settings. `divergingRate` is a learning rate at which the network's weights grow until
 * they overflow, on each of the data sets; the gradient of softmax regression is bounded, it only oscillates.
 *
 * `epochs` are passes over the data for the gradient methods, trees for the forest, rounds for the boosting.
 * The settings are usual ones, the same for all data sets, tuned on none of them.
 */
export const METHODS = {
  'softmax-regression': {
    Model: SoftmaxRegression,
    config: { epochs: 40, learning_rate: 0.05, momentum: 0.9, weight_decay: 0.001, batch_size: 32 },
  },
  mlp: {
    Model: Mlp,
    config: {
      epochs: 40,
      hidden: 32,
      learning_rate: 0.02,
      momentum: 0.9,
      weight_decay: 0.001,
      batch_size: 32,
    },
    divergingRate: 100,
  },
  'random-forest': {
    Model: RandomForest,
    config: { epochs: 40, max_depth: 12, min_leaf: 1 },
  },
  'gradient-boosting': {
    Model: GradientBoosting,
    config: { epochs: 40, learning_rate: 0.1, max_depth: 3, min_leaf: 3, subsample: 0.8 },
  },
};
