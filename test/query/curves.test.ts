// Curves of runs that a projector has read.
import { afterEach, expect, test } from 'vitest';
import { runId, type RunKey } from '../../src/events/run-id.ts';
import { getCurves, getRunCurves, type CurvesOptions } from '../../src/query/curves.ts';
import { metricsOfRun } from '../../src/query/metric-inventory.ts';
import { created, keyOf, of, TestLedger, type Entry, type Fields } from './ledger.ts';

let ledger: TestLedger | undefined;
afterEach(() => {
  ledger?.db.close();
  ledger = undefined;
});

/** A run of one attempt: its points, then its status. */
function run(key: RunKey, points: readonly Fields[], status = 'completed'): Entry[] {
  return [
    created(key, 0),
    ...points.map((point, index) => of(key, 'metric', 1, { elapsed_seconds: index, ...point })),
    of(key, 'status_changed', 2, { status }),
  ].map((fields) => ({ file: 0, fields }));
}

async function filled(...entries: Entry[][]): Promise<TestLedger> {
  ledger = new TestLedger();
  await ledger.add(entries.flat());
  return ledger;
}

function losses(...values: (number | string)[]): Fields[] {
  return values.map((loss, index) => ({ epoch: index + 1, loss }));
}

test('one curve a method, over completed and running runs that are not hidden', async () => {
  const hidden = keyOf(9);
  const { db } = await filled(
    run(keyOf(1), losses(1, 2)),
    run(keyOf(2), losses(3, 4), 'running'),
    run(keyOf(3), losses(100, 100), 'failed'),
    run(keyOf(1, { method: 'cnn' }), losses(7)),
    run(hidden, losses(100)),
    [{ file: 0, fields: of(hidden, 'run_annotated', 3, { hidden: true }) }],
  );
  const { x, curves } = getCurves(db, 'loss');
  expect(x).toBe('epoch');
  expect(curves).toEqual([
    { group: 'cnn', runs: 1, points: [{ x: 1, mean: 7, low: null, high: null, n: 1 }], diverged: [] },
    {
      group: 'mlp',
      runs: 2,
      points: [
        { x: 1, mean: 2, low: 2 - Math.SQRT2, high: 2 + Math.SQRT2, n: 2 },
        { x: 2, mean: 3, low: 3 - Math.SQRT2, high: 3 + Math.SQRT2, n: 2 },
      ],
      diverged: [],
    },
  ]);
  expect(getCurves(db, 'loss', { status: 'failed' }).curves).toMatchObject([{ group: 'mlp', runs: 1 }]);
  expect(getCurves(db, 'loss', { by: 'none' }).curves).toHaveLength(3);
  expect(getCurves(db, 'loss', { by: 'seed' }).curves.map(({ group }) => group)).toEqual([1, 2]);
});

test('of more groups than are wanted, those with the most runs are kept', async () => {
  const { db } = await filled(
    run(keyOf(1, { method: 'a' }), losses(1)),
    run(keyOf(1, { method: 'b' }), losses(1)),
    run(keyOf(2, { method: 'b' }), losses(1)),
  );
  const { curves, leftOut } = getCurves(db, 'loss', { groups: 1 });
  expect(curves.map(({ group }) => group)).toEqual(['b']);
  expect(leftOut).toEqual([{ group: 'a', runIds: [runId(keyOf(1, { method: 'a' }))] }]);
});

test('values that are not finite are in no mean, and are told; also of a run that never had another', async () => {
  const { db } = await filled(
    run(keyOf(1), losses(1, 'NaN', 'Infinity')),
    run(keyOf(2), losses(3, 4, 5)),
    run(keyOf(3), losses('-Infinity', 'NaN', 'NaN')),
  );
  const { curves } = getCurves(db, 'loss');
  expect(curves[0]?.runs).toBe(3);
  expect(curves[0]?.points.map(({ mean, n }) => [mean, n])).toEqual([
    [2, 2],
    [4, 1],
    [5, 1],
  ]);
  expect(curves[0]?.diverged.toSorted((a, b) => a.x - b.x)).toEqual([
    { run_id: runId(keyOf(3)), value: '-Infinity', x: 1, lasting: true },
    { run_id: runId(keyOf(1)), value: 'NaN', x: 2, lasting: true },
  ]);
  await ledger?.add(run(keyOf(4), losses('NaN', 1)));
  expect(getCurves(db, 'loss', { seed: 4 }).curves[0]?.diverged).toMatchObject([{ x: 1, lasting: false }]);
  const allNaN = getCurves(db, 'loss', { seed: 3 }).curves;
  expect(allNaN).toMatchObject([{ runs: 1, points: [] }]);
});

test('steps come before epochs; the axis can be said; seconds go on from attempt to attempt', async () => {
  const key = keyOf(1);
  const { db } = await filled(
    [
      created(key, 0),
      of(key, 'metric', 1, { elapsed_seconds: 10, epoch: 1, step: 100, loss: 1 }),
      created(key, 2, { attempt: 'second', resume: true }),
      of(key, 'metric', 3, { elapsed_seconds: 5, epoch: 2, step: 200, loss: 2, attempt: 'second' }),
      of(key, 'metric', 3, { elapsed_seconds: 6, loss: 3, attempt: 'second' }),
      of(key, 'status_changed', 4, { status: 'running', attempt: 'second' }),
    ].map((fields) => ({ file: 0, fields })),
  );
  const xOf = (options: CurvesOptions): unknown[] => {
    const { x, curves, unplaced } = getCurves(db, 'loss', options);
    return [x, curves[0]?.points.map((point) => point.x), unplaced];
  };
  expect(xOf({})).toEqual(['step', [100, 200], 1]);
  expect(xOf({ x: 'epoch' })).toEqual(['epoch', [1, 2], 1]);
  expect(xOf({ x: 'elapsed' })).toEqual(['elapsed', [10, 15, 16], 0]);
});

test('seconds go on from the end of the attempt before, whichever metric that logged last', async () => {
  const key = keyOf(1);
  const point = (seconds: number, step: number, more: Fields, attempt?: string): Fields =>
    of(key, 'metric', 1, { elapsed_seconds: seconds, step, attempt, ...more });
  const { db } = await filled(
    [
      created(key, 0),
      point(900, 9, { extra: { val: 1 } }),
      point(1000, 10, { loss: 1 }),
      point(1500, 14, { loss: 1 }),
      created(key, 2, { attempt: 'second', resume: true }),
      point(500, 12, { loss: 2, extra: { val: 2 } }, 'second'),
      point(700, 13, { extra: { val: 3 } }, 'second'),
    ].map((fields) => ({ file: 0, fields })),
  );
  const xOf = (metric: string, options = {}): unknown =>
    getRunCurves(db, runId(key), [metric], { x: 'elapsed', ...options }).curves[0]?.points.map(({ x }) => x);
  expect(xOf('loss')).toEqual([1000, 1500]);
  expect(xOf('val')).toEqual([900, 1500, 1700]);
  expect(xOf('val', { from: 13 })).toEqual([1700]);
});

test('the metrics of a run are those of its view, and each may be named with extra. before it', async () => {
  const key = keyOf(1);
  const { db } = await filled(
    [
      created(key, 0),
      of(key, 'metric', 1, { elapsed_seconds: 1, step: 1, loss: 'NaN', extra: { old: 'NaN' } }),
      created(key, 2, { attempt: 'b' }),
      of(key, 'metric', 3, { elapsed_seconds: 1, step: 1, attempt: 'b', extra: { acc: 1, loss: 2 } }),
      of(key, 'metric', 3, { elapsed_seconds: 1, step: 9, attempt: 'b', extra: { cut: 'NaN' } }),
      created(key, 4, { attempt: 'c', resume: true }),
      of(key, 'metric', 5, { elapsed_seconds: 1, step: 2, attempt: 'c', extra: { new: 'NaN' } }),
    ].map((fields) => ({ file: 0, fields })),
  );
  expect(metricsOfRun(db, runId(key))).toEqual(['acc', 'extra.loss', 'new']);
  expect(metricsOfRun(db, runId(key), true)).toEqual(['loss', 'acc', 'cut', 'extra.loss', 'new', 'old']);
  const { curves } = getRunCurves(db, runId(key), ['extra.acc', 'extra.loss']);
  expect(curves.map(({ group, points }) => [group, points.length])).toEqual([
    ['extra.acc', 1],
    ['extra.loss', 1],
  ]);
  expect(() => getRunCurves(db, runId(key), ['extra.old'])).toThrow(/there are: acc, extra\.loss, new/);
});

test('where there are neither steps nor epochs, seconds it is; position 0 has no logarithm', async () => {
  const { db } = await filled(run(keyOf(1), [{ loss: 1 }, { loss: 2 }, { loss: 3 }]));
  const { x, curves, notPositive } = getCurves(db, 'loss', { logX: true });
  expect([x, curves[0]?.points.map((point) => point.x), notPositive]).toEqual(['elapsed', [1, 2], 1]);
});

test('metrics of any name, and one that is named as a column is', async () => {
  const names = ['val/acc', '__proto__', 'a"b\\c', "x'; --", '损失', 'loss'];
  const extra = Object.fromEntries(names.map((name, index) => [name, index]));
  const { db } = await filled(run(keyOf(1), [{ epoch: 1, loss: 100, extra }]));
  const asked = names.map((name) => (name === 'loss' ? 'extra.loss' : name));
  for (const [index, name] of asked.entries()) {
    expect(getCurves(db, name).curves[0]?.points[0]?.mean).toBe(index);
    expect(getRunCurves(db, runId(keyOf(1)), [name]).curves[0]?.points[0]?.mean).toBe(index);
  }
  expect(metricsOfRun(db, runId(keyOf(1)))).toEqual(['loss', ...asked.toSorted()]);
});

test('a metric that is not there: the error lists what is, also what was never finite', async () => {
  const { db } = await filled(
    run(keyOf(1), [{ epoch: 1, loss: 1, f1: 'NaN', extra: { 'val/acc': 1, bad: 'NaN', 'e\u001b[2J': 1 } }]),
  );
  expect(() => getCurves(db, 'acc')).toThrow(
    'no completed or running run has a metric "acc"; there are: loss, f1, bad, "e\\u001b[2J", val/acc',
  );
  expect(() => getRunCurves(db, runId(keyOf(1)), ['acc'])).toThrow(
    /^no point of run \w+ has a metric "acc"; /,
  );
  expect(getCurves(db, 'loss', { seed: 77 })).toMatchObject({ curves: [], leftOut: [] });
});

test('the band of one run is what its values in a bin range over', async () => {
  const { db } = await filled(run(keyOf(1), losses(1, 5, 2, 8)));
  const [curve] = getRunCurves(db, runId(keyOf(1)), ['loss'], { bins: 2 }).curves;
  expect(curve?.points).toEqual([
    { x: 1.5, mean: 3, low: 1, high: 5, n: 1 },
    { x: 3.5, mean: 5, low: 2, high: 8, n: 1 },
  ]);
  const [part] = getRunCurves(db, runId(keyOf(1)), ['loss'], { from: 2, to: 3 }).curves;
  expect(part?.points.map(({ mean }) => mean)).toEqual([5, 2]);
});

test.each([
  [{ band: 'sem' }, 'band must be one of std, minmax, none'],
  [{ x: 'time' }, 'x must be one of step, epoch, elapsed'],
  [{ bins: 0 }, 'bins must be a whole number from 1'],
  [{ groups: -1 }, 'groups must be a whole number from 0'],
  [{ smooth: 1 }, 'smooth must be a number from 0 and below 1'],
  [{ by: 'nosuch' }, 'there is no field "nosuch"'],
  [{ sead: 1 }, 'sead'],
])('%j is refused', async (options, message) => {
  const { db } = await filled(run(keyOf(1), losses(1)));
  expect(() => getCurves(db, 'loss', options as CurvesOptions)).toThrow(message);
});
