import { expect, test } from 'vitest';
import { ExperimentDB } from '../../src/experiment-db.ts';
import { Desk, ndjson } from './command.ts';

const KEYS = ['mlp', 'cnn'].flatMap((method) => [1, 2, 3].map((seed) => ({ method, seed, dataset: 'iris' })));

async function deskWithRuns(): Promise<Desk> {
  const desk = await Desk.withLog();
  const events = KEYS.flatMap(({ method, seed, dataset }) => {
    const key = { experiment_number: 1, dataset, method, seed };
    const f1 = (method === 'mlp' ? 0.8 : 0.9) + seed * (method === 'mlp' ? 0.01 : 0.012);
    const point = {
      type: 'metric',
      ...key,
      elapsed_seconds: 1,
      step: 1,
      f1,
      extra: { val: f1, test: f1 / 2 },
    };
    const status = seed === 3 && method === 'mlp' ? 'failed' : 'completed';
    return [{ type: 'run_created', ...key }, point, { type: 'status_changed', ...key, status }];
  });
  await desk.run(['emit', '-'], { stdin: ndjson(...events) });
  return desk;
}

test('leaderboard prints a table, its notes, and how fresh it is', async () => {
  const desk = await deskWithRuns();
  const { code, stdout, stderr } = await desk.run(['leaderboard', 'f1']);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^as of .*\n$/);
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    'method  iris',
    'cnn     0.924 ± 0.012 (3/3) *',
    'mlp     0.815 ± 0.007 (2/3) †',
  ]);
  expect(stdout).toContain('1 run has another status, and does not count');
});

test('leaderboard takes filters, statuses, places and fields', async () => {
  const desk = await deskWithRuns();
  const records = async (...args: string[]): Promise<unknown> => {
    const { stdout, stderr } = await desk.run(['leaderboard', ...args, '--json']);
    return stdout === '' ? stderr : (JSON.parse(stdout) as unknown);
  };
  expect(await records('f1', '--method', 'mlp', '--all-statuses')).toMatchObject([{ row: 'mlp', n: 3 }]);
  expect(await records('f1', '--method', 'mlp', '--status', 'failed')).toMatchObject([{ n: 1, seen: 3 }]);
  expect(await records('f1', '-w', 'seed<2', '--rows', 'seed', '--columns', 'method')).toMatchObject([
    { row: 1, column: 'cnn', mean: 0.912 },
    { row: 1, column: 'mlp', mean: 0.81 },
  ]);
  const at = await records('test', '--goal', 'max', '--at', 'best:val', '--seed', '1');
  expect(at).toMatchObject([{ mean: 0.456 }, { mean: 0.405 }]);
  expect(await records('test', '--goal', 'max', '--at', 'min:val', '--seed', '1')).toEqual(at);
  expect(await records('f1', '--rename', 'mlp=MLP', '--order', 'MLP', '--scale', '100')).toMatchObject([
    { row: 'MLP', mean: expect.closeTo(0.815, 9) as number },
    { row: 'cnn' },
  ]);
  expect(await records('f1', '--seed', '9')).toEqual([]);
});

test('ExperimentDB answers the same', async () => {
  const desk = await deskWithRuns();
  const { stdout } = await desk.run(['leaderboard', 'f1', '--json']);
  await using db = await ExperimentDB.open({ ledger: desk.ledger, db: desk.db });
  const { rows, cells } = db.leaderboard({ metric: 'f1' });
  const expected = rows.map((row, index) => ({ row, mean: cells[index]?.[0]?.mean }));
  expect(JSON.parse(stdout)).toMatchObject(expected);
  expect(expected).toHaveLength(2);
});

test('warnings are on stderr where a format has no notes', async () => {
  const desk = await deskWithRuns();
  const { stdout, stderr } = await desk.run(['leaderboard', 'f1', '--rows', 'seed', '--format', 'csv']);
  expect(stdout).not.toContain('mix');
  expect(stderr).toContain('cells mix 2 values of method');
  expect(stderr).toContain('1 run has another status');
});

test('bold stands for the mark where there are colours', async () => {
  const desk = await deskWithRuns();
  const { stdout } = await desk.run(['leaderboard', 'f1'], { env: { FORCE_COLOR: '1' } });
  expect(stdout).toContain('\u001b[1m0.924 ± 0.012 (3/3)\u001b[22m');
  expect(stdout).not.toContain('*');
});

test.each<[string, string[], RegExp]>([
  ['no metric', [], /missing required argument/],
  ['a metric that is not there', ['acc', '--goal', 'max'], /no run has a metric or result "acc"\n.*"val"/],
  ['no goal', ['test'], /--goal min or --goal max/],
  ['a place that is none', ['f1', '--at', 'last'], /--at must be final, best, best:METRIC/],
  ['a place without a metric', ['f1', '--at', 'best:'], /--at must be/],
  ['statuses twice', ['f1', '--all-statuses', '--status', 'failed'], /cannot both be/],
  ['digits that are none', ['f1', '--digits', '2.5'], /whole number/],
  ['too many digits', ['f1', '--digits', '99'], /from 0 to 20/],
  ['a factor that is none', ['f1', '--scale', 'x'], /above 0/],
  ['a factor of nothing', ['f1', '--scale', '0'], /above 0/],
  ['a label that is not there', ['f1', '--rename', 'svm=SVM'], /no row or column is called "svm"/],
  ['rows that are no field', ['f1', '--rows', 'color'], /no field "color"/],
])('leaderboard with %s is wrong usage', async (_, args, said) => {
  const desk = await deskWithRuns();
  const { code, stdout, stderr } = await desk.run(['leaderboard', ...args]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(said);
});

test('runs that have diverged are told of, with what they count by', async () => {
  const desk = await Desk.withLog();
  const ofRun = (seed: number, ...losses: (number | string)[]): object[] => {
    const key = { experiment_number: 1, dataset: 'iris', method: 'mlp', seed };
    return [
      { type: 'run_created', ...key },
      ...losses.map((loss, step) => ({ type: 'metric', ...key, elapsed_seconds: 1, step, loss })),
      { type: 'status_changed', ...key, status: 'completed' },
    ];
  };
  const events = [
    ...ofRun(1, 0.5, 0.7, 'NaN'),
    ...ofRun(2, 'NaN'),
    ...ofRun(3),
    ...ofRun(4, 0.6, 'Infinity'),
  ];
  await desk.run(['emit', '-'], { stdin: ndjson(...events) });
  const notes = async (...args: string[]): Promise<string[]> =>
    (await desk.run(['leaderboard', 'loss', ...args])).stdout.split('\n').slice(5, -1);
  expect(await notes()).toEqual([
    '2 runs have diverged, and count by their last finite value',
    '1 run has diverged without a value, and does not count',
    '1 run has no value, and does not count',
  ]);
  expect(await notes('--at', 'best', '--seed', '1')).toEqual([
    '1 run has diverged, and counts by its best finite value',
  ]);
  const { code, stdout } = await desk.run(['leaderboard', 'loss', '--seed', '2']);
  expect(code).toBe(0);
  expect(stdout).toContain('mlp     (0/1)');
  const { stdout: records, stderr } = await desk.run(['leaderboard', 'loss', '--json']);
  expect(JSON.parse(records)).toMatchObject([{ n: 2, seen: 4, diverged: 3 }]);
  expect(stderr).toContain('2 runs have diverged, and count by their last finite value\n');
});
