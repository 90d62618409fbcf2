// Grid files as commands read them.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { gridRow, gridRowOfTask, readGridFile } from '../../src/cli/grid-file.ts';
import { gridDigest } from '../../src/grid/grid.ts';
import { Page } from './command.ts';
import { tempDir } from '../events/temp-dir.ts';
import { ROOT } from '../helpers/documents.ts';

let cwd: string;
const stderr = new Page();
beforeEach(() => {
  cwd = tempDir();
});

function write(text: string): string {
  fs.writeFileSync(path.join(cwd, 'grid.csv'), text);
  return 'grid.csv';
}

test('a file is found from the working directory, and named as it was typed', () => {
  const text = 'dataset,seed\niris,1\n';
  const { grid, digest, path: absolute } = readGridFile(write(text), undefined, { cwd });
  expect(grid.file).toBe('grid.csv');
  expect(absolute).toBe(path.join(cwd, 'grid.csv'));
  expect(digest).toBe(gridDigest(Buffer.from(text)));
});

test.each([
  ['nothing.csv', 'there is no such file'],
  ['.', 'EISDIR'],
])('%s cannot be read, which is said', (file, problem) => {
  expect(() => readGridFile(file, undefined, { cwd })).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining(problem) }),
  );
});

test('a task has its row, with the key of its submission', () => {
  const file = write('seed,lr\n1,0.1\n1,0.2\n');
  const env = { SLURM_ARRAY_TASK_ID: '2', RUNFOLD_GRID_KEY: '["lr"]' };
  expect(gridRowOfTask(file, undefined, { cwd, env, stderr }).key.cl_info).toBe('{"lr":0.2}');
  const other = { ...env, RUNFOLD_GRID_KEY: '["wd"]' };
  expect(gridRowOfTask(file, ['lr'], { cwd, stderr, env: other }).key.cl_info).toBe('{"lr":0.2}');
});

test('a task whose grid has changed since it was submitted runs nothing', () => {
  const env = { SLURM_ARRAY_TASK_ID: '1', RUNFOLD_GRID_SHA256: gridDigest(Buffer.from('seed\n1\n')) };
  expect(gridRowOfTask(write('seed\n1\n'), undefined, { cwd, env, stderr }).key.seed).toBe(1);
  expect(() => gridRowOfTask(write('seed\n2\n'), undefined, { cwd, env, stderr })).toThrow(
    /has changed since/,
  );
});

test('a script that was submitted without its grid is told how to submit', () => {
  for (const row of [undefined, 1]) {
    const given = { keyFromConfig: undefined, row };
    expect(() => gridRow('', given, { cwd, stderr, env: { SLURM_ARRAY_TASK_ID: '1' } })).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('RUNFOLD_GRID is not set'),
        hint: expect.stringContaining('runfold grid submit'),
      }),
    );
  }
});

test('the example of a job script fails with that word where sbatch alone has started it', () => {
  const script = path.join(ROOT, 'examples/slurm/grid.sbatch');
  const { RUNFOLD_GRID: _, ...env } = process.env;
  const { status, stderr } = spawnSync('sh', [script], { env, encoding: 'utf8' });
  expect(status).not.toBe(0);
  expect(stderr).toContain('submit it with: runfold grid submit GRID grid.sbatch');
});
