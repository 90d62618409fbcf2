// The lists of sbatch --array: `1-3,7`, `1-10:2`, `1-100%5`.
import { RunfoldError } from '../errors.ts';

export interface ArrayList {
  /** In order, each once. */
  tasks: number[];
  /** How many may run at a time, `%5`. */
  limit: number | undefined;
}

/** The greatest index that any SLURM can be set up to take, MaxArraySize 4000001. */
const MAX_TASK = 4_000_000;
const PART = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/;
const HINT = 'Write a list such as 1-10,15 or 1-99:2, and %5 at its end for five at a time.';

/** The shortest list of ranges, ascending; empty for none. */
export function formatArrayList(tasks: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const task of [...new Set(tasks)].toSorted((a, b) => a - b)) {
    const open = ranges.at(-1);
    if (open !== undefined && open[1] === task - 1) open[1] = task;
    else ranges.push([task, task]);
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',');
}

/** @throws RunfoldError `usage` */
export function parseArrayList(text: string): ArrayList {
  const [, list = '', percent] = /^([^%]*)(?:%(.*))?$/s.exec(text.trim()) ?? [];
  const tasks = new Set<number>();
  for (const part of list.split(',')) {
    const [, first, last, step] = PART.exec(part.trim()) ?? [];
    if (first === undefined)
      throw wrong(text, part === '' ? 'it has an empty part' : `${JSON.stringify(part)} is no range`);
    const [from, to, by] = [Number(first), Number(last ?? first), Number(step ?? 1)];
    if (to > MAX_TASK) throw wrong(text, `${to} is more than SLURM can count, ${MAX_TASK}`);
    if (to < from) throw wrong(text, `${JSON.stringify(part)} ends before it begins`);
    if (by === 0) throw wrong(text, 'its step is 0');
    for (let task = from; task <= to; task += by) tasks.add(task);
  }
  if (percent !== undefined && !/^[1-9]\d{0,8}$/.test(percent))
    throw wrong(text, '% must be followed by a number from 1');
  return {
    tasks: [...tasks].toSorted((a, b) => a - b),
    limit: percent === undefined ? undefined : Number(percent),
  };
}

function wrong(text: string, problem: string): RunfoldError {
  return new RunfoldError('usage', `${JSON.stringify(text.slice(0, 80))} is no list of tasks: ${problem}`, {
    hint: HINT,
  });
}
