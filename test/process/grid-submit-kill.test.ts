// The submitting process dies between sbatch and its records: the tasks record themselves, as the same attempts.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runId } from '../../src/events/run-id.ts';
import { Desk } from '../cli/command.ts';
import { FakeSbatch } from '../cli/fake-sbatch.ts';
import { runCliProcess } from './cli-process.ts';

test('killed when sbatch has answered, it has recorded nothing, and the task is one attempt with its own word', async () => {
  const desk = await Desk.withLog();
  fs.writeFileSync(path.join(desk.cwd, 'grid.csv'), 'seed\n1\n');
  fs.writeFileSync(path.join(desk.cwd, 'job.sbatch'), '#!/bin/sh\n');
  const sbatch = new FakeSbatch('echo 4711; kill -9 $PPID');
  const env = { RUNFOLD_DB: desk.db, RUNFOLD_DIR: desk.ledger };
  const { signal, stdout } = await runCliProcess(['grid', 'submit', 'grid.csv', 'job.sbatch'], {
    cwd: desk.cwd,
    env: { ...env, ...sbatch.env },
  });
  expect([signal, stdout]).toEqual(['SIGKILL', '']);
  expect(desk.logged()).toEqual([]);

  const submission = sbatch.variable('RUNFOLD_SUBMISSION') ?? '';
  const task = { SLURM_JOB_ID: '4712', SLURM_ARRAY_JOB_ID: '4711', SLURM_ARRAY_TASK_ID: '1' };
  await runCliProcess(['emit', 'run-created', '--seed', '1'], {
    cwd: desk.cwd,
    env: { ...env, ...task, RUNFOLD_SUBMISSION: submission },
  });
  const { stdout: shown } = await desk.run(['show', runId(KEY), '--json']);
  expect(JSON.parse(shown)).toMatchObject({
    run: { attempt_count: 1 },
    attempts: [{ attempt: `${submission}.1` }],
  });
});

const KEY = {
  experiment_number: 1,
  dataset: 'default',
  method: 'default',
  subject: null,
  cl_info: null,
  seed: 1,
};
