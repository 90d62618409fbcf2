// Where the output cannot be written: said in one line, not as a stack.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { builtDir } from '../helpers/built.ts';
import { Desk } from '../cli/command.ts';
import { cleanEnv } from './cli-process.ts';

const HAS_DEV_FULL = fs.existsSync('/dev/full');

test
  .skipIf(!HAS_DEV_FULL)
  .each([
    ['runs', '--no-sync', '--json'],
    ['sql', '--no-sync', 'SELECT 1', '--format', 'csv'],
    ['export', '-', '--table', 'experiment_runs', '--no-sync'],
    ['--help'],
  ])('a full disk: runfold %s %s', async (...args) => {
  const desk = await Desk.withLog();
  await desk.run(['emit', 'run-created', '--seed', '1']);
  await desk.run(['sync']);
  const full = fs.openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(
    process.execPath,
    [path.join(builtDir(), 'cli/main.js'), ...args.filter((arg) => arg !== undefined)],
    {
      cwd: desk.cwd,
      env: cleanEnv({ RUNFOLD_DB: desk.db }),
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    },
  );
  fs.closeSync(full);
  expect(stderr.split('\n').filter((line) => line !== '' && !/^(?:as of|not synced)/.test(line))).toEqual([
    expect.stringMatching(/^runfold: what it prints cannot be written: .*ENOSPC/),
  ]);
  expect(status).toBe(1);
});
