// A seeded random number generator whose whole state is one integer, so that a checkpoint can hold it.
import { createHash } from 'node:crypto';

/** Mulberry32: 32 bits of state, good enough for shuffles, bootstraps and initial weights. */
export class Random {
  /** @param {number} state the unsigned 32-bit integer to go on from */
  constructor(state) {
    this.state = state >>> 0;
  }

  /**
   * A stream of its own for each purpose: what the split draws never shifts what the training draws.
   * @param {number} seed
   * @param {string} purpose
   */
  static forPurpose(seed, purpose) {
    return new Random(createHash('sha256').update(`${seed}/${purpose}`).digest().readUInt32LE(0));
  }

  /** Uniform in [0, 1). */
  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 0x100000000;
  }

  /** An integer in [0, bound). */
  integer(bound) {
    return Math.floor(this.uniform() * bound);
  }

  /** Standard normal, by Box and Muller; the second value is dropped to keep the state one integer. */
  normal() {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /**
   * A shuffled copy (Fisher and Yates).
   * @template T
   * @param {readonly T[]} items
   * @returns {T[]}
   */
  shuffled(items) {
    const result = [...items];
    for (let last = result.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      [result[last], result[other]] = [result[other], result[last]];
    }
    return result;
  }
}
