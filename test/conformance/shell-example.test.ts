// The job script of examples/shell, as it is.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../events/temp-dir.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';
import { runProcess, SHELLS } from './writers.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCRIPT = path.join('examples', 'shell', 'train.sbatch');

describe.each(SHELLS)('$name', ({ words: shell, isMissing }) => {
  describe.skipIf(isMissing)('in a process of its own', () => {
    const train = async (ledger: TempLedger, env: Readonly<Record<string, string>>, ...args: string[]) =>
      await runProcess([...shell, SCRIPT, ...args], {
        dir: ROOT,
        env: { RUNFOLD_DIR: ledger.root, TMPDIR: tempDir(), EPOCHS: '4', ...env },
      });

    it('logs a training, and the score that it prints', async () => {
      const ledger = new TempLedger();
      const ended = await train(ledger, { LR: '0.02' }, '3');
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      const outcome = await ledger.pass();
      const [, score = ''] = /^iris, seed 3: test accuracy ([\d.]+)\n$/.exec(ended.stdout) ?? [];
      expect(Number(score)).toBeGreaterThan(0.5);
      outcome
        .expectRun({
          dataset: 'iris',
          method: 'softmax',
          seed: 3,
          status: 'completed',
          exit_code: 0,
          attempt_count: 1,
          config: { lr: 0.02, epochs: 4 },
        })
        .expectResults({ points: 4, last_epoch: 4, results: { test_accuracy: Number(score) } });
      expect(outcome.findings()).toEqual([]);
    });

    it('is a task of an array, and a training that fails is a run that failed', async () => {
      const ledger = new TempLedger();
      const env = { SLURM_JOB_ID: '4714', SLURM_ARRAY_JOB_ID: '4711', SLURM_ARRAY_TASK_ID: '4', LR: '-1' };
      const ended = await train(ledger, env);
      expect(ended.code).toBe(2);
      expect(ended.stderr).toContain('lr must be a positive number');
      const outcome = await ledger.pass();
      outcome
        .expectRun({
          seed: 4,
          status: 'failed',
          exit_code: 2,
          slurm_job_id: '4714',
          slurm_array_task_id: '4',
        })
        .expectJobs({ job_id: '4714', array_job_id: '4711', array_task_id: '4', state: 'RUNNING' });
      expect(outcome.findings()).toEqual([]);
    });
  });
});
