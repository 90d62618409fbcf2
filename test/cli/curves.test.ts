// runfold metrics and runfold plot, as commands.
import { expect, test } from 'vitest';
import { Desk, ndjson, type Ran } from './command.ts';

const HOSTILE = '\u001b[2J\u202e\u0007\r\nevil';

/** A log of runs; each has its own points. */
async function deskOf(
  ...runs: { method: string; seed: number; points: object[]; status?: string }[]
): Promise<Desk> {
  const desk = await Desk.withLog();
  for (const { method, seed, points, status = 'completed' } of runs) {
    const events = [
      { type: 'run_created', dataset: 'iris', method, seed },
      { type: 'status_changed', status: 'running' },
      ...points.map((point, index) => ({ type: 'metric', elapsed_seconds: index, ...point })),
      { type: 'status_changed', status },
    ];
    expect((await desk.run(['emit', '-'], { stdin: ndjson(...events) })).code).toBe(0);
  }
  return desk;
}

function losses(length: number, loss: (epoch: number) => number | string): object[] {
  return Array.from({ length }, (_, index) => ({ epoch: index + 1, loss: loss(index + 1) }));
}

/** Without the line that says as of when. */
function notes({ stderr }: Ran): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('as of '));
}

test('a plot of two methods, with what it leaves out on stderr', async () => {
  const desk = await deskOf(
    { method: 'mlp', seed: 1, points: losses(10, (epoch) => 1 / epoch) },
    { method: 'mlp', seed: 2, points: losses(10, (epoch) => (epoch > 7 ? 'NaN' : 2 / epoch)) },
    { method: 'cnn', seed: 1, points: losses(10, (epoch) => 0.5 + epoch / 100) },
  );
  const plotted = await desk.run(['plot', 'loss', '--width', '60', '--height', '10']);
  expect(plotted.code).toBe(0);
  expect(plotted.stdout).toContain('loss by method, mean over runs, ░ one standard deviation\n');
  expect(plotted.stdout).toContain('\n● cnn (1 run)\n■ mlp (2 runs; □ where it is of fewer, down to 1)\n');
  expect(plotted.stdout.split('\n').every((line) => line === line.trimEnd() && line.length <= 60)).toBe(true);
  expect(notes(plotted)).toEqual([
    expect.stringMatching(/^mlp, 1 of 2 runs: loss is NaN from epoch 8 \(\w{16}\); /),
  ]);

  const numbers = await desk.run(['plot', 'loss', '--format', 'csv', '--band', 'minmax', '--method', 'mlp']);
  const lines = numbers.stdout.split('\n');
  expect(lines[0]).toBe('group,x,mean,low,high,n');
  expect(lines[1]).toBe('mlp,1,1.5,1,2,2');
  expect(lines[10]).toBe('mlp,10,0.1,0.1,0.1,1');
});

test('more curves than marks: the others are named; programs get all', async () => {
  const desk = await deskOf(
    ...Array.from({ length: 8 }, (_, seed) => ({ method: 'm', seed, points: losses(3, () => seed + 1) })),
  );
  const plotted = await desk.run(['plot', 'loss', '--by', 'seed']);
  expect(plotted.stdout.match(/^[●■▲◆▼★] /gm)).toHaveLength(6);
  expect(notes(plotted)).toEqual([
    expect.stringMatching(/^not drawn, 2 more curves: .*--format csv has them$/),
  ]);
  const { stdout } = await desk.run(['plot', 'loss', '--by', 'seed', '--json']);
  expect(new Set((JSON.parse(stdout) as { group: number }[]).map(({ group }) => group)).size).toBe(8);
});

test('nothing to draw is said, and so is what has no logarithm', async () => {
  const desk = await deskOf(
    { method: 'nan', seed: 1, points: losses(3, () => 'NaN') },
    { method: 'low', seed: 1, points: losses(3, (epoch) => epoch - 2) },
  );
  const nothing = await desk.run(['plot', 'loss', '--method', 'nan']);
  expect([nothing.code, nothing.stdout]).toEqual([0, '']);
  expect(notes(nothing)).toEqual([
    'nothing can be drawn of loss',
    expect.stringMatching(/^loss is NaN from epoch 1 /),
  ]);
  const log = await desk.run(['plot', 'loss', '--method', 'low', '--log']);
  expect(notes(log)).toEqual(['left out: 2 values at or below 0, which have no logarithm']);
  const logX = await desk.run(['plot', 'loss', '--method', 'low', '--log-x', '--x', 'elapsed']);
  expect(notes(logX)).toEqual(['left out: 1 point at seconds 0 or below, which have no logarithm']);
});

test('names act nowhere', async () => {
  const points = [1, 2].map((epoch) => ({ epoch, extra: { [HOSTILE]: epoch } }));
  const desk = await deskOf(
    ...Array.from({ length: 8 }, (_, seed) => ({ method: `${seed}${HOSTILE}`, seed, points })),
    { method: 'nan', seed: 9, points: [{ epoch: 1, extra: { [HOSTILE]: 'NaN' } }] },
  );
  const commands = [
    ['plot', HOSTILE],
    ['plot', HOSTILE, '--by', 'none'],
    ['plot', HOSTILE, '--method', 'nan'],
    ['plot', HOSTILE, '--format', 'table'],
    ['plot', HOSTILE, '--format', 'csv'],
    ['plot', 'no such'],
    ['metrics', '@last'],
    ['metrics', '@last', '--plot'],
    ['metrics', '@last', '--name', HOSTILE, '--json'],
    ['metrics', '@last', '--name', 'no such'],
  ];
  for (const command of commands) {
    const { stdout, stderr } = await desk.run(command);
    expect(stdout + stderr, command.join(' ')).toMatch(/evil/);
    // CSV keeps line feeds, within quotes
    expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(/\p{C}|\p{Zl}|\p{Zp}/u);
  }
});

test('points as a table, a part of them, and all', async () => {
  const desk = await deskOf({ method: 'm', seed: 1, points: losses(100, (epoch) => epoch / 8) });
  const table = await desk.run(['metrics', '@last']);
  expect(table.stdout.split('\n').slice(0, 2)).toEqual([
    'epoch  elapsed_seconds   loss',
    '    1                0  0.125',
  ]);
  const shown = table.stdout.trimEnd().split('\n').length - 1;
  expect(shown).toBeGreaterThan(30);
  expect(shown).toBeLessThanOrEqual(40);
  expect(table.stdout).toMatch(/^ {2}100 +99 +12.5$/m);
  expect(notes(table)).toEqual([`${shown} of 100 points, the extremes among them; --points all shows all`]);
  const all = await desk.run(['metrics', '@last', '--points', 'all', '--from', '11', '--to', '20']);
  expect(all.stdout.trimEnd().split('\n')).toHaveLength(11);
  expect(notes(all)).toEqual([]);
});

test('metrics without room are left out, those that were named go below', async () => {
  const names = Array.from({ length: 9 }, (_, index) => `metric-${index}`);
  const extra = Object.fromEntries(names.map((name, index) => [name, index + 0.123]));
  const desk = await deskOf({ method: 'm', seed: 1, points: [{ step: 1, extra }] });
  const all = await desk.run(['metrics', '@last'], { columns: 60 });
  expect(all.stdout).toMatch(/^step +elapsed_seconds +metric-0 +metric-1 +metric-2\n/);
  expect(notes(all)).toEqual([
    '6 columns left out (metric-3, metric-4, metric-5, metric-6, metric-7, metric-8): --name or a wider terminal shows them',
  ]);
  const named = await desk.run(['metrics', '@last', ...names.flatMap((name) => ['--name', name])], {
    columns: 60,
  });
  for (const line of named.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
  for (const name of names) expect(named.stdout).toContain(name);
  expect(notes(named)).toEqual([]);
});

test('a part of the points is said to be one, and to have the extremes if it must have them', async () => {
  const desk = await deskOf({ method: 'm', seed: 1, points: losses(100, (epoch) => epoch / 8) });
  const said = async (...args: string[]): Promise<string[]> => notes(await desk.run(['metrics', ...args]));
  expect(await said('@last', '--name', 'loss', '--points', '5')).toEqual([
    expect.stringMatching(/^[345] points, the extremes among them; --points all shows all$/),
  ]);
  expect(await said('@last', '--name', 'loss', '--points', '3')).toEqual([
    expect.stringMatching(/^[23] points; --points all shows all$/),
  ]);
});

test('a range without points says where they are', async () => {
  const desk = await deskOf({ method: 'm', seed: 1, points: losses(40, (epoch) => epoch / 8) });
  const said = async (...args: string[]): Promise<string[]> => {
    const ran = await desk.run(['metrics', '@last', ...args]);
    expect(ran.code).toBe(0);
    return notes(ran);
  };
  expect(await said('--from', '50')).toEqual(['no points from 50 on; the last is 40']);
  expect(await said('--from', '50', '--json')).toEqual(['no points from 50 on; the last is 40']);
  expect(await said('--to', '0.5')).toEqual(['no points up to 0.5; the first is 1']);
  expect(await said('--from', '50', '--to', '60')).toEqual([
    'no points from 50 to 60; they are from 1 to 40',
  ]);
  expect(await said('--from', '50', '--plot')).toContain('no points from 50 on; the last is 40');
  expect(await said('--from', '40')).toEqual([]);
  const placeless = await deskOf({ method: 'm', seed: 1, points: [{ loss: 1 }] });
  expect(notes(await placeless.run(['metrics', '@last', '--from', '1']))).toEqual([
    'no points from 1 on; none has a step or an epoch',
  ]);
});

test('CSV, NDJSON and JSON have the same points, those that are not finite by name', async () => {
  const points = [
    { step: 1, loss: 'NaN', extra: { acc: 0.5, step: 7 } },
    { step: 2, f1: 1, extra: { acc: '-Infinity' } },
  ];
  const desk = await deskOf({ method: 'm', seed: 1, points });
  const expected = [
    { epoch: null, step: 1, elapsed_seconds: 0, loss: 'NaN', f1: null, acc: 0.5, 'extra.step': 7 },
    { epoch: null, step: 2, elapsed_seconds: 1, loss: null, f1: 1, acc: '-Infinity', 'extra.step': null },
  ];
  const json = await desk.run(['metrics', '@last', '--json']);
  expect(JSON.parse(json.stdout)).toEqual(expected);
  const lines = await desk.run(['metrics', '@last', '--format', 'ndjson']);
  expect(
    lines.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(expected);
  const csv = await desk.run(['metrics', '@last', '--format', 'csv']);
  expect(csv.stdout).toBe(
    'epoch,step,elapsed_seconds,loss,f1,acc,extra.step\n,1,0,NaN,,0.5,7\n,2,1,,1,-Infinity,\n',
  );
});

test('a long run comes out whole, with one heading', async () => {
  const desk = await deskOf({ method: 'm', seed: 1, points: losses(2345, (epoch) => epoch) });
  const csv = (await desk.run(['metrics', '@last', '--format', 'csv'])).stdout.trimEnd().split('\n');
  expect(csv).toEqual([
    'epoch,step,elapsed_seconds,loss',
    ...Array.from({ length: 2345 }, (_, index) => `${index + 1},,${index},${index + 1}`),
  ]);
});

test('extra. may stand before the name of any metric without a column', async () => {
  const points = [{ epoch: 1, loss: 1, extra: { acc: 0.5, loss: 9 } }];
  const desk = await deskOf({ method: 'm', seed: 1, points });
  const named = async (name: string, ...more: string[]): Promise<Ran> =>
    await desk.run(['metrics', '@last', '--name', name, ...more]);
  expect((await named('extra.acc', '--format', 'csv')).stdout).toBe(
    (await named('acc', '--format', 'csv')).stdout,
  );
  expect((await named('extra.loss', '--format', 'csv')).stdout).toContain('extra.loss');
  expect((await named('extra.acc', '--plot')).code).toBe(0);
  expect((await named('extra.f1')).code).toBe(2);
});

test('metrics that are named share a picture; else each has its own', async () => {
  const points = [1, 2, 3].map((epoch) => ({ epoch, loss: epoch === 3 ? 'NaN' : epoch, f1: epoch / 4 }));
  const desk = await deskOf({ method: 'm', seed: 1, points });
  const shared = await desk.run(['metrics', '@last', '--plot', '--name', 'loss', '--name', 'f1']);
  expect(shared.stdout).toMatch(/^loss, f1 of run \w{16}\n/);
  expect(shared.stdout).toMatch(/\n● loss\n■ f1\n$/);
  expect(notes(shared)).toEqual([expect.stringMatching(/^loss is NaN from epoch 3 /)]);
  const alone = await desk.run(['metrics', '@last', '--plot', '--from', '2']);
  expect(alone.stdout.match(/^(loss|f1) of run/gm)).toEqual(['loss of run', 'f1 of run']);
});

test('superseded points only with --all', async () => {
  const desk = await deskOf(
    { method: 'm', seed: 1, points: losses(2, () => 5) },
    { method: 'm', seed: 1, points: [...losses(1, () => 6), { epoch: 2, extra: { new: 1 } }] },
  );
  const view = await desk.run(['metrics', '@last', '--format', 'csv']);
  expect(view.stdout).toBe('epoch,step,elapsed_seconds,loss,new\n1,,0,6,\n2,,1,,1\n');
  const all = await desk.run(['metrics', '@last', '--format', 'csv', '--all']);
  expect(all.stdout).toBe(
    'epoch,step,elapsed_seconds,loss,new,superseded\n1,,0,5,,true\n2,,1,5,,true\n1,,0,6,,false\n2,,1,,1,false\n',
  );
});

test('a run without metrics is told so', async () => {
  const desk = await deskOf({ method: 'm', seed: 1, points: [] });
  const table = await desk.run(['metrics', '@last']);
  expect([table.code, ...notes(table)]).toEqual([0, expect.stringMatching(/^run \w+ has no metrics$/)]);
});

test.each([
  [['metrics', '@last', '--log'], '--log is for a plot alone'],
  [['metrics', '@last', '--plot', '--json'], '--json is not for a plot'],
  [['metrics', '@last', '--plot', '--all'], '--all is not for a plot'],
  [['metrics', '@last', '--points', '1'], 'from 2, or all'],
  [['metrics', '@last', '--name', 'f1'], 'has a metric "f1"; there is: loss'],
  [['plot', 'f1'], 'no completed or running run has a metric "f1"; there is: loss'],
  [['plot', 'loss', '--width', '4'], 'from 5 to 1000'],
  [['plot', 'loss', '--smooth', '1'], 'It must be a number from 0 to below 1.'],
  [['plot', 'loss', '--by', 'nosuch'], 'there is no field "nosuch"'],
  [['plot', 'loss', '--band', 'sem'], 'Allowed choices are std, minmax, none'],
])('%j is wrong usage', async (command, message) => {
  const desk = await deskOf({ method: 'm', seed: 1, points: losses(3, () => 1) });
  const { code, stdout, stderr } = await desk.run(command);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});

test.each(['-0.1', '1', '1.5', 'NaN', 'x'])(
  '--smooth %s is refused before the log is read',
  async (weight) => {
    const desk = await deskOf({ method: 'm', seed: 1, points: losses(2, () => 1) });
    for (const args of [
      ['plot', 'loss'],
      ['metrics', '@last', '--plot'],
    ]) {
      const { code, stdout, stderr } = await desk.run([...args, '--smooth', weight]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('It must be a number from 0 to below 1.');
      expect(stderr).not.toContain('as of');
    }
  },
);
