import { expect, test } from 'vitest';
import { runId } from '../../src/events/run-id.ts';
import { compareRuns, getAllRuns, getRun, selectRuns } from '../../src/query/index.ts';
import { created, keyOf, of, TestLedger } from './ledger.ts';

async function twoRuns(): Promise<TestLedger> {
  const built = new TestLedger();
  const [one, two] = [keyOf(1), keyOf(2)];
  const config = { lr: 0.1, deep: { width: 3, names: ['a'] }, 'a.b': 1 };
  await built.add(
    [
      created(one, 0, { config }),
      of(one, 'metric', 1, { elapsed_seconds: 1, epoch: 1, loss: 0.5, extra: { acc: 0.8 } }),
      of(one, 'result', 2, { results: { acc: 0.9 } }),
      created(two, 3, { config: { ...config, deep: { width: 4, names: ['a'] } } }),
      of(two, 'metric', 4, { elapsed_seconds: 1, epoch: 1, loss: 0.5, extra: { acc: 0.7 } }),
    ].map((fields) => ({ file: 0, fields })),
  );
  return built;
}

test('what differs comes first: the key, config, results, all else', async () => {
  const { db } = await twoRuns();
  const ids = getAllRuns(db, { sort: ['seed'] }).map(({ run_id }) => run_id);
  const { run_ids, fields } = compareRuns(db, ids);
  expect(run_ids).toEqual(ids);
  const differing = fields.filter(({ differs }) => differs).map(({ field, values }) => [field, ...values]);
  expect(differing).toEqual([
    ['seed', 1, 2],
    ['config.deep.width', 3, 4],
    ['results.acc', 0.9, null],
    ['final.acc', 0.8, 0.7],
    ['min.acc', 0.8, 0.7],
    ['max.acc', 0.8, 0.7],
    ['created_at', '2026-11-23T10:00:00.000Z', '2026-11-23T10:03:00.000Z'],
  ]);
  expect(fields.slice(0, differing.length).every(({ differs }) => differs)).toBe(true);
  const same = fields.slice(differing.length);
  expect(same.map(({ field }) => field)).toEqual(
    expect.arrayContaining([
      'dataset',
      'config.lr',
      'config.deep.names',
      'config."a.b"',
      'best_loss',
      'status',
    ]),
  );
  expect(same.every(({ values }) => values.some((value) => value !== null))).toBe(true);
});

test('what has diverged says so, and every field is one that a filter or a selection takes', async () => {
  const built = new TestLedger();
  const [one, two] = [keyOf(1), keyOf(2)];
  const extra = {
    loss: 1,
    gpu_memory_mb: 2,
    '"q"': 3,
    'extra.x': 4,
    'a,b = c': 5,
    '': 6,
    'val/acc.top': 7,
    'a\0': 8,
  };
  await built.add(
    [
      created(one, 0),
      of(one, 'metric', 1, { elapsed_seconds: 1, loss: 0.5, extra: { ...extra, never: 'Infinity' } }),
      of(one, 'metric', 2, { elapsed_seconds: 2, loss: 'NaN', extra: { '"q"': '-Infinity' } }),
      created(two, 3),
      of(two, 'metric', 4, { elapsed_seconds: 1, loss: 0.5, extra, gpu_memory_mb: 'NaN' }),
    ].map((fields) => ({ file: 0, fields })),
  );
  const { db } = built;
  const { fields } = compareRuns(db, [runId(one), runId(two)]);
  const valuesOf = (name: string): unknown => fields.find(({ field }) => field === name)?.values;
  expect(valuesOf('final_loss')).toEqual(['NaN', 0.5]);
  expect(valuesOf('best_loss')).toEqual([0.5, 0.5]);
  expect(valuesOf('final.never')).toEqual(['Infinity', null]);
  expect(valuesOf(String.raw`final."\"q\""`)).toEqual(['-Infinity', 3]);
  for (const { field, values } of fields) {
    expect(selectRuns(db, [field], { seed: 2 }), field).toEqual([[values[1]]]);
    if (/^(?:final|min|max)\./.test(field) && values[1] !== null)
      expect(getAllRuns(db, { where: [`${field}=${String(values[1])}`] }), field).not.toEqual([]);
  }
  for (const of of ['final', 'min', 'max'])
    expect(fields.filter(({ field }) => field.startsWith(`${of}.`))).toHaveLength(of === 'final' ? 9 : 8);
});

test('a run by its prefix or as the last; fewer than two are refused, and one twice', async () => {
  const { db } = await twoRuns();
  const [last] = getAllRuns(db);
  expect(getRun(db, '@last')).toEqual(last);
  const [, other] = getAllRuns(db);
  const { run_ids } = compareRuns(db, ['@last', other?.run_id.slice(0, 6) ?? '']);
  expect(run_ids).toEqual([last?.run_id, other?.run_id]);
  expect(() => compareRuns(db, ['@last', last?.run_id ?? ''])).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining(' are one run: ') as string }),
  );
  expect(() => compareRuns(db, ['@last'])).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(() => compareRuns(db, ['@last', 'zzzz'])).toThrow(
    expect.objectContaining({ code: 'run_not_found' }),
  );
  expect(() => getRun(new TestLedger().db, '@last')).toThrow(
    expect.objectContaining({ code: 'run_not_found' }),
  );
});
