// Names that nobody has, and what is said of them.
import { describe, expect, test } from 'vitest';
import { Desk, ndjson } from './command.ts';

const KEY = { experiment_number: 1, dataset: 'iris', method: 'mlp' };

async function desk(): Promise<Desk> {
  const made = await Desk.withLog();
  const { stderr } = await made.run(['emit', '-'], {
    stdin: ndjson(
      {
        type: 'run_created',
        ...KEY,
        seed: 1,
        config: { lr: 0.1, optimizer: { momentum: 0.9 } },
        tags: ['base'],
      },
      { type: 'metric', elapsed_seconds: 1, epoch: 1, loss: 0.5, extra: { 'val/acc': 0.7 } },
      { type: 'result', results: { test_accuracy: 0.75 } },
      { type: 'status_changed', status: 'completed', attempt: undefined },
      { type: 'run_created', ...KEY, dataset: 'wine', seed: 2 },
    ),
    env: { RUNFOLD_ATTEMPT: 'a1' },
  });
  expect(stderr).toBe('5 events written\n');
  return made;
}

describe('a field that makes sense and no run has is told, and the answer is given', () => {
  test.each<[string[], string[]]>([
    [
      ['runs', '--sort', '-final.lss'],
      ['no run has final.lss; there are loss, val/acc; did you mean final.loss?'],
    ],
    [['runs', '--sort', '-final.f1'], ['no run has final.f1; there are loss, val/acc']],
    [
      ['runs', '--select', 'final.los,config.nonex,results.test_acuracy,dataset'],
      [
        'no run has final.los; there are loss, val/acc; did you mean final.loss?',
        'no run has config.nonex; there are lr, optimizer.momentum',
        'no run has results.test_acuracy; there is test_accuracy; did you mean results.test_accuracy?',
      ],
    ],
    [
      ['runs', '-w', 'config.optimizer.momentom!=3', '--json'],
      [
        'no run has config.optimizer.momentom; there are lr, optimizer.momentum; did you mean config.optimizer.momentum?',
      ],
    ],
    [
      ['leaderboard', 'loss', '--rows', 'config.LR', '--columns', 'results.nope'],
      [
        'no run has config.LR; there are lr, optimizer.momentum; did you mean config.lr?',
        'no run has results.nope; there is test_accuracy',
      ],
    ],
    [
      ['plot', 'loss', '--by', 'config.lrr', '--format', 'csv'],
      ['no run has config.lrr; there are lr, optimizer.momentum; did you mean config.lr?'],
    ],
    [
      ['errors', '-w', 'config.lrr=3'],
      ['no run has config.lrr; there are lr, optimizer.momentum; did you mean config.lr?'],
    ],
  ])('%j', async (args, said) => {
    const { code, stderr } = await (await desk()).run(args);
    expect(code).toBe(0);
    expect(stderr.split('\n').filter((line) => line.startsWith('no run has '))).toEqual(said);
  });

  test('one that some run has, hidden or not, is passed over in silence', async () => {
    const at = await desk();
    const fields = 'final.loss,config.lr,config.optimizer,min.val/acc,results.test_accuracy,subject';
    expect((await at.run(['runs', '--select', fields, '--sort', 'final.loss'])).stderr).toMatch(
      /^as of \S+\n$/,
    );
    await at.run(['hide', '@last']);
    expect((await at.run(['runs', '--dataset', 'wine', '--hidden'])).stderr).toMatch(/^as of \S+\n$/);
  });
});

test.each<[string[], RegExp]>([
  [['runs', '--select', 'methd'], /there is no field "methd"\n {2}Did you mean method\?/],
  [['runs', '-w', 'lr<0.1'], /there is no field "lr"\n {2}Did you mean config\.lr\?/],
  [['runs', '--sort', '-val/acc'], /there is no field "val\/acc"\n {2}Did you mean final\.val\/acc\?/],
  [['runs', '--sort', 'lss'], /there is no field "lss"\n {2}Did you mean final\.loss\?/],
  [['runs', '--select', 'best.lss'], /\n {2}Did you mean best\.loss\?/],
  [['leaderboard', 'loss', '--rows', 'metod'], /there is no field "metod"\n {2}Did you mean method\?/],
  [['plot', 'loss', '--by', 'dataste'], /there is no field "dataste"\n {2}Did you mean dataset\?/],
  [['plot', 'lss'], /a metric "lss"; there are: loss, val\/acc\n {2}Did you mean loss\?/],
  [['leaderboard', 'tes_accuracy'], /no run has a metric or result "tes_accuracy"\n {2}Did you mean/],
  [
    ['leaderboard', 'results.tes_accuracy'],
    /no run has a result .*\n {2}Did you mean "results\.test_accuracy"\?/,
  ],
  [
    ['metrics', '--name', 'los', 'HERE'],
    /no point of run \w+ has a metric "los"; .*\n {2}Did you mean loss\?/,
  ],
  [['emit', 'metrics', '--loss', '1'], /"metrics" is no type of event\n {2}Did you mean metric\?/],
  [['emit', 'foo'], /"foo" is no type of event\n {2}There are: run-created, status-changed, metric,/],
  [['emit', '-', '--datset', 'iris'], /emit has no option --datset\n {2}Did you mean --dataset\?/],
  [['emit', '--datst=x'], /emit has no option --datst=x\n/],
  [['emit', '-', 'more'], /too many arguments: "more"/],
  [['help', 'rusn'], /there is no command "rusn"\n {2}Did you mean runs\?/],
  [['help', 'nonsense'], /there is no command "nonsense"\n {2}runfold --help lists the commands/],
  [['help', 'emit', 'metrik'], /there is no command "emit metrik"\n {2}Did you mean emit metric\?/],
  [['runs', '--statsu', 'failed'], /\(runfold runs --help lists its options\)/],
  [['emit', 'metric', '--los', '1'], /\(runfold emit metric --help lists its options\)/],
  [['snyc'], /\(runfold --help lists the commands\)/],
])('%j: what was meant, perhaps', async (args, said) => {
  const at = await desk();
  const [run] = JSON.parse((await at.run(['runs', '--dataset', 'iris', '--json'])).stdout) as {
    run_id: string;
  }[];
  const { code, stdout, stderr } = await at.run(args.map((arg) => (arg === 'HERE' ? `${run?.run_id}` : arg)));
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(said);
});

test('a value of the key, or a tag, that no run has is told with those that there are', async () => {
  const at = await desk();
  const said = async (...args: string[]): Promise<string> => (await at.run(args)).stderr;
  expect(await said('runs', '--dataset', 'irs')).toContain(
    'no run has dataset irs; there are iris, wine; did you mean iris?\nno run matches; there are 2 in all\n',
  );
  expect(await said('runs', '--dataset', 'iris', '--dataset', 'wein')).toContain('no run has dataset wein;');
  expect(await said('leaderboard', 'loss', '--method', 'ml')).toContain('did you mean mlp?');
  expect(await said('plot', 'loss', '--seed', '7')).toContain('no run has seed 7; there are 1, 2\n');
  expect(await said('runs', '--exp', '2')).toContain('no run has experiment 2; there is 1\n');
  expect(await said('errors', '--tag', 'bas')).toContain('no run has tag bas; there is base; did you mean');
  expect(await said('runs', '--subject', 's1', '--active')).toContain('no run has subject s1\n');
  expect(await said('runs', '--variant', 'x')).toContain('no run has variant x\n');
});

test.each<[string[], RegExp]>([
  [['results.x>'], /"results\.x>" has no value/],
  [['dataset='], /has no value\n.*dataset=""/],
  [['config.lr<<0.01'], /"config\.lr<<0\.01" has two operators\n.*config\.lr<"<0\.01"/],
  [['config.lr=<0.01'], /two operators/],
  [['config.lr === 1'], /two operators/],
  [['created_at>yesterday'], /created_at .*must be a time.*"yesterday"/],
  [['finished<=2026-13'], /must be a time/],
  [['started_at>12:00'], /must be a time/],
])('-w %j is wrong usage', async ([condition = ''], said) => {
  const { code, stdout, stderr } = await (await desk()).run(['runs', '-w', condition]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(said);
});

test('times are compared as times, whatever their offset, or by as much of them as is given', async () => {
  const at = await Desk.withLog();
  const created = (seed: number, ts: string): object => ({ type: 'run_created', ...KEY, seed, ts });
  await at.run(['emit', '-'], {
    stdin: ndjson(created(1, '2026-03-01T10:00:00.500Z'), created(2, '2026-03-02T00:30:00Z')),
  });
  const seeds = async (condition: string): Promise<unknown> => {
    const { stdout } = await at.run([
      'runs',
      '-w',
      condition,
      '--select',
      'seed',
      '--sort',
      'seed',
      '--json',
    ]);
    return (JSON.parse(stdout) as { seed: number }[]).map(({ seed }) => seed);
  };
  expect(await seeds('created_at>2026')).toEqual([1, 2]);
  expect(await seeds('created_at>=2026-03-02')).toEqual([2]);
  expect(await seeds('created<2026-03-01T10:00')).toEqual([]);
  expect(await seeds('created_at>2026-03-01T10:00:00Z')).toEqual([1, 2]);
  expect(await seeds('created_at<2026-03-02T01:00:00+01:00')).toEqual([1]);
});

test('text in double quotes may be empty, or begin as an operator does', async () => {
  const at = await Desk.withLog();
  await at.run(['emit', 'run-created', '--seed', '1', '--notes', '<3', '--config', 'a=']);
  const found = async (condition: string): Promise<unknown> =>
    JSON.parse((await at.run(['runs', '-w', condition, '--select', 'seed', '--json'])).stdout);
  expect(await found('notes="<3"')).toEqual([{ seed: 1 }]);
  expect(await found('config.a=""')).toEqual([{ seed: 1 }]);
  expect(await found('notes~!')).toEqual([]);
});

test('names from the log act nowhere in what is said of them', async () => {
  const HOSTILE = '\u001b[2J\u202e\u0007\r\nevil';
  const at = await Desk.withLog();
  await at.run(['emit', '-'], {
    stdin: ndjson(
      {
        type: 'run_created',
        ...KEY,
        dataset: HOSTILE,
        seed: 1,
        config: { [HOSTILE]: 1, __proto__x: 1 },
        tags: [HOSTILE],
      },
      { type: 'metric', elapsed_seconds: 1, extra: { [HOSTILE]: 1 } },
      { type: 'result', results: { [HOSTILE]: 1 } },
      { type: 'status_changed', status: 'running' },
    ),
  });
  for (const args of [
    ['runs', '--select', `config.x,results.x,final.x,final.${HOSTILE}x`, '--dataset', 'x', '--tag', 'x'],
    ['runs', '--sort', `${HOSTILE}x`],
    ['plot', 'x'],
    ['plot', `${HOSTILE}x`],
    ['leaderboard', 'x'],
    ['leaderboard', `${HOSTILE}x`],
    ['runs', '-w', `x${HOSTILE}=1`],
  ]) {
    const { stdout, stderr } = await at.run(args);
    expect(stderr, args.join(' ')).toMatch(/evil/);
    expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(/\p{C}|\p{Zl}|\p{Zp}/u);
  }
});
