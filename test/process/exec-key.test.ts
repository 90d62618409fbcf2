// A logger below `runfold exec` that is not given the key, or another one; and tasks of a launch with a run each.
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventFiles } from '../events/read-lines.ts';
import { builtUrl } from '../helpers/built.ts';
import { ROOT } from '../helpers/documents.ts';
import { PYTHON_CLIENT, pythonWith } from '../helpers/python.ts';
import { CLI, ended, ExecHome } from './exec-home.ts';

const env = { PYTHONPATH: PYTHON_CLIENT };
const SHELL_CLIENT = path.join(ROOT, 'clients/shell/runfold.sh');

/** The words of a program that logs with these fields of the key, JSON by name. */
type Program = (home: ExecHome, key: Readonly<Record<string, string>>, end?: string) => string[];

const typescript: Program = (home, key, end = '') => {
  const options = Object.entries(key).map(([name, json]) => `${name}: ${json}`);
  return [
    process.execPath,
    home.file(
      'train.mjs',
      `import { RunLogger } from '${builtUrl('logger.js')}';
      RunLogger.create({ ${options.join(', ')} }).log({ loss: 0.5 }, { epoch: 1 });
      ${end && 'process.exit(3);'}`,
    ),
  ];
};
const shell: Program = (home, key, end = '') => {
  const options = Object.entries(key).map(([name, json]) => `--${name} ${json}`);
  return [
    'sh',
    home.file(
      'train.sh',
      `. ${SHELL_CLIENT}\nrunfold_open ${options.join(' ')}\nrunfold_metric --epoch 1 --loss 0.5\n${end && 'exit 3'}\n`,
    ),
  ];
};
const interpreter = pythonWith();
const python: Program = (home, key, end = '') => {
  const options = Object.entries(key).map(([name, json]) => `${name}=${json}`);
  return [
    interpreter ?? '',
    home.file(
      'train.py',
      `import os, runfold\nrunfold.init(${options.join(', ')}).log({"loss": 0.5}, epoch=1)\n${end && 'raise SystemExit(3)'}\n`,
    ),
  ];
};
/** Its config and its name are the key. */
const wandb: Program = (home, key) => [
  interpreter ?? '',
  home.file(
    'train.py',
    `import runfold as wandb\nwandb.init(project="p", config=dict(${Object.entries(key)
      .map(([name, json]) => `${name}=${json}`)
      .join(', ')}))\nwandb.log({"loss": 0.5})\n`,
  ),
];

const PROGRAMS: readonly [string, Program][] = [
  ['TypeScript', typescript],
  ['shell', shell],
  ...(interpreter === undefined ? [] : ([['Python', python], ['wandb', wandb]] satisfies [string, Program][])),
]; // prettier-ignore

describe.each(PROGRAMS)('a logger in %s', (name, program) => {
  test.each([
    ['no key', {}, ['--dataset', 'iris', '--method', 'mlp', '--subject', 's 1', '--seed', '1']],
    [
      'the data set alone',
      { dataset: '"iris"' },
      ['--dataset', 'iris', '--variant', 'it\'s "ü"', '--exp', '2'],
    ],
    ['no key, as exec', {}, []],
  ])('that is given %s joins: one run, one attempt, two files', async (_, key, options) => {
    const home = new ExecHome();
    expect(await home.start(program(home, key), { options, env }).ended).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(eventFiles(home.ledger)).toHaveLength(2);
    const created = home.of('run_created');
    expect(created).toHaveLength(2);
    expect(new Set(created.map(({ run_id }) => run_id)).size).toBe(1);
    const [one, other] = home.of('writer_opened');
    expect(new Set([one, other].map((header) => header?.attempt ?? header?.writer)).size).toBe(1);
  });

  test('that is given another key logs its own run, and says so', async () => {
    const home = new ExecHome();
    const options = ['--dataset', 'iris', '--method', 'mlp', '--seed', '1'];
    const result = await home.start(program(home, { dataset: '"wine"' }), { options, env }).ended;
    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(/^runfold: this program logs run .*\n$/);
    expect(result.stderr).toContain('[1,"wine","mlp",null,null,1]');
    expect(result.stderr).toContain('[1,"iris","mlp",null,null,1]');
    expect(home.of('run_created').map(({ dataset }) => dataset).toSorted()).toEqual(['iris', 'wine']); // prettier-ignore
  });

  test.skipIf(name === 'wandb')('what it says of two runs is not the error of a silent end', async () => {
    const home = new ExecHome();
    const words = program(home, { dataset: '"wine"' }, 'silent');
    expect(await home.start(words, { env }).ended).toMatchObject({ code: 3 });
    expect(home.of('error').map(({ message }) => message).join('')).not.toContain('two runs'); // prettier-ignore
    expect(home.statuses()).toContainEqual(ended('failed', 3));
  });
});

test.skipIf(interpreter === undefined)('a grid without a field of the key gives its default', async () => {
  const home = new ExecHome();
  home.file('grid.csv', 'seed,lr\n1,0.1\n2,0.2\n');
  const words = python(home, { seed: 'int(__import__("sys").argv[2])' });
  const options = ['--grid', 'grid.csv', '--row', '2', '--key-from-config', 'lr'];
  expect(await home.start(words, { options, env }).ended).toMatchObject({ code: 0, stderr: '' });
  const fields = { dataset: 'default', method: 'default', seed: 2, cl_info: '{"lr":0.2}' };
  const created = home.of('run_created');
  expect(created).toMatchObject([fields, fields]);
  expect(created[0]?.run_id).toBe(created[1]?.run_id);
});

test('exec below exec passes its own key on', async () => {
  const home = new ExecHome();
  const inner = [CLI, 'exec', '--dataset', 'inner', '--', 'sh', '-c', 'echo "$RUNFOLD_KEY"'];
  const result = await home.start([process.execPath, ...inner]).ended;
  expect(result.stdout).toBe('[1,"inner","sh",null,null,null]\n');
});

test('a key that no variable can hold stops no command', async () => {
  const home = new ExecHome();
  const options = ['--variant', 'x'.repeat(100_000)];
  const result = await home.sh('echo "${RUNFOLD_KEY-none}"', { options }).ended;
  expect(result).toMatchObject({ code: 0, stdout: 'none\n', stderr: '' });
});

describe('tasks of a step of srun', () => {
  const task = (rank: number): Record<string, string> => ({
    ...env, SLURM_JOB_ID: '7', SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '4', SLURM_PROCID: String(rank),
  }); // prettier-ignore
  const RANKS = [0, 1, 2, 3];

  test('that are independent record a run each, with the job, and loggers in them join', async () => {
    const home = new ExecHome();
    const words = shell(home, {});
    const results = RANKS.map(
      async (rank) =>
        await home.start(words, { options: ['--independent', '--seed', String(rank)], env: task(rank) })
          .ended,
    );
    for (const result of await Promise.all(results)) expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(eventFiles(home.ledger)).toHaveLength(8);
    const created = home.of('run_created');
    expect(created.map(({ seed }) => seed).toSorted()).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    expect(new Set(created.map(({ run_id }) => run_id)).size).toBe(4);
    expect(new Set(home.of('slurm_info').map(({ run_id }) => run_id)).size).toBe(4);
    expect(home.of('metric')).toHaveLength(4);
    const attempts = home.of('writer_opened').map(({ attempt, writer }) => attempt ?? writer);
    expect(new Set(attempts).size).toBe(4);
  });

  test('are one run where nothing is said', async () => {
    const home = new ExecHome();
    const results = RANKS.map(
      async (rank) => await home.sh('echo "${RUNFOLD_INDEPENDENT-none}"', { env: task(rank) }).ended,
    );
    for (const { stdout } of await Promise.all(results)) expect(stdout).toBe('none\n');
    expect(home.of('run_created')).toHaveLength(1);
  });
});
