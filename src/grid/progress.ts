// What is expected against what is done: each cell of a sweep has a state.
import type { RunStatus } from '../events/event.ts';
import { runId, type RunKey } from '../events/run-id.ts';

/** From what is best to what is worst. `missing`: no run of that key has been seen. */
export const CELL_STATES = ['completed', 'running', 'pending', 'timeout', 'failed', 'missing'] as const;
export type CellState = (typeof CELL_STATES)[number];

/** What is run again unless somebody says otherwise. */
export const RESUBMITTED: readonly CellState[] = ['missing', 'failed', 'timeout'];

/** A run that should be there. */
export interface Expected {
  /** In the grid file; null where there is none. */
  row: number | null;
  key: RunKey;
  runId: string;
}

export interface SeenRun {
  status: RunStatus;
  reason: string | null;
}

export interface Cell extends Expected {
  state: CellState;
  /** Why, in words of SLURM or of the job; null: nobody said. */
  reason: string | null;
}

export type Tally = Readonly<Record<CellState, number>>;

/** @param seen by run id */
export function cellsOf(expected: readonly Expected[], seen: ReadonlyMap<string, SeenRun>): Cell[] {
  return expected.map(({ row, key, runId: id }) => {
    const run = seen.get(id);
    return { row, key, runId: id, state: run?.status ?? 'missing', reason: run?.reason ?? null };
  });
}

export function tally(cells: readonly Pick<Cell, 'state'>[]): Tally {
  const counts = { completed: 0, running: 0, pending: 0, timeout: 0, failed: 0, missing: 0 };
  for (const { state } of cells) counts[state] += 1;
  return counts;
}

export const KEY_FIELDS = [
  'experiment_number',
  'dataset',
  'method',
  'subject',
  'cl_info',
  'seed',
] as const satisfies readonly (keyof RunKey)[];

type KeyValue = RunKey[keyof RunKey];

/** The values of each field of the key, in the order of `compare`. */
export type Axes = { readonly [Field in keyof RunKey]: readonly RunKey[Field][] };

/** The values that these keys have. */
export function axesOf(keys: readonly RunKey[], compare: (a: KeyValue, b: KeyValue) => number): Axes {
  const valuesOf = <Field extends keyof RunKey>(field: Field): RunKey[Field][] =>
    [...new Set(keys.map((key) => key[field]))].toSorted(compare);
  return {
    experiment_number: valuesOf('experiment_number'),
    dataset: valuesOf('dataset'),
    method: valuesOf('method'),
    subject: valuesOf('subject'),
    cl_info: valuesOf('cl_info'),
    seed: valuesOf('seed'),
  };
}

export function sizeOf(axes: Axes): number {
  return KEY_FIELDS.reduce((size, field) => size * axes[field].length, 1);
}

/** Each value with each; the seed changes fastest. */
export function productOf(axes: Axes): Expected[] {
  let keys: Partial<RunKey>[] = [{}];
  for (const field of KEY_FIELDS) {
    keys = keys.flatMap((key) => axes[field].map((value: KeyValue) => ({ ...key, [field]: value })));
  }
  return (keys as RunKey[]).map((key) => ({ row: null, key, runId: runId(key) }));
}
