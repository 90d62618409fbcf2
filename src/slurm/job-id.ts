// The forms in which squeue and sacct name a job: 12, 12+1, 12_3, 12_[4-9:2%2], 12.batch, 12_3.0.

export interface JobName {
  /** Of an array its id, of a heterogeneous job that of its first part; else the job's own. */
  job: string;
  /** One task of an array. */
  task?: string;
  /** Tasks of an array that wait under one name. */
  tasks?: TaskRange;
  /** `batch`, `extern`, `0` … */
  step?: string;
}

/** From the first to the last, each so many after the one before. */
export type TaskRange = readonly (readonly [first: number, last: number, every: number])[];

const FORM = /^(\d{1,18})(?:\+\d{1,18})?(?:_(?:(\d{1,9})|\[([^\]]*)\]))?(?:\.([\w+]{1,64}))?$/;
const PART = /^(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?$/;

export function parseJobName(text: string): JobName | undefined {
  const match = FORM.exec(text.trim());
  if (match === null) return undefined;
  const [, job = '', task, range, step] = match;
  return {
    job,
    ...(task !== undefined && { task: String(Number(task)) }),
    ...(range !== undefined && { tasks: parseRange(range) }),
    ...(step !== undefined && { step }),
  };
}

/** `1,3,5-9:2%4`. Of a list that was cut ("1,3,4...") the last number is left out: it may have been longer. */
function parseRange(text: string): TaskRange {
  const [list = ''] = text.split('%');
  const parts: [number, number, number][] = [];
  for (const part of list.split(',')) {
    const match = PART.exec(part.trim());
    if (match === null) continue;
    const first = Number(match[1]);
    parts.push([first, Number(match[2] ?? first), Math.max(1, Number(match[3] ?? 1))]);
  }
  return parts;
}

export function hasTask(range: TaskRange, task: string): boolean {
  const number = Number(task);
  return range.some(
    ([first, last, every]) => number >= first && number <= last && (number - first) % every === 0,
  );
}

/** What tells jobs apart, whatever raw id they have: a task of an array has none of its own until it starts. */
export function jobKey(job: string, array?: string | null, task?: string | null): string {
  return array != null && task != null && array !== '' && task !== '' ? `${array}_${task}` : job;
}
