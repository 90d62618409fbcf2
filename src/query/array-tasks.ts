// The task numbers of an array job: which are missing, as `--array` takes them.
import { stretchesOf } from './host-list.ts';

/** Fewer tasks than these do not tell the stride of `--array=0-100:10` from holes. */
const TELLING_TASKS = 4;

/** A task number as SLURM writes it; undefined: it is none. */
export function taskNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

export interface MissingTasks {
  count: number;
  /** `3,7,10-12`, or `20-40:10`. */
  list: string;
}

/**
 * What is missing between the lowest and the highest. What lies between tasks that all keep a stride, if they are four
 * or more, is not missing: they are of `--array=0-100:10`.
 */
export function missingTasks(seen: Iterable<number>): MissingTasks {
  const numbers = [...new Set(seen)].toSorted((a, b) => a - b);
  const [first = 0] = numbers;
  const stride = numbers.length < TELLING_TASKS ? 1 : commonStride(numbers);
  const stretches = stretchesOf(numbers.map((number) => (number - first) / stride));
  const holes = stretches
    .slice(1)
    .map(({ from }, index) => ({ from: (stretches[index]?.to ?? 0) + 1, to: from - 1 }));
  const step = stride === 1 ? '' : `:${stride}`;
  return {
    count: holes.reduce((sum, { from, to }) => sum + to - from + 1, 0),
    list: holes
      .map(({ from, to }) => {
        const [low, high] = [first + from * stride, first + to * stride];
        return from === to ? String(low) : `${low}-${high}${step}`;
      })
      .join(','),
  };
}

/** The greatest number that divides all steps; 1 if there is none. */
function commonStride(numbers: readonly number[]): number {
  const steps = numbers.slice(1).map((number, index) => number - (numbers[index] ?? 0));
  return steps.reduce(greatestCommonDivisor, 0) || 1;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
