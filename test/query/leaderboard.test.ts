import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divergedMetrics } from '../../src/query/diverged.ts';
import {
  getAllRuns,
  getRunMetrics,
  getRunResults,
  leaderboard,
  type Db,
  type Leaderboard,
  type LeaderboardOptions,
  type RunRecord,
} from '../../src/query/index.ts';
import { pairedT } from '../../src/query/statistics.ts';
import { AXES, labelOf, ledgerOf, modelMixed, modelPairs, specs, type ModelRun } from './board-specs.ts';
import { created, keyOf, of, TestLedger, type Fields } from './ledger.ts';

/** What to ask, and the same of one run from what else is known of it. */
interface Asked {
  options: Pick<LeaderboardOptions, 'metric' | 'goal' | 'at'>;
  goal: 'min' | 'max';
  value: (db: Db, id: string) => unknown;
}

function curve(
  db: Db,
  id: string,
  pick: (point: ReturnType<typeof getRunMetrics>[number]) => unknown,
): number[] {
  return getRunMetrics(db, id)
    .map(pick)
    .filter((value) => typeof value === 'number' && Number.isFinite(value)) as number[];
}

const ASKED: Asked[] = [
  { options: { metric: 'f1' }, goal: 'max', value: (db, id) => getRunResults(db, id)?.final_f1 },
  { options: { metric: 'loss' }, goal: 'min', value: (db, id) => getRunResults(db, id)?.final_loss },
  {
    options: { metric: 'loss', at: 'best' },
    goal: 'min',
    value: (db, id) => getRunResults(db, id)?.best_loss,
  },
  {
    options: { metric: 'loss', goal: 'max' },
    goal: 'max',
    value: (db, id) => getRunResults(db, id)?.final_loss,
  },
  {
    options: { metric: 'loss', goal: 'max', at: 'best' },
    goal: 'max',
    value: (db, id) => curve(db, id, ({ loss }) => loss).toSorted((a, b) => b - a)[0],
  },
  {
    options: { metric: 'gpu_memory_mb', goal: 'min', at: 'best' },
    goal: 'min',
    value: (db, id) => curve(db, id, ({ gpu_memory_mb }) => gpu_memory_mb).toSorted((a, b) => a - b)[0],
  },
  {
    options: { metric: 'gpu_memory_mb', goal: 'max', at: 'final' },
    goal: 'max',
    value: (db, id) => curve(db, id, ({ gpu_memory_mb }) => gpu_memory_mb).at(-1),
  },
  {
    options: { metric: 'val', goal: 'max' },
    goal: 'max',
    value: (db, id) => getRunResults(db, id)?.extra?.['val']?.final,
  },
  {
    options: { metric: 'extra.val', goal: 'min', at: 'best' },
    goal: 'min',
    value: (db, id) => getRunResults(db, id)?.extra?.['val']?.min,
  },
  {
    options: { metric: 'acc', goal: 'max' },
    goal: 'max',
    value: (db, id) => getRunResults(db, id)?.results?.['acc'],
  },
  { options: { metric: 'test', goal: 'max', at: { metric: 'val' } }, goal: 'max', value: testAtBestVal },
];

function testAtBestVal(db: Db, id: string): number | undefined {
  const points = getRunMetrics(db, id);
  const best = Math.max(...curve(db, id, ({ extra }) => extra?.['val']));
  const chosen = points.find(({ extra }) => extra?.['val'] === best);
  const rest = points.toReversed().filter(({ extra }) => extra?.['test'] !== undefined);
  const found =
    chosen?.extra?.['test'] !== undefined
      ? chosen
      : (rest.find(({ step }) => step !== null && step === chosen?.step) ??
        rest.find(({ epoch }) => epoch !== null && epoch === chosen?.epoch));
  return found?.extra?.['test'];
}

/** Neither where all is said in the order of code units nor by a locale: by hand. */
const ORDER: readonly unknown[] = [
  1,
  2,
  3,
  10,
  '1',
  'a',
  'iris',
  'mlp',
  'mnist',
  'run9',
  'run10',
  's1',
  null,
];

function labelsOf(runs: readonly RunRecord[], axis: (typeof AXES)[number]): unknown[] {
  return ORDER.filter((label) => runs.some((run) => labelOf(run, axis) === label));
}

function hasMetric({ value }: ModelRun): boolean {
  return value !== null;
}

describe('leaderboard', () => {
  it('says of each cell what arrays say', async () => {
    const axes = fc.shuffledSubarray([...AXES], { minLength: 2, maxLength: 2 });
    const status = fc.constantFrom<LeaderboardOptions['status']>(undefined, 'failed', [
      'completed',
      'running',
    ]);
    const questions = fc.array(fc.tuple(fc.constantFrom(...ASKED), axes, status, fc.boolean()), {
      minLength: 5,
      maxLength: 15,
    });
    await fc.assert(
      fc.asyncProperty(specs, questions, async (given, asked) => {
        const { db } = await ledgerOf(given);
        for (const [{ options, goal, value }, axis, statuses, includeHidden] of asked) {
          const [rows = 'method', columns = 'dataset'] = axis;
          const all = getAllRuns(db, { includeHidden }).map((run): ModelRun => {
            const found = value(db, run.run_id);
            const names = [options.metric, `extra.${options.metric}`];
            const diverged = divergedMetrics(db, run.run_id);
            return {
              run,
              value: Number.isFinite(found) ? Number(found) : null,
              isDiverged: names.some((name) => diverged.has(name)),
            };
          });
          const ask = (): Leaderboard =>
            leaderboard(db, { ...options, rows, columns, includeHidden, status: statuses });
          const isThere = all.some((each) => hasMetric(each) || each.isDiverged) || all.length === 0;
          // in none there is nothing to rank by, unless nothing was logged at all; save that the points that count may lack what others have
          const isAnything = all.some(({ run }) => hasLogged(db, run.run_id));
          if (!isThere && isAnything && typeof options.at !== 'object') {
            expect(ask).toThrow(/no run has a/);
            continue;
          }
          if (!isThere && isAnything) continue;
          const board = ask();
          const wanted: readonly string[] =
            statuses === undefined ? ['completed'] : typeof statuses === 'string' ? [statuses] : statuses;
          expect(board.goal).toBe(goal);
          expect(board.rows).toEqual(
            labelsOf(
              all.map(({ run }) => run),
              rows,
            ),
          );
          expect(board.columns).toEqual(
            labelsOf(
              all.map(({ run }) => run),
              columns,
            ),
          );
          expect(board.totals.seen).toBe(all.length);

          for (const [index, column] of board.columns.entries()) {
            const seenIn = board.rows.map((row) =>
              all.filter(({ run }) => labelOf(run, rows) === row && labelOf(run, columns) === column),
            );
            const counted = seenIn.map((runs) => runs.filter(({ run }) => wanted.includes(run.status)));
            const cells = counted.map((runs) => runs.filter(hasMetric));
            const shown = board.rows.map((_, row) => board.cells[row]?.[index]);
            const means = [...new Set(shown.map((cell) => cell?.mean ?? null))]
              .filter((mean) => mean !== null)
              .toSorted((a, b) => (goal === 'max' ? b - a : a - b));
            const best = shown.findIndex((cell) => cell?.rank === 'best');
            for (const [row, runs] of cells.entries()) {
              const cell = shown[row];
              if (seenIn[row]?.length === 0) {
                expect(cell).toBeNull();
                continue;
              }
              const values = runs.map((each) => Number(each.value));
              expect(cell).toMatchObject({
                n: runs.length,
                seen: seenIn[row]?.length,
                withoutValue: (counted[row]?.length ?? 0) - runs.length,
                diverged: {
                  withValue: runs.filter(({ isDiverged }) => isDiverged).length,
                  withoutValue: counted[row]?.filter((each) => each.isDiverged && !hasMetric(each)).length,
                },
                mixed: modelMixed(runs, [rows, columns]),
              });
              expect(cell?.values.map((each) => each.run_id).toSorted()).toEqual(
                runs.map(({ run }) => run.run_id).toSorted(),
              );
              for (const each of cell?.values ?? [])
                expect(all.find(({ run }) => run.run_id === each.run_id)).toMatchObject({
                  value: each.value,
                  run: { seed: each.seed },
                });
              if (values.length > 0) {
                expect(cell?.mean).toBeCloseTo(
                  values.reduce((sum, each) => sum + each, 0) / values.length,
                  12,
                );
              } else expect(cell).toMatchObject({ mean: null, rank: null });
              const place = means.indexOf(cell?.mean ?? Number.NaN);
              expect(cell?.rank).toBe((['best', 'second'] as const)[place] ?? null);
              const test =
                place === 0 || best === -1
                  ? null
                  : pairedT(modelPairs(runs, cells[best] ?? [], [rows, columns]));
              expect(cell?.pairedTest?.pairs).toEqual(test?.pairs);
              expect(cell?.pairedTest?.against).toEqual(test === null ? undefined : board.rows[best]);
              if (test !== null) {
                expect(cell?.pairedTest?.meanDifference).toBeCloseTo(test.meanDifference, 9);
                expect(cell?.pairedTest?.p ?? -1).toBeCloseTo(test.p ?? -1, 9);
              }
            }
          }
        }
        db.close();
      }),
      { numRuns: 150 },
    );
  });

  it('is the same in whatever order the runs came', async () => {
    await fc.assert(
      fc.asyncProperty(specs, async (given) => {
        const [a, b] = [await ledgerOf(given), await ledgerOf(given.toReversed())];
        const ask = (db: Db): unknown => {
          try {
            return leaderboard(db, { metric: 'f1', rows: 'subject', columns: 'config.lr' });
          } catch (error) {
            return String(error);
          }
        };
        expect(ask(a.db)).toEqual(ask(b.db));
      }),
      { numRuns: 40 },
    );
  });
});

async function ledger(...lines: Fields[]): Promise<Db> {
  const built = new TestLedger();
  await built.add(lines.map((fields) => ({ file: 0, fields })));
  return built.db;
}

/** A completed run. */
function run(seed: number, fields: Fields, key = {}): Fields[] {
  const whole = keyOf(seed, key);
  return [
    created(whole, 0),
    of(whole, 'metric', 1, { elapsed_seconds: 1, ...fields }),
    of(whole, 'status_changed', 2, { status: 'completed' }),
  ];
}

describe('which metric is meant', () => {
  const result = (seed: number, results: object): Fields => of(keyOf(seed), 'result', 1, { results });

  it('is a column before it is an extra metric, and either can be said', async () => {
    const db = await ledger(...run(1, { f1: 0.5, extra: { f1: 0.7 } }));
    expect(leaderboard(db, { metric: 'f1' })).toMatchObject({
      metric: { kind: 'column', name: 'f1' },
      cells: [[{ mean: 0.5 }]],
    });
    expect(leaderboard(db, { metric: 'extra.f1', goal: 'max' })).toMatchObject({
      metric: { kind: 'extra', name: 'f1' },
      cells: [[{ mean: 0.7 }]],
    });
  });

  it('is what the runs in question have', async () => {
    const db = await ledger(
      ...run(1, { extra: { acc: 0.5 } }),
      ...run(2, { loss: 1 }),
      result(2, { acc: 0.6, test: { f1: 3 } }),
    );
    const ask = (more: object): unknown => leaderboard(db, { metric: 'acc', goal: 'max', ...more });
    expect(() => ask({})).toThrow(
      expect.objectContaining({ code: 'usage', hint: 'Say "extra.acc" or "results.acc".' }),
    );
    expect(ask({ seed: 1 })).toMatchObject({ metric: { kind: 'extra' }, cells: [[{ mean: 0.5 }]] });
    expect(ask({ seed: 2 })).toMatchObject({
      metric: { kind: 'result' },
      at: null,
      cells: [[{ mean: 0.6 }]],
    });
    expect(ask({ metric: 'results.acc' })).toMatchObject({ cells: [[{ n: 1, seen: 2, withoutValue: 1 }]] });
    expect(ask({ metric: 'test.f1' })).toMatchObject({ metric: { kind: 'result', name: 'test.f1' } });
  });

  it('may have any name', async () => {
    const names = ['a.b', 'a"b', '__proto__', "'", 'é 😀', 'results', 'extra.x'];
    for (const name of names) {
      const extra = JSON.parse(`{${JSON.stringify(name)}: 0.25}`) as object;
      const db = await ledger(...run(1, { extra }));
      expect(leaderboard(db, { metric: `extra.${name}`, goal: 'max' })).toMatchObject({
        metric: { kind: 'extra', name },
        cells: [[{ mean: 0.25 }]],
      });
    }
  });

  it('names what there is where it is not', async () => {
    const db = await ledger(
      ...run(1, { f1: 0.5, extra: { 'val/acc': 0.5, 'x\u001b': 1 } }),
      result(1, { a: 1, b: 'x' }),
    );
    expect(() => leaderboard(db, { metric: 'acc', goal: 'max' })).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: 'no run has a metric or result "acc"',
        hint: String.raw`There are: "f1", "val/acc", "x\u001b", "results.a".`,
      }),
    );
    expect(() => leaderboard(db, { metric: 'loss' })).toThrow('no run has a metric "loss"');
    expect(() => leaderboard(db, { metric: 'f1', at: { metric: 'val' } })).toThrow(
      'no run has a metric "val" to choose by',
    );
  });

  it('does not matter where no run matches', async () => {
    const db = await ledger(...run(1, { f1: 0.5 }));
    expect(leaderboard(db, { metric: 'acc', goal: 'max', seed: 7 })).toMatchObject({
      rows: [],
      columns: [],
      cells: [],
      totals: { seen: 0, counted: 0, withoutValue: 0, otherStatus: 0 },
    });
  });
});

describe('runs that have diverged', () => {
  it('count by their last finite value and are told of', async () => {
    const db = await ledger(
      ...run(1, { loss: 0.5 }),
      of(keyOf(1), 'metric', 3, { elapsed_seconds: 2, loss: 'NaN' }),
      ...run(2, { loss: 0.4, extra: { acc: 'NaN' } }),
      ...run(3, { loss: 'Infinity' }),
    );
    const diverged = { withValue: 1, withoutValue: 1 };
    expect(leaderboard(db, { metric: 'loss' })).toMatchObject({
      cells: [[{ n: 2, mean: 0.45, withoutValue: 1, diverged }]],
      totals: { counted: 2, withoutValue: 1, diverged },
    });
    expect(leaderboard(db, { metric: 'loss', seed: 2 }).totals.diverged).toEqual({
      withValue: 0,
      withoutValue: 0,
    });
  });

  it('are there, though none of them was ever finite', async () => {
    const db = await ledger(
      ...run(1, { loss: 'NaN', extra: { 'a"c\\c': '-Infinity' } }),
      ...run(2, { loss: 'NaN' }),
      of(keyOf(2), 'result', 1, { results: { 'r\0s': 3 } }),
    );
    const empty = { n: 0, mean: null, withoutValue: 2, rank: null };
    expect(leaderboard(db, { metric: 'loss' }).cells).toMatchObject([
      [{ ...empty, diverged: { withValue: 0, withoutValue: 2 } }],
    ]);
    const asked = { metric: 'a"c\\c', goal: 'max' } as const;
    expect(leaderboard(db, asked)).toMatchObject({
      metric: { kind: 'extra' },
      cells: [[{ ...empty, diverged: { withValue: 0, withoutValue: 1 } }]],
    });
    expect(leaderboard(db, { metric: 'loss', at: { metric: asked.metric } }).cells).toMatchObject([[empty]]);
    expect(leaderboard(db, { metric: 'results."r\\u0000s"', goal: 'max' })).toMatchObject({
      metric: { kind: 'result' },
      cells: [[{ n: 1, mean: 3, diverged: { withValue: 0, withoutValue: 0 } }]],
    });
    expect(() => leaderboard(db, { metric: 'f1' })).toThrow(
      expect.objectContaining({ hint: String.raw`There are: "loss", "a\"c\\c", "results.r\u0000s".` }),
    );
  });
});

it('pairs runs of methods whose variant differs, and not runs on other subjects', async () => {
  const f1 = [0.5, 0.6, 0.8];
  const ofMethod = (method: string, key: object, more: number): Fields[] =>
    f1.flatMap((value, seed) => run(seed, { f1: value + more * (seed + 1) }, { method, ...key }));
  const paired = await ledger(
    ...ofMethod('best', { cl_info: 'lr=1' }, 0.1),
    ...ofMethod('mlp', { cl_info: 'lr=2' }, 0),
  );
  expect(leaderboard(paired, { metric: 'f1' }).cells.map(([cell]) => cell?.pairedTest?.pairs)).toEqual([
    undefined,
    3,
  ]);
  const apart = await ledger(
    ...ofMethod('best', { subject: 'a' }, 0.1),
    ...ofMethod('mlp', { subject: 'b' }, 0),
  );
  expect(leaderboard(apart, { metric: 'f1' }).cells.map(([cell]) => cell?.pairedTest)).toEqual([null, null]);
});

/** Whether a run has anything that can be ranked by. */
function hasLogged(db: Db, runId: string): boolean {
  const found = getRunResults(db, runId);
  if (found === null) return false;
  const { final_loss, final_f1, final_fitness, final_behavioral_comparison, peak_gpu_memory_mb } = found;
  const columns = [final_loss, final_f1, final_fitness, final_behavioral_comparison, peak_gpu_memory_mb];
  const results = Object.values(found.results ?? {}).filter(
    (value) => typeof value === 'number' || (typeof value === 'object' && value !== null),
  );
  return (
    columns.some((value) => value !== null) || Object.keys(found.extra ?? {}).length + results.length > 0
  );
}

describe('wrong questions', () => {
  it.each<[string, object, RegExp]>([
    ['no metric', {}, /metric must be/],
    ['an empty one', { metric: '' }, /metric must be/],
    ['a metric of which nobody knows what is good', { metric: 'acc' }, /lowest or the highest "acc"/],
    ['memory without a goal', { metric: 'gpu_memory_mb' }, /lowest or the highest/],
    ['a metric that is not there, before its goal is asked for', { metric: 'ac' }, /no run has a .*"ac"/],
    ['a goal that is none', { metric: 'f1', goal: 'up' }, /goal must be "min" or "max"/],
    ['a place that is none', { metric: 'f1', at: 'last' }, /at must be/],
    ['a place without a metric', { metric: 'f1', at: {} }, /at must be/],
    ['a goal of the place that is none', { metric: 'f1', at: { metric: 'x', goal: 1 } }, /at\.goal must be/],
    ['a place by a result', { metric: 'f1', at: { metric: 'results.acc' } }, /is a result/],
    ['the best of a result', { metric: 'results.acc', goal: 'max', at: 'best' }, /is a result/],
    ['rows that are no field', { metric: 'f1', rows: 'color' }, /no field "color"/],
    ['rows that are many', { metric: 'f1', rows: 'tags' }, /rows must be a field with one value/],
    ['columns that are an object', { metric: 'f1', columns: 'config' }, /columns must be a field/],
    ['rows and columns the same', { metric: 'f1', rows: 'variant', columns: 'cl_info' }, /both "variant"/],
    ['a filter that is none', { metric: 'f1', datset: 'iris' }, /a filter must be/],
    ['a status that is none', { metric: 'f1', status: 'done' }, /status must be/],
    ['a limit', { metric: 'f1', limit: 3 }, /a filter must be/],
  ])('%s is refused', async (_, options, said) => {
    const db = await ledger(...run(1, { f1: 0.5, gpu_memory_mb: 7, extra: { acc: 1 } }));
    expect(() => leaderboard(db, options as LeaderboardOptions)).toThrow(
      expect.objectContaining({
        name: 'RunfoldError',
        code: 'usage',
        message: expect.stringMatching(said) as string,
      }),
    );
  });
});

it('lets cells that are equally good share the best place; the test is against the first of them', async () => {
  const ofMethod = (method: string, values: number[]): Fields[] =>
    values.flatMap((value, seed) => run(seed, { f1: value }, { method }));
  const db = await ledger(
    ...ofMethod('a', [0.7, 0.9]),
    ...ofMethod('b', [0.9, 0.7]),
    ...ofMethod('c', [0.1, 0.6]),
    ...ofMethod('d', [0.1, 0.2]),
  );
  const { cells } = leaderboard(db, { metric: 'f1' });
  expect(cells.map(([cell]) => cell?.rank)).toEqual(['best', 'best', 'second', null]);
  expect(cells.map(([cell]) => cell?.pairedTest?.against)).toEqual([undefined, undefined, 'a', 'a']);
});

it('of more runs than are read at once each counts once, whatever the filter', async () => {
  const built = new TestLedger();
  const keys = Array.from({ length: 2345 }, (_, seed) => keyOf(seed, { dataset: `d${seed % 2}` }));
  await built.add(
    keys.flatMap((key) => [
      { file: 0, fields: created(key, 0) },
      { file: 0, fields: of(key, 'metric', 1, { elapsed_seconds: 1, f1: (key.seed ?? 0) / 10_000 }) },
      { file: 0, fields: of(key, 'status_changed', 2, { status: 'completed' }) },
    ]),
  );
  for (const [filter, expected] of [
    [{}, keys],
    [{ experiment_number: 1, dataset: 'd1' }, keys.filter(({ dataset }) => dataset === 'd1')],
    [{ experiment_number: 2 }, []],
  ] as const) {
    const { cells, totals } = leaderboard(built.db, { metric: 'f1', ...filter });
    expect(totals).toMatchObject({ seen: expected.length, counted: expected.length });
    const seeds = cells.flat().flatMap((cell) => cell?.values.map(({ seed }) => seed) ?? []);
    expect(seeds.toSorted((a, b) => Number(a) - Number(b))).toEqual(expected.map(({ seed }) => seed));
  }
});
