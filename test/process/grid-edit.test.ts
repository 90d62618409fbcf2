// A grid that is edited while tasks of it wait: each runs the row that was submitted.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { gridDigest } from '../../src/grid/grid.ts';
import { SUBMISSION_VARIABLES } from '../../src/grid/submission.ts';
import { FakeSbatch } from '../cli/fake-sbatch.ts';
import { ExecHome } from './exec-home.ts';
import { runCliProcess, type Ended } from './cli-process.ts';

const SUBMITTED = 'dataset,seed\niris,1\nwine,2\n';
const SLURM = { SLURM_JOB_ID: '4712', SLURM_ARRAY_JOB_ID: '4711', SLURM_ARRAY_TASK_ID: '2' };

class Submitted {
  readonly home = new ExecHome();
  readonly #sbatch = new FakeSbatch('echo 4711');

  static async grid(text: string, name = 'grid.csv'): Promise<Submitted> {
    const made = new Submitted();
    made.home.file(name, text);
    made.home.file('job.sbatch', '#!/bin/sh\n');
    const ended = await made.submit(name);
    expect(ended).toMatchObject({ code: 0 });
    return made;
  }

  async submit(name: string): Promise<Ended> {
    const db = path.join(this.home.dir, 'runs.db');
    return await runCliProcess(['grid', 'submit', name, 'job.sbatch'], {
      cwd: this.home.dir,
      env: { ...this.home.env(), RUNFOLD_DB: db, ...this.#sbatch.env } as Record<string, string>,
    });
  }

  get env(): Record<string, string> {
    return Object.fromEntries(SUBMISSION_VARIABLES.map((name) => [name, this.#sbatch.variable(name) ?? '']));
  }

  /** The second task starts. */
  task(grid: string, more: Record<string, string> = {}): Promise<Ended> {
    return this.home.start(['echo', 'train'], {
      options: ['--grid', grid],
      env: { ...SLURM, ...this.env, ...more },
    }).ended;
  }
}

test.each([
  ['a row more', `${SUBMITTED}rice,3\n`],
  ['a row before', 'dataset,seed\nrice,3\niris,1\nwine,2\n'],
  ['what is no grid', 'dataset,seed\nwine\n'],
  ['nothing, removed', undefined],
])('%s: a task that waits runs the row that was submitted', async (_, text) => {
  const submitted = await Submitted.grid(SUBMITTED);
  const file = path.join(submitted.home.dir, 'grid.csv');
  if (text === undefined) fs.rmSync(file);
  else fs.writeFileSync(file, text);
  const copy = submitted.env['RUNFOLD_GRID'] ?? '';

  const named = await submitted.task(copy);
  expect(named).toMatchObject({ code: 0, stdout: 'train --dataset wine --seed 2\n' });
  expect(named.stderr).not.toContain('submitted');
  const other = await submitted.task('grid.csv', { SLURM_RESTART_COUNT: '1' });
  expect(other).toMatchObject({ code: 0, stdout: 'train --dataset wine --seed 2\n' });
  expect(other.stderr).toContain(`its copy as it was submitted is used: ${copy}\n`);
});

test('the copy is the bytes, in the log, made once, and mended if it is not what its name says', async () => {
  const submitted = await Submitted.grid(SUBMITTED);
  const name = `${gridDigest(Buffer.from(SUBMITTED)).slice(0, 16)}.csv`;
  const copy = path.join(submitted.home.ledger, 'grids', name);
  expect(submitted.env['RUNFOLD_GRID']).toBe(copy);
  expect(fs.readFileSync(copy, 'utf8')).toBe(SUBMITTED);
  const { ino, mode } = fs.statSync(copy);
  expect(mode).toBe(fs.statSync(path.join(submitted.home.ledger, 'ledger.json')).mode);

  // a second submission of the same needs tasks that are to be run
  const again = await runAll(submitted);
  expect(again).toMatchObject({ code: 0 });
  expect(fs.statSync(copy).ino).toBe(ino);
  fs.writeFileSync(copy, 'x');
  await runAll(submitted);
  expect(fs.readFileSync(copy, 'utf8')).toBe(SUBMITTED);
  expect(fs.readdirSync(path.dirname(copy))).toEqual([name]);

  for (const command of ['doctor', 'verify']) {
    const { code, stdout } = await runCliProcess([command], {
      cwd: submitted.home.dir,
      env: dbOf(submitted),
    });
    expect([code, stdout.includes('grids')]).toEqual([0, false]);
  }
});

test('a grid without an ending is kept as what it was read as', async () => {
  const submitted = await Submitted.grid('[{"seed": 1}, {"seed": 2}]', 'sweep');
  fs.writeFileSync(path.join(submitted.home.dir, 'sweep'), '[]');
  expect(submitted.env['RUNFOLD_GRID']).toMatch(/\.json$/);
  expect((await submitted.task('sweep')).stdout).toBe('train --seed 2\n');
});

test('where no copy can be kept that is said, and a task of a changed grid is refused', async () => {
  const made = new Submitted();
  made.home.file('grid.csv', SUBMITTED);
  made.home.file('job.sbatch', '#!/bin/sh\n');
  fs.writeFileSync(path.join(made.home.ledger, 'grids'), '');
  const { code, stderr } = await made.submit('grid.csv');
  expect(code).toBe(0);
  expect(stderr).toContain('do not change grid.csv before its tasks have started');
  expect(made.env['RUNFOLD_GRID']).toBe(path.join(made.home.dir, 'grid.csv'));
  made.home.file('grid.csv', `${SUBMITTED}rice,3\n`);
  const refused = await made.task('grid.csv');
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('has changed since it was submitted');
});

function dbOf({ home }: Submitted): Record<string, string> {
  return { RUNFOLD_DIR: home.ledger, RUNFOLD_DB: path.join(home.dir, 'runs.db') };
}

function runAll({ home }: Submitted): Promise<Ended> {
  const sbatch = new FakeSbatch('echo 4800');
  return runCliProcess(['grid', 'submit', 'grid.csv', 'job.sbatch', '--array', '1-2'], {
    cwd: home.dir,
    env: { ...(home.env() as Record<string, string>), ...dbOf({ home } as Submitted), ...sbatch.env },
  });
}
