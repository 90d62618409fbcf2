// The sweep of examples/python, trained for real: what runfold answers is what the scripts have printed.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { ExperimentDB } from '../../src/experiment-db.ts';
import { tempDir } from '../events/temp-dir.ts';
import { pythonWith } from '../helpers/python.ts';
import { cleanEnv, runCliProcess, Started, type Ended } from './cli-process.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/python/', import.meta.url));
const PYTHON = pythonWith('sklearn');
/** Each of the trainings loads scikit-learn, which takes seconds where the machine is busy. */
const LIMIT_MS = 900_000;

/** The trainings run side by side with one output: each of their lines is one write even so. */
const UNBUFFERED = { PYTHONUNBUFFERED: '1' };

interface Score {
  dataset: string;
  method: string;
  seed: number;
  epoch: number;
  loss: number;
  test_accuracy: number;
}

/** Lines such as `iris mlp 1 epoch 20 loss 0.31 test_accuracy 0.96`. */
function scoresIn(stdout: string): Score[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [dataset = '', method = '', seed, , epoch, , loss, , accuracy] = line.split(' ');
      const numbers = { seed: Number(seed), epoch: Number(epoch), loss: Number(loss) };
      return { dataset, method, ...numbers, test_accuracy: Number(accuracy) };
    });
}

async function run(
  command: string,
  args: string[],
  cwd: string,
  env: Record<string, string>,
): Promise<Ended> {
  const child = spawn(command, args, { cwd, env: cleanEnv({ ...UNBUFFERED, PYTHON: PYTHON ?? '', ...env }) });
  const started = new Started(child);
  onTestFinished(async () => void (await started.destroy()));
  return await started.ended;
}

interface Cell {
  row: string;
  column: string;
  n: number;
  seen: number;
  mean: number;
  std: number;
}

async function leaderboard(cwd: string): Promise<Cell[]> {
  const options = ['--goal', 'max', '--json', '--no-sync', '--db', path.join(cwd, 'runs.db')];
  const ended = await runCliProcess(['leaderboard', 'test_accuracy', ...options], { cwd });
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
  return JSON.parse(ended.stdout);
}

const placeOf = (method: string, dataset: string): string => `${method} ${dataset}`;

/** Number, mean and sample standard deviation of each method on each data set. */
function expectedCells(scores: readonly Score[]): Map<string, { n: number; mean: number; std: number }> {
  const printed = new Map<string, number[]>();
  for (const { method, dataset, test_accuracy } of scores) {
    const place = placeOf(method, dataset);
    printed.set(place, [...(printed.get(place) ?? []), test_accuracy]);
  }
  return new Map([...printed].map(([place, values]) => [place, meanAndStd(values)]));
}

function meanAndStd(values: readonly number[]): { n: number; mean: number; std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n: values.length, mean, std: Math.sqrt(squares / (values.length - 1)) };
}

test.skipIf(PYTHON === undefined)(
  'the leaderboard and the curves of a sweep are those of the scores that its scripts print',
  async () => {
    const cwd = tempDir();
    const grid = { DATASETS: 'iris wine breast_cancer digits', METHODS: 'mlp forest svm', SEEDS: '1 2' };
    const ended = await run('sh', [path.join(EXAMPLES, 'sweep.sh')], cwd, grid);
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    // nobody has made a log before: one of the first jobs does, and says so
    expect(ended.stderr).toMatch(/^runfold: made a log in \S+\.runfold, since [^\n]+\n$/);
    const scores = scoresIn(ended.stdout);
    expect(scores).toHaveLength(24);

    expect(await runCliProcess(['sync', '--db', path.join(cwd, 'runs.db')], { cwd })).toMatchObject({
      code: 0,
    });
    const cells = await leaderboard(cwd);
    const expected = expectedCells(scores);
    expect(cells.map((cell) => placeOf(cell.row, cell.column))).toEqual([...expected.keys()].toSorted());
    for (const { row, column, n, seen, mean, std } of cells) {
      const place = placeOf(row, column);
      const of = expected.get(place);
      expect({ n, seen }, place).toEqual({ n: of?.n, seen: of?.n });
      expect(mean, place).toBeCloseTo(of?.mean ?? Number.NaN, 12);
      expect(std, place).toBeCloseTo(of?.std ?? Number.NaN, 12);
    }

    const db = await ExperimentDB.open({ ledger: path.join(cwd, '.runfold'), db: path.join(cwd, 'runs.db') });
    onTestFinished(() => db.close());
    expect(db.countRuns()).toBe(scores.length);
    for (const { dataset, method, seed, epoch, loss, test_accuracy } of scores) {
      const [run] = db.getAllRuns({ where: [`dataset=${dataset}`, `method=${method}`, `seed=${seed}`] });
      expect(run?.status).toBe('completed');
      const id = run?.run_id ?? '';
      expect(db.getRunResults(id)).toMatchObject({
        points: epoch,
        final_loss: loss,
        results: { test_accuracy },
      });
      const curve = db.getRunMetrics(id);
      expect(curve.map((point) => point.epoch)).toEqual(
        Array.from({ length: epoch }, (_, index) => index + 1),
      );
      expect(curve.at(-1)?.loss).toBe(loss);
    }
  },
  LIMIT_MS,
);

test.skipIf(PYTHON === undefined)(
  'a task of the array is one of the trainings, with its SLURM job',
  async () => {
    const log = path.join(tempDir(), 'log');
    expect(await runCliProcess(['init', log])).toMatchObject({ code: 0 });
    const listed = await run('sh', ['sweep.sh', 'list'], EXAMPLES, {});
    const jobs = listed.stdout.trim().split('\n');
    const sbatch = fs.readFileSync(path.join(EXAMPLES, 'sweep.sbatch'), 'utf8');
    expect(sbatch).toContain(`--array=1-${jobs.length} `);

    const task = jobs.indexOf('--dataset wine --method svm --seed 3') + 1;
    expect(task).toBeGreaterThan(0);
    const slurm = { SLURM_JOB_ID: '4718', SLURM_ARRAY_JOB_ID: '4711', SLURM_ARRAY_TASK_ID: String(task) };
    const ended = await run('sh', ['sweep.sbatch'], EXAMPLES, { RUNFOLD_DIR: log, ...slurm });
    expect(ended, ended.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(scoresIn(ended.stdout)).toMatchObject([{ dataset: 'wine', method: 'svm', seed: 3 }]);

    const db = path.join(tempDir(), 'runs.db');
    const { stdout } = await runCliProcess(['runs', '--ledger', log, '--db', db, '--json']);
    const row = {
      dataset: 'wine',
      method: 'svm',
      seed: 3,
      slurm_job_id: '4718',
      slurm_array_task_id: String(task),
    };
    expect(JSON.parse(stdout)).toMatchObject([row]);
  },
  LIMIT_MS,
);
