// What the parts of the soak share: the build, numbers that a seed gives again, slopes.
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The path of a module of the build. */
export function builtFile(file) {
  return fileURLToPath(new URL(`../../dist/${file}`, import.meta.url));
}

export async function builtModule(file) {
  return await import(pathToFileURL(builtFile(file)).href);
}

/** mulberry32. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  next() {
    this.#state = (this.#state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit) {
    return Math.floor(this.next() * limit);
  }

  /** Something that happens once in so many seconds, asked once a second. */
  happensEvery(seconds) {
    return this.next() < 1 / seconds;
  }

  pick(items) {
    return items[this.below(items.length)];
  }
}

/**
 * The line of least squares through points (hours, value): its slope per hour, and twice the standard error of it.
 * Undefined if there are too few.
 */
export function slopeOf(points) {
  const n = points.length;
  if (n < 3) return undefined;
  const mean = (index) => points.reduce((sum, point) => sum + point[index], 0) / n;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  const slope = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
  const left = points.reduce((sum, point) => sum + (point[1] - y - slope * (point[0] - x)) ** 2, 0);
  return { slope, doubt: 2 * Math.sqrt(left / (n - 2) / spread) };
}
