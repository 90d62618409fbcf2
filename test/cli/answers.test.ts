// The commands that answer from the database, and those with which people say something of a run.
import { describe, expect, test } from 'vitest';
import { runId } from '../../src/events/run-id.ts';
import { Desk, ndjson } from './command.ts';

const KEY = { experiment_number: 1, dataset: 'iris', method: 'mlp', subject: null, cl_info: null, seed: 1 };
const MLP = runId(KEY);
const FOREST = runId({ ...KEY, method: 'forest', seed: 2 });
const SILENT = runId({ ...KEY, method: 'svm', seed: 3 });
const PYTHON =
  'Traceback (most recent call last):\n  File "/home/ada/train.py", line 41, in step\nValueError: bad\n';

/** One run that went well, one that diverged and raised, one that says nothing any more. */
async function desk(): Promise<Desk> {
  const made = await Desk.withLog();
  const { run_id: _, ...key } = { ...KEY, run_id: MLP };
  const events = [
    { type: 'run_created', ...key, config: { lr: 0.1, deep: { width: 3 } }, tags: ['base'] },
    { type: 'status_changed', status: 'running' },
    { type: 'metric', elapsed_seconds: 1, epoch: 1, loss: 0.5, f1: 0.8, extra: { 'val/acc': 0.7 } },
    { type: 'metric', elapsed_seconds: 2, epoch: 2, loss: 0.25, f1: 0.9, extra: { 'val/acc': 0.8 } },
    { type: 'result', results: { test_acc: 0.75 } },
    { type: 'status_changed', status: 'completed', exit_code: 0 },
    { type: 'run_created', ...key, method: 'forest', seed: 2, config: { lr: 0.2 } },
    { type: 'status_changed', status: 'running' },
    { type: 'metric', elapsed_seconds: 1, epoch: 1, loss: 0.5 },
    { type: 'metric', elapsed_seconds: 2, epoch: 2, loss: 'NaN', extra: { 'val/acc': 'Infinity' } },
    { type: 'error', exception_type: 'ValueError', message: 'bad\nvalue', traceback: PYTHON },
    { type: 'status_changed', status: 'failed', exit_code: 1 },
    { type: 'run_created', ...key, method: 'svm', seed: 3 },
    { type: 'status_changed', status: 'running' },
  ];
  const { stderr } = await made.run(['emit', '-'], {
    stdin: ndjson(...events),
    env: { RUNFOLD_ATTEMPT: 'a1' },
  });
  expect(stderr).toBe('14 events written\n');
  return made;
}

/** What JSON a command prints. */
async function json(at: Desk, args: readonly string[]): Promise<unknown> {
  const { code, stdout } = await at.run([...args, '--json']);
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

function squeezed(text: string): string {
  return text.replaceAll(/ {2,}/g, '  ').replaceAll(/[\d.]+ s( ago)?/g, '<time>$1');
}

describe('runs', () => {
  test('shows what tells something: NaN for what diverged, the type of the error for the reason', async () => {
    const { stdout, stderr } = await (await desk()).run(['runs', '--sort', 'seed']);
    expect(squeezed(stdout)).toBe(
      [
        'run  status  reason  dataset  method  seed  epoch  loss  f1  val/acc  test_acc  started  took  tags',
        `${MLP.slice(0, 8)}  completed  -  iris  mlp  1  2  0.25  0.9  0.8  0.75  <time> ago  <time>  base`,
        `${FOREST.slice(0, 8)}  failed  ValueError  iris  forest  2  2  NaN  -  Infinity  -  <time> ago  <time>`,
        `${SILENT.slice(0, 8)}  running  -  iris  svm  3  -  -  -  -  -  <time> ago  -`,
        '',
      ].join('\n'),
    );
    expect(stderr).toMatch(/^as of .*Z\n$/);
  });

  test.each<[string[], string[]]>([
    [
      ['--method', 'mlp', '--method', 'svm'],
      [MLP, SILENT],
    ],
    [
      ['--status', 'failed,running'],
      [FOREST, SILENT],
    ],
    [['--seed', '2'], [FOREST]],
    [['--tag', 'base'], [MLP]],
    [['-w', 'config.lr<0.15'], [MLP]],
    [['-w', 'config.lr!=null', '-w', 'final.loss>0.3'], [FOREST]],
    [['--limit', '1', '--offset', '1'], [FOREST]],
    [['--exp', '2'], []],
    [['--hidden'], [MLP, FOREST, SILENT]],
  ])('%j', async (args, ids) => {
    const found = await json(await desk(), ['runs', '--sort', 'seed', ...args]);
    expect((found as { run_id: string }[]).map(({ run_id }) => run_id)).toEqual(ids);
  });

  test('as JSON it has all columns of a run and its results', async () => {
    const [found] = (await json(await desk(), ['runs', '--seed', '1'])) as object[];
    expect(found).toMatchObject({
      run_id: MLP,
      status: 'completed',
      config: { lr: 0.1, deep: { width: 3 } },
      tags: ['base'],
      hidden: false,
      best_loss: 0.25,
      extra: { 'val/acc': { min: 0.7, max: 0.8, final: 0.8 } },
      results: { test_acc: 0.75 },
    });
  });

  test('--select has the fields that were named, by these names', async () => {
    const at = await desk();
    const fields = 'seed,variant,config.deep.width,max.val/acc,hidden';
    expect(await json(at, ['runs', '--select', fields, '--sort', '-seed', '--limit', '0'])).toEqual([
      { seed: 3, variant: null, 'config.deep.width': null, 'max.val/acc': null, hidden: false },
      { seed: 2, variant: null, 'config.deep.width': null, 'max.val/acc': null, hidden: false },
      { seed: 1, variant: null, 'config.deep.width': 3, 'max.val/acc': 0.8, hidden: false },
    ]);
    const { stdout } = await at.run([
      'runs',
      '--select',
      'seed,config."deep",status',
      '--seed',
      '1',
      '--format',
      'csv',
    ]);
    expect(stdout).toBe('seed,"config.""deep""",status\n1,"{""width"":3}",completed\n');
  });

  test('--active has those that have not ended', async () => {
    const at = await desk();
    expect(await json(at, ['runs', '--active'])).toMatchObject([
      { run_id: SILENT, status: 'running', newest_line_at: expect.stringMatching(/Z$/) as string },
    ]);
    expect((await at.run(['runs', '--active', '--seed', '1'])).stderr).toContain(
      'nothing is pending or running',
    );
  });

  test('says how many it leaves out, and if nothing matches', async () => {
    const at = await desk();
    expect((await at.run(['runs', '--limit', '2'])).stderr).toContain('2 of 3 runs; --limit 0 shows all');
    expect((await at.run(['runs', '--limit', '3'])).stderr).not.toContain(' of 3 runs');
    const none = await at.run(['runs', '--dataset', 'wine']);
    expect(none).toMatchObject({ code: 0, stdout: '' });
    expect(none.stderr).toContain('no run matches; there are 3 in all');
    expect((await (await Desk.withLog()).run(['runs'])).stderr).toContain('no runs yet');
    const unknown = await at.run(['runs', '-w', 'config.LR<1', '-w', 'max.acc>0', '-w', 'config.lr<9']);
    expect(unknown.stderr).toContain(
      'no run has config.LR; there are lr, deep.width; did you mean config.lr?\n',
    );
    expect(unknown.stderr).toContain('no run has max.acc; there are loss, f1, val/acc\n');
    expect(unknown.stderr).not.toContain('no run has config.lr;');
  });

  test('says that a sweep may be hiding in one key', async () => {
    const at = await desk();
    const again = { type: 'run_created', ...KEY, config: { lr: 0.3 } };
    await at.run(['emit', '-'], { stdin: ndjson(again), env: { RUNFOLD_ATTEMPT: 'a2' } });
    expect((await at.run(['runs'])).stderr).toContain(`run ${MLP} was started over with another config`);
  });

  test.each<[string[], RegExp]>([
    [['-w', 'acc>0.5'], /there is no field "acc"\n {2}A field is/],
    [['-w', 'nonsense'], /is not a condition/],
    [['--status', 'done'], /status must be one of/],
    [['--select', 'a,,b'], /list such as a,b/],
    [['--sort', 'foo'], /there is no field "foo"/],
    [['--limit', '-1'], /'-1' is invalid\. It must be a whole number from 0\./],
    [['--offset', '-1'], /'-1' is invalid\. It must be a whole number from 0\./],
    [['--format', 'xml'], /xml/],
    [['--format', 'csv', '--json'], /two formats/],
    [['--statsu', 'failed'], /Did you mean --status/],
  ])('%j is wrong usage, with the mend', async (args, said) => {
    const { code, stdout, stderr } = await (await desk()).run(['runs', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(said);
  });
});

describe('show', () => {
  test('has everything about a run, for people', async () => {
    const { stdout } = await (await desk()).run(['show', FOREST.slice(0, 6)]);
    for (const line of [
      `run         ${FOREST}`,
      'status      failed, exit code 1',
      '  lr  0.2',
      '  loss     final NaN, best 0.5 at epoch 1',
      '  val/acc  Infinity',
      String.raw`ValueError: bad\nvalue`,
      `tracebacks: runfold errors ${FOREST}`,
    ]) {
      expect(stdout).toContain(line);
    }
  });

  test('and as JSON', async () => {
    expect(await json(await desk(), ['show', '@last'])).toMatchObject({
      run: { attempt_count: 1 },
      attempts: [{}],
    });
    expect(await json(await desk(), ['show', MLP])).toMatchObject({
      run: { run_id: MLP },
      results: { best_f1: 0.9 },
      diverged: {},
      errors: [],
      slurm_jobs: [],
    });
  });

  test.each(['zzzz', '', 'i', '@first'])('%j is no run, and it says what is', async (id) => {
    const { code, stderr } = await (await desk()).run(['show', id]);
    expect(code).toBe(1);
    expect(stderr).toContain('first few will do, or @last');
  });
});

describe('errors', () => {
  test('in groups, and how many runs failed without one', async () => {
    const at = await desk();
    await at.run(['emit', 'run-created', '--seed', '9', '--attempt', 'x']);
    await at.run(['emit', 'status-changed', '--seed', '9', '--status', 'failed', '--attempt', 'x']);
    const { stdout, stderr } = await at.run(['errors', '--by', 'place']);
    expect(squeezed(stdout)).toBe(
      [
        'error  place  runs  errors  last  in runs  the last one said',
        `ValueError  train.py:41 in step  1  1  <time> ago  ${FOREST.slice(0, 8)}  ${String.raw`bad\nvalue`}`,
        '',
      ].join('\n'),
    );
    expect(stderr).toContain('1 run failed or timed out without logging an error');
    expect(await json(at, ['errors', '--method', 'mlp'])).toEqual([]);
  });

  test('of one run, with the traceback', async () => {
    const at = await desk();
    const { stdout } = await at.run(['errors', FOREST]);
    expect(stdout).toContain(
      '    Traceback (most recent call last):\n      File "/home/ada/train.py", line 41, in step\n',
    );
    expect(await json(at, ['errors', FOREST])).toMatchObject([{ message: 'bad\nvalue', traceback: PYTHON }]);
    expect((await at.run(['errors', MLP])).stderr).toContain('has logged no error');
  });
});

test('compare shows what differs first', async () => {
  const at = await desk();
  const { stdout } = await at.run(['compare', MLP, FOREST, '--diff']);
  expect(squeezed(stdout)).toMatch(
    /^field\s+\w+\s+\w+\nmethod {2}≠ {2}mlp {2}forest\nseed {2}≠ {2}1 {2}2\nconfig\.lr {2}≠/,
  );
  expect(await at.run(['compare', MLP])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('it takes two runs or more to compare; 1 was given') as string,
  });
  expect(await at.run(['compare', MLP, FOREST, MLP])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining(`"${MLP}" is named twice`) as string,
  });
  const short = MLP.slice(0, 5);
  expect((await at.run(['compare', short, MLP])).stderr).toContain(
    `"${short}" and "${MLP}" are one run: ${MLP}\n`,
  );
});

describe('what people say of a run goes into the log', () => {
  test('tags', async () => {
    const at = await desk();
    expect((await at.run(['tag', MLP.slice(0, 5), 'best', 'base'])).stdout).toBe(`${MLP}: base, best\n`);
    expect((await at.run(['tag', MLP, '--remove', 'base'])).stdout).toBe(`${MLP}: best\n`);
    expect(await json(at, ['runs', '--tag', 'best', '--select', 'tags'])).toEqual([{ tags: ['best'] }]);
    expect(await at.run(['tag', MLP])).toMatchObject({ code: 2 });
    for (const empty of ['', ' ']) {
      expect(await at.run(['tag', MLP, 'good', empty])).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('a tag cannot be empty') as string,
      });
      expect(await at.run(['runs', '--tag', empty])).toMatchObject({ code: 2, stdout: '' });
    }
    const said = at.logged().filter(({ type }) => type === 'run_annotated');
    expect(said).toMatchObject([{ tags: ['base', 'best'] }, { tags: ['best'] }]);
  });

  test('notes', async () => {
    const at = await desk();
    await at.run(['note', MLP, 'lr', 'too', 'high']);
    await at.run(['note', MLP, '-', '--append'], { stdin: 'second line\n' });
    expect(await json(at, ['runs', '--seed', '1', '--select', 'notes'])).toEqual([
      { notes: 'lr too high\nsecond line' },
    ]);
  });

  test('hiding', async () => {
    const at = await desk();
    expect((await at.run(['hide', MLP, FOREST])).stdout).toBe('2 runs hidden\n');
    expect(await json(at, ['runs'])).toHaveLength(1);
    expect(await json(at, ['runs', '--hidden'])).toHaveLength(3);
    await at.run(['hide', MLP, '--undo']);
    expect(await json(at, ['runs'])).toHaveLength(2);
    expect(await at.run(['hide', 'zzzz', MLP])).toMatchObject({ code: 1 });
    expect(await json(at, ['runs'])).toHaveLength(2);
  });
});
