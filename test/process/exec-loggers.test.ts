// Loggers in the command, grids, samples: what `runfold exec` has to do with others.
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { gridDigest } from '../../src/grid/grid.ts';
import { eventFiles } from '../events/read-lines.ts';
import { ROOT } from '../helpers/documents.ts';
import { PYTHON_CLIENT, pythonWith } from '../helpers/python.ts';
import { builtUrl } from '../helpers/built.ts';
import { CLI, ended, ExecHome, KEY } from './exec-home.ts';
import { runCliProcess } from './cli-process.ts';
import { until } from './until.ts';

const TYPESCRIPT = `
import { RunLogger } from '${builtUrl('logger.js')}';
const run = RunLogger.create({ dataset: 'iris', method: 'mlp', seed: 1, config: { inner: true } });
run.log({ loss: 0.5 }, { epoch: 1 });
if (process.argv[2] === 'fail') throw new RangeError('diverged');
await run.close();`;
const PYTHON = `
import sys, runfold
run = runfold.init(dataset="iris", method="mlp", seed=1, config={"inner": True})
run.log({"loss": 0.5}, step=1)
if sys.argv[1:] == ["fail"]: raise ValueError("diverged")
run.finish()`;
const SHELL = `
. ${path.join(ROOT, 'clients/shell/runfold.sh')}
runfold_open --dataset iris --method mlp --seed 1 --config inner=true
runfold_metric --epoch 1 --loss 0.5
[ "$1" = fail ] && { runfold_error ShellFailed diverged; exit 1; }
runfold_close`;

const python = pythonWith();
const LOGGERS: readonly [string, (home: ExecHome) => string[]][] = [
  ['TypeScript', (home) => [process.execPath, home.file('train.mjs', TYPESCRIPT)]],
  ['shell', (home) => ['sh', home.file('train.sh', SHELL)]],
  ...(python === undefined
    ? []
    : [
        ['Python', (home: ExecHome) => [python, home.file('train.py', PYTHON)]] as [
          string,
          (home: ExecHome) => string[],
        ],
      ]),
];

describe.each(LOGGERS)('a logger in %s', (_, words) => {
  const env = { PYTHONPATH: PYTHON_CLIENT };

  test('joins: one run, one attempt, two files', async () => {
    const home = new ExecHome();
    const result = await home.start(words(home), { env }).ended;
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(eventFiles(home.ledger)).toHaveLength(2);
    const show = await runCliProcess(['runs', '--json', '--db', path.join(home.dir, 'db')], {
      env: { RUNFOLD_DIR: home.ledger },
    });
    const [run, ...others] = JSON.parse(show.stdout) as Record<string, unknown>[];
    expect(others).toEqual([]);
    expect(run).toMatchObject({ status: 'completed', attempt_count: 1, dataset: 'iris', exit_code: 0 });
    const sql = 'SELECT points FROM run_results';
    const points = await runCliProcess(['sql', '--json', '--db', path.join(home.dir, 'db'), sql], {
      env: { RUNFOLD_DIR: home.ledger },
    });
    expect(points.stdout).toContain('1');
  });

  test('its exception counts once', async () => {
    const home = new ExecHome();
    expect(await home.start([...words(home), 'fail'], { env }).ended).toMatchObject({ code: 1 });
    expect(home.of('error')).toMatchObject([{ message: 'diverged' }]);
    expect(home.statuses()).toContainEqual(ended('failed', 1));
  });

  test('of another run stays apart, and its error is its own', async () => {
    const home = new ExecHome();
    const options = ['--dataset', 'other'];
    await home.start([...words(home), 'fail'], { env, options }).ended;
    const created = home.of('run_created');
    expect(new Set(created.map(({ run_id }) => run_id)).size).toBe(2);
    const errors = home.of('error');
    // the shell prints nothing of its own error
    expect(new Set(errors.map(({ run_id }) => run_id)).size).toBe(2);
  });
});

test('joins the attempt of the environment, if it is of this run', async () => {
  const home = new ExecHome();
  await home.sh('echo "$RUNFOLD_ATTEMPT"; [ -z "$RUNFOLD_STARTED$RUNFOLD_SUBMISSION" ]', {
    env: { RUNFOLD_ATTEMPT: 'mine', RUNFOLD_STARTED: '5' },
  }).ended;
  expect(home.of('writer_opened')).toMatchObject([{ attempt: 'mine' }]);
  expect(home.statuses().at(-1)).toEqual(ended('completed', 0));

  const other = new ExecHome();
  const result = await other.sh('echo "$RUNFOLD_ATTEMPT"', {
    env: { RUNFOLD_ATTEMPT: 'mine', RUNFOLD_RUN_ID: '9z3z3b6emkgwjej5' },
  }).ended;
  expect(other.of('writer_opened')[0]?.attempt).toBeUndefined();
  expect(result.stdout.trim()).toBe(other.of('writer_opened')[0]?.writer);
});

test('a task of a submitted array joins what was recorded when it was submitted', async () => {
  const home = new ExecHome();
  const env = {
    SLURM_JOB_ID: '43',
    SLURM_ARRAY_JOB_ID: '42',
    SLURM_ARRAY_TASK_ID: '2',
    RUNFOLD_SUBMISSION: '01M8BEYTPZ79QHN30JCM6TK5QJ',
  };
  await home.sh('true', { env }).ended;
  expect(home.of('writer_opened')).toMatchObject([
    { attempt: '01M8BEYTPZ79QHN30JCM6TK5QJ.2', origin: 'slurm42_2' },
  ]);
});

describe('a grid', () => {
  const GRID = 'dataset,seed,lr\niris,1,0.1\nwine,2,0.2\n';

  test('gives the key, the config and the arguments of a row', async () => {
    const home = new ExecHome();
    home.file('grid.csv', GRID);
    const env = { SLURM_JOB_ID: '43', SLURM_ARRAY_JOB_ID: '42', SLURM_ARRAY_TASK_ID: '2' };
    const appended = await home.start(['echo', 'train'], {
      options: ['--grid', 'grid.csv', '--config', 'more=1'],
      env,
    }).ended;
    expect(appended.stdout).toBe('train --dataset wine --seed 2 --lr 0.2\n');
    expect(home.of('run_created')).toMatchObject([
      { dataset: 'wine', seed: 2, config: { lr: 0.2, more: 1 } },
    ]);
    const placed = await home.start(['echo', '{lr}/{dataset}'], {
      options: ['--grid', 'grid.csv', '--row', '1', '--key-from-config', 'lr'],
    }).ended;
    expect(placed.stdout).toBe('0.1/iris\n');
    expect(home.of('run_created').at(-1)).toMatchObject({ dataset: 'iris', cl_info: '{"lr":0.1}' });
  });

  test('that has changed since it was submitted is refused', async () => {
    const home = new ExecHome();
    home.file('grid.csv', GRID);
    const start = async (text: string): Promise<{ code: number | null; stdout: string; stderr: string }> =>
      await home.start(['echo'], {
        options: ['--grid', 'grid.csv', '--row', '1'],
        env: { RUNFOLD_GRID_SHA256: gridDigest(Buffer.from(text)) },
      }).ended;
    const refused = await start(`${GRID}iris,3,0.1\n`);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('has changed since it was submitted');
    expect(await start(GRID)).toMatchObject({ code: 0 });
  });
});

describe.skipIf(!fs.existsSync('/proc/self/stat'))('samples', () => {
  const EVERY = [...KEY, '--sample-every', '1s'];

  test('of the whole tree: processor, memory, GPUs of its processes alone', async () => {
    const home = new ExecHome();
    const spin = home.file(
      'spin.py',
      'import os, sys, time\ndata = bytearray(100 << 20)\nprint(os.getpid(), flush=True)\nwhile True: pass\n',
    );
    const asked = path.join(home.dir, 'asked');
    home.command(
      'nvidia-smi',
      `case "$1" in
      *compute-apps*) echo x >>${asked}; echo "GPU-a, $(cat ${home.dir}/pid), 400"; echo "GPU-b, 1, 9000";;
      *) echo "GPU-a, 70"; echo "GPU-b, 100";;
    esac`,
    );
    const started = home.sh(`python3 ${spin} >${home.dir}/pid & wait`, { options: EVERY });
    const samples = await until('there are three samples with a GPU', () => {
      const seen = home.of('resource_sample').filter(({ gpu_percent }) => gpu_percent !== undefined);
      return seen.length >= 3 && seen;
    });
    const pid = Number(fs.readFileSync(`${home.dir}/pid`, 'utf8'));
    started.kill('SIGTERM');
    process.kill(pid, 'SIGKILL');
    await started.ended;
    for (const sample of samples) {
      expect(sample).toMatchObject({ gpu_percent: 70, gpu_memory_mb: 400 });
      expect(sample.rss_mb).toBeGreaterThan(100);
      expect(sample.cpu_percent).toBeGreaterThan(0);
      expect(sample.elapsed_seconds).toBeGreaterThan(0);
    }
  });

  test('processes that have ended count', async () => {
    const home = new ExecHome();
    // none of them lives long enough to be seen
    const started = home.sh(
      'while :; do sh -c "i=0; while [ \\$i -lt 20000 ]; do i=\\$((i + 1)); done"; done',
      { options: EVERY },
    );
    const sample = await until('there is a sample', () => home.of('resource_sample')[0]);
    started.kill('SIGTERM');
    await started.ended;
    expect(sample.cpu_percent).toBeGreaterThan(1);
    expect(sample).not.toHaveProperty('gpu_percent');
  });

  test('a broken nvidia-smi is given up, and the rest goes on', async () => {
    const home = new ExecHome();
    const asked = path.join(home.dir, 'asked');
    home.command('nvidia-smi', `echo x >>${asked}; exit 9`);
    const started = home.sh('sleep 60', { options: EVERY });
    await until('there are five samples', () => home.of('resource_sample').length >= 5, 60_000);
    expect(fs.readFileSync(asked, 'utf8')).toBe('x\n'.repeat(3));
    started.kill('SIGTERM');
    expect(await started.ended).toMatchObject({ stderr: '' });
  });

  test('none, if none are wanted', async () => {
    const home = new ExecHome();
    home.command('nvidia-smi', `echo x >>${home.dir}/asked`);
    await home.sh('sleep 1.5', { options: [...KEY, '--sample-every', '0'] }).ended;
    expect(home.of('resource_sample')).toEqual([]);
    expect(fs.existsSync(`${home.dir}/asked`)).toBe(false);
  });
});

test('exec below exec: each its own run', async () => {
  const home = new ExecHome();
  await home.start([process.execPath, CLI, 'exec', '--dataset', 'inner', '--', 'true']).ended;
  expect(
    home
      .of('run_created')
      .map(({ dataset }) => dataset)
      .toSorted(),
  ).toEqual(['inner', 'iris']);
  expect(
    home.statuses().filter((status) => 'status' in status && status.status === 'completed'),
  ).toHaveLength(2);
});
