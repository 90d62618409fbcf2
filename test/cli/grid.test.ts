// runfold grid: expected against done.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runId } from '../../src/events/run-id.ts';
import { readGrid } from '../../src/grid/grid.ts';
import { Desk, ndjson } from './command.ts';

const GRID = [
  'dataset,method,seed,lr',
  'iris,mlp,1,0.1',
  'iris,mlp,2,0.1',
  'iris,cnn,1,0.2',
  'iris,cnn,2,0.2',
  'wine,mlp,1,0.1',
  'wine,mlp,2,0.1',
  'wine,cnn,1,0.2',
  '',
].join('\n');

type Status = 'pending' | 'running' | 'completed' | 'failed' | 'timeout';

function key(dataset: string, method: string, seed: number) {
  return { experiment_number: 1, dataset, method, subject: null, cl_info: null, seed };
}

function run(dataset: string, method: string, seed: number, status: Status, reason?: string): object[] {
  const ofRun = key(dataset, method, seed);
  return [
    { type: 'run_created', ...ofRun },
    { type: 'status_changed', ...ofRun, status, reason },
  ];
}

const SEEN = [
  run('iris', 'mlp', 1, 'completed'),
  run('iris', 'mlp', 2, 'completed'),
  run('iris', 'cnn', 1, 'completed'),
  run('iris', 'cnn', 2, 'failed', 'OUT_OF_MEMORY'),
  run('wine', 'mlp', 1, 'running'),
  run('wine', 'mlp', 2, 'timeout', 'TIMEOUT'),
  run('wine', 'knn', 1, 'completed'),
];

/** As a logger with `key_from_config=["lr"]` has it. */
const SEEN_WITH_LR = [['run_created', undefined] as const, ['status_changed', 'running'] as const].map(
  ([type, status]) => [{ type, ...key('iris', 'mlp', 1), cl_info: '{"lr":0.1}', status }],
);

async function deskWith(runs: object[][], grid = GRID): Promise<Desk> {
  const desk = await Desk.withLog();
  fs.writeFileSync(path.join(desk.cwd, 'grid.csv'), grid);
  await desk.run(['emit', '-'], { stdin: ndjson(...runs.flat()) });
  return desk;
}

test('a table of counts in the order of the file, the sum, and the line that submits the rest', async () => {
  const desk = await deskWith(SEEN);
  const { code, stdout, stderr } = await desk.run(['grid', 'grid.csv']);
  expect(stderr).toMatch(/^as of .*\n$/);
  expect(stdout).toBe(
    [
      'method  iris          wine',
      'mlp     2/2           0/2 1 running 1 timeout',
      'cnn     1/2 1 failed  0/1 1 missing',
      '',
      'total: 3 of 7 runs completed, 1 running, 1 timeout, 1 failed, 1 missing',
      'missing 1, failed 1, timeout 1: --array=4,6-7',
      'to submit them: runfold grid submit grid.csv JOB.sbatch',
      '1 run that was seen is not in the grid',
      '',
    ].join('\n'),
  );
  expect(code).toBe(0);
});

test('--array prints nothing but the list, of the states that are asked for', async () => {
  const desk = await deskWith(SEEN);
  const array = async (...args: string[]) => {
    const { code, stdout, stderr } = await desk.run(['grid', 'grid.csv', '--array', ...args]);
    return { code, stdout, said: stderr.replace(/^as of .*\n/, '') };
  };
  expect(await array()).toEqual({ code: 0, stdout: '4,6-7\n', said: '' });
  expect(await array('--only', 'failed,timeout')).toEqual({ code: 0, stdout: '4,6\n', said: '' });
  expect(await array('--only', 'running')).toEqual({ code: 0, stdout: '5\n', said: '' });
  expect(await array('--dataset', 'wine')).toEqual({ code: 0, stdout: '6-7\n', said: '' });
  // so that `sbatch --array="$(…)"` is not called with nothing, or says so if it is
  expect(await array('--only', 'pending')).toEqual({
    code: 1,
    stdout: '',
    said: 'no run is pending: 3 completed, 1 running, 1 timeout, 1 failed, 1 missing\n',
  });
  expect(await array('--method', 'svm')).toEqual({
    code: 1,
    stdout: '',
    said: 'no run is missing or failed or timeout: no row matches\n',
  });
});

test('--list has each cell that is not completed, with row, key, status, reason and run', async () => {
  const desk = await deskWith(SEEN);
  const { stdout } = await desk.run(['grid', 'grid.csv', '--list', '--json']);
  expect(JSON.parse(stdout)).toEqual(
    [
      { row: 4, ...key('iris', 'cnn', 2), status: 'failed', reason: 'OUT_OF_MEMORY' },
      { row: 5, ...key('wine', 'mlp', 1), status: 'running', reason: null },
      { row: 6, ...key('wine', 'mlp', 2), status: 'timeout', reason: 'TIMEOUT' },
      { row: 7, ...key('wine', 'cnn', 1), status: 'missing', reason: null },
    ].map((record) => ({
      ...record,
      run_id: runId(key(record.dataset, record.method, record.seed ?? 0)),
    })),
  );
  const table = await desk.run(['grid', 'grid.csv', '--list', '--only', 'failed']);
  expect(table.stdout.split('\n')[0]).toMatch(/^row +exp +dataset +method +seed +status +reason +run$/);
  expect(table.stdout.split('\n')).toHaveLength(3);
  const none = await desk.run(['grid', 'grid.csv', '--list', '--only', 'pending']);
  expect([none.code, none.stdout]).toEqual([0, '']);
  expect(none.stderr).toContain('no run is pending');
});

test('for programs one record for each row and column, and what is to be run again on stderr', async () => {
  const desk = await deskWith(SEEN);
  const { stdout, stderr } = await desk.run(['grid', 'grid.csv', '--json']);
  const record = { expected: 2, completed: 0, running: 0, pending: 0, timeout: 0, failed: 0, missing: 0 };
  expect(JSON.parse(stdout)).toEqual([
    { row: 'mlp', column: 'iris', ...record, completed: 2 },
    { row: 'mlp', column: 'wine', ...record, running: 1, timeout: 1 },
    { row: 'cnn', column: 'iris', ...record, completed: 1, failed: 1 },
    { row: 'cnn', column: 'wine', ...record, expected: 1, missing: 1 },
  ]);
  expect(stderr).toContain('--array=4,6-7\nto submit them: runfold grid submit grid.csv JOB.sbatch\n');
  const csv = await desk.run(['grid', 'grid.csv', '--format', 'csv', '--rows', 'lr', '--columns', 'seed']);
  expect(csv.stdout.split('\n').slice(0, 3)).toEqual([
    'row,column,expected,completed,running,pending,timeout,failed,missing',
    '0.1,1,2,1,1,0,0,0,0',
    '0.1,2,2,1,0,0,1,0,0',
  ]);
});

test('when all is done there is nothing to submit', async () => {
  const desk = await deskWith([run('iris', 'mlp', 1, 'completed')], 'dataset,method,seed\niris,mlp,1\n');
  expect((await desk.run(['grid', 'grid.csv'])).stdout).toBe(
    'method  iris\nmlp     1/1\n\ntotal: 1 of 1 run completed\n',
  );
  const array = await desk.run(['grid', 'grid.csv', '--array']);
  expect([array.code, array.stdout]).toEqual([1, '']);
  expect((await desk.run(['grid', 'grid.csv', '--list'])).stderr).toContain('all 1 run completed');
});

test('a list that fills a line gives way to the command that prints it', async () => {
  const rows = [...Array(100).keys()].map((seed) => `${seed}`);
  const odd = rows.filter((_, index) => index % 2 === 1);
  const desk = await deskWith(
    odd.map((seed) => run('default', 'default', Number(seed), 'completed')),
    `seed\n${rows.join('\n')}\n`,
  );
  const { stdout } = await desk.run(['grid', 'grid.csv', '--dataset', 'default']);
  expect(stdout).toContain(
    [
      'missing 50: --array="$(runfold grid grid.csv --array --dataset default)"',
      'to submit them: runfold grid submit grid.csv JOB.sbatch --array="$(runfold grid grid.csv --array --dataset default)"',
      '',
    ].join('\n'),
  );
});

test.each([
  [['--only', 'failed,timeout'], '--only failed,timeout'],
  [['--key-from-config', 'lr'], '--key-from-config lr'],
  [['--only', 'running', '--key-from-config', 'lr'], '--key-from-config lr --only running'],
  // grid submit does not choose by the key
  [['--dataset', 'wine'], '--array=6-7'],
  [['--dataset', 'wine', '--only', 'missing'], '--array=7'],
])('the line that submits has what chose the rows: %j', async (args, expected) => {
  const desk = await deskWith(args.includes('--key-from-config') ? SEEN_WITH_LR : SEEN);
  const { stdout } = await desk.run(['grid', 'grid.csv', ...args]);
  expect(stdout).toContain(`\nto submit them: runfold grid submit grid.csv JOB.sbatch ${expected}\n`);
});

test('a grid that means other runs than were seen says how it may differ', async () => {
  const desk = await deskWith([run('iris', 'mlp', 1, 'completed')], 'dataset,seed\niris,1\n');
  expect((await desk.run(['grid', 'grid.csv'])).stdout).toContain(
    '1 run that was seen is not in the grid: without a column method the grid means the name "default"',
  );
});

test('a hidden run is done all the same, and no other run', async () => {
  const desk = await deskWith(SEEN);
  await desk.run(['hide', runId(key('iris', 'mlp', 1)), runId(key('wine', 'knn', 1))]);
  const { stdout } = await desk.run(['grid', 'grid.csv']);
  expect(stdout).toContain('total: 3 of 7');
  expect(stdout).not.toContain('not in the grid');
});

test('--key-from-config finds the runs of a logger that does the same', async () => {
  const desk = await deskWith([], 'seed,lr\n1,0.1\n1,0.2\n');
  const ofRun = { ...key('default', 'default', 1), cl_info: '{"lr":0.2}' };
  const status = { type: 'status_changed', ...ofRun, status: 'completed' };
  await desk.run(['emit', '-'], { stdin: ndjson({ type: 'run_created', ...ofRun }, status) });
  const { code, stdout } = await desk.run(['grid', 'grid.csv', '--key-from-config', 'lr', '--array']);
  expect([code, stdout]).toEqual([0, '1\n']);
  const without = await desk.run(['grid', 'grid.csv']);
  expect(without.code).toBe(2);
  expect(without.stderr).toContain('--key-from-config lr');
});

test('without a file the product of what has been seen is expected', async () => {
  const desk = await deskWith(SEEN);
  const { stdout } = await desk.run(['grid']);
  // iris and wine, cnn, knn and mlp, seeds 1 and 2: 12, of which 7 were seen
  expect(stdout).toBe(
    [
      'method  iris           wine',
      'cnn     1/2 1 failed   0/2 2 missing',
      'knn     0/2 2 missing  1/2 1 missing',
      'mlp     2/2            0/2 1 running 1 timeout',
      '',
      'total: 4 of 12 runs completed, 1 running, 1 timeout, 1 failed, 5 missing',
      'missing 5, failed 1, timeout 1',
      '',
    ].join('\n'),
  );
  const filtered = await desk.run(['grid', '--dataset', 'iris', '--format', 'csv', '--columns', 'seed']);
  expect(filtered.stdout.split('\n').slice(1)).toEqual([
    'cnn,1,1,1,0,0,0,0,0',
    'cnn,2,1,0,0,0,0,1,0',
    'mlp,1,1,1,0,0,0,0,0',
    'mlp,2,1,1,0,0,0,0,0',
    '',
  ]);
  const list = await desk.run([
    'grid',
    '--list',
    '--only',
    'missing',
    '--method',
    'knn',
    '--seed',
    '1',
    '--seed',
    '2',
  ]);
  // knn was seen on wine with seed 1 alone
  expect(list.stderr).toContain('no run is missing');
});

test('--write makes a grid of it, with which one goes on', async () => {
  const desk = await deskWith(SEEN);
  const written = await desk.run(['grid', '--write', 'seen.csv']);
  expect([written.code, written.stdout]).toEqual([0, 'seen.csv: 12 rows\n']);
  const text = fs.readFileSync(path.join(desk.cwd, 'seen.csv'), 'utf8');
  expect(text.split('\n').slice(0, 2)).toEqual(['dataset,method,seed', 'iris,cnn,1']);
  expect(readGrid(text, 'seen.csv').rows).toHaveLength(12);
  const again = await desk.run(['grid', 'seen.csv', '--array', '--only', 'failed']);
  expect(again.stdout).toBe('2\n');
  const taken = await desk.run(['grid', '--write', 'seen.csv']);
  expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining('there is already seen.csv')]);
  expect((await desk.run(['grid', '--write', 'none.csv', '--method', 'svm'])).code).toBe(1);
  expect(fs.existsSync(path.join(desk.cwd, 'none.csv'))).toBe(false);
});

test('a log without runs, and a grid of which no row matches', async () => {
  const desk = await deskWith([]);
  const none = await desk.run(['grid']);
  expect([none.code, none.stdout]).toEqual([0, '']);
  expect(none.stderr).toContain('no runs yet');
  expect((await desk.run(['grid', 'grid.csv'])).stdout).toContain('missing 7: --array=1-7');
  const empty = await desk.run(['grid', 'grid.csv', '--seed', '9', '--json']);
  expect([empty.code, empty.stdout]).toEqual([0, '[]\n']);
  expect(empty.stderr).toContain('no row of grid.csv matches; there are 7');
});

test.each([
  [['grid', 'nothing.csv'], 'there is no such file'],
  [['grid', '--array'], '--write grid.csv'],
  [['grid', '--key-from-config', 'lr'], 'goes with a grid file'],
  [['grid', 'grid.csv', '--array', '--list'], '--list and --array are two answers'],
  [['grid', 'grid.csv', '--array', '--json'], 'in no other format'],
  [['grid', 'grid.csv', '--write', 'x.csv'], 'there is one already'],
  [['grid', 'grid.csv', '--status', 'failed'], '--only failed,timeout'],
  [['grid', 'grid.csv', '-w', 'seed<2'], '--where does not go with a grid file'],
  [['grid', 'grid.csv', '--only', 'lost'], 'States are completed'],
  [['grid', 'grid.csv', '--rows', 'wd'], 'a grid has no "wd"'],
  [['grid', '--rows', 'lr'], 'a grid has no "lr"'],
  [['grid', '--write', 'grid.json'], 'it ends in .csv'],
  [['grid', '--array', 'submit', 'grid.csv', 'job'], '--array stands before submit'],
])('%j is wrong usage', async (args, message) => {
  const desk = await deskWith([]);
  const { code, stdout, stderr } = await desk.run(args);
  expect(stderr).toContain(message);
  expect([code, stdout]).toEqual([2, '']);
});
