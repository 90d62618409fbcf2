// Random runs with metrics and results, and a leaderboard of them by plain arrays.
import fc from 'fast-check';
import type { RunKey } from '../../src/events/run-id.ts';
import type { RunRecord } from '../../src/query/index.ts';
import { created, of, TestLedger, type Entry } from './ledger.ts';

const STATUSES = ['running', 'completed', 'completed', 'completed', 'failed'] as const;
export const AXES = [
  'method',
  'dataset',
  'subject',
  'cl_info',
  'seed',
  'experiment_number',
  'config.lr',
] as const;
export type Axis = (typeof AXES)[number];
const KEY: readonly (keyof RunKey)[] = [
  'experiment_number',
  'dataset',
  'method',
  'subject',
  'cl_info',
  'seed',
];

const measure = fc.constantFrom(undefined, 0.1, 0.2, 0.5, 0.9, -1, 1e-9, 'NaN');
const point = fc.record({
  loss: measure,
  f1: measure,
  gpu_memory_mb: fc.constantFrom(undefined, 10, 20),
  step: fc.constantFrom(undefined, 1, 2, 3),
  epoch: fc.constantFrom(undefined, 1, 2),
  extra: fc.constantFrom(
    undefined,
    { val: 0.1 },
    { val: 0.9 },
    { val: 'NaN' },
    { test: 0.2, val: 0.4 },
    { test: 'Infinity', val: 0.8 },
    { test: 0.7 },
  ),
});
const spec = fc.record({
  key: fc.record({
    experiment_number: fc.constantFrom(1, 1, 2),
    dataset: fc.constantFrom('iris', 'mnist'),
    method: fc.constantFrom('mlp', 'run9', 'run10'),
    subject: fc.constantFrom(null, null, 's1'),
    cl_info: fc.constantFrom(null, null, 'a'),
    seed: fc.constantFrom(null, 1, 2, 3),
  }),
  status: fc.constantFrom(...STATUSES),
  hidden: fc.constantFrom(false, false, false, true),
  lr: fc.constantFrom(undefined, 1, 10, '1'),
  points: fc.array(point, { maxLength: 5 }),
  /** Every other point is another process's. */
  isShared: fc.boolean(),
  results: fc.constantFrom(undefined, { acc: 0.5 }, { acc: true }, { acc: 2 }),
});
export type BoardSpec = typeof spec extends fc.Arbitrary<infer Spec> ? Spec : never;
export const specs: fc.Arbitrary<BoardSpec[]> = fc.uniqueArray(spec, {
  selector: ({ key }) => JSON.stringify(key),
  minLength: 1,
  maxLength: 40,
});

export async function ledgerOf(given: readonly BoardSpec[]): Promise<TestLedger> {
  const built = new TestLedger();
  await built.add(given.flatMap(linesOf));
  return built;
}

function linesOf({ key, status, hidden, lr, points, isShared, results }: BoardSpec): Entry[] {
  const own = [
    created(key, 0, lr === undefined ? {} : { config: { lr } }),
    ...(results === undefined ? [] : [of(key, 'result', 2, { results })]),
    of(key, 'status_changed', 3, { status }),
    ...(hidden ? [of(key, 'run_annotated', 4, { hidden })] : []),
  ];
  return [
    ...own.map((fields) => ({ file: 0, fields })),
    ...points.map((fields, index) => ({
      file: isShared ? index % 2 : 0,
      fields: of(key, 'metric', 1, { elapsed_seconds: 1, ...fields }),
    })),
  ];
}

export function labelOf(run: RunRecord, axis: Axis): unknown {
  return axis === 'config.lr' ? (run.config['lr'] ?? null) : run[axis];
}

export interface ModelRun {
  run: RunRecord;
  value: number | null;
  isDiverged: boolean;
}

/** The values of two cells that pair up. */
export function modelPairs(
  cell: readonly ModelRun[],
  best: readonly ModelRun[],
  axes: readonly Axis[],
): [number, number][] {
  const must = KEY.filter((name) => !(axes as readonly string[]).includes(name)).filter((name) => {
    const mayFollow = name === 'method' || name === 'cl_info' || name === 'experiment_number';
    const isOne = [cell, best].every((runs) => new Set(runs.map(({ run }) => run[name])).size === 1);
    return !(mayFollow && isOne);
  });
  return cell.flatMap((a) =>
    best
      .filter((b) => must.every((name) => a.run[name] === b.run[name]))
      .map((b): [number, number] => [Number(a.value), Number(b.value)]),
  );
}

/** Which key columns besides the seed and the axes have several values. */
export function modelMixed(cell: readonly ModelRun[], axes: readonly Axis[]): string[] {
  return KEY.filter((name) => name !== 'seed' && !(axes as readonly string[]).includes(name)).filter(
    (name) => new Set(cell.map(({ run }) => run[name])).size > 1,
  );
}
