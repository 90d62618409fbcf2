// Sweeps: a grid submitted as an array, tasks that never start, and the examples as they are.
import { beforeAll, describe, expect, test } from 'vitest';
import { until } from '../process/until.ts';
import type { Desk, Lab } from './lab.ts';

const SWEEP_MS = 420_000;
const EXAMPLES = ['examples/slurm', 'examples/data'];

interface Row {
  dataset: string;
  seed: number;
  status: string;
  status_reason: string | null;
  attempt_count: number;
}

export function describeSweeps(lab: Lab): void {
  const ROWS =
    'SELECT dataset, seed, status, status_reason, attempt_count FROM experiment_runs ORDER BY dataset, seed';
  const rowsOf = async (desk: Desk): Promise<Row[]> => (await desk.query(ROWS)) as unknown as Row[];
  /** Asks again until all that ended is in the accounting. */
  const refresh = async (desk: Desk, isDone: (rows: readonly Row[]) => boolean): Promise<Row[]> =>
    await until(
      'SLURM has told all',
      async () => {
        await desk.does('runfold', 'slurm', 'refresh', '--force');
        const rows = await rowsOf(desk);
        return isDone(rows) ? rows : undefined;
      },
      60_000,
    ).catch(async (error: unknown) => {
      throw new Error(JSON.stringify(await rowsOf(desk)), { cause: error });
    });

  describe('sweeps', () => {
    test(
      'an array of 200 from a grid: every cell is in the leaderboard, and none was begun twice',
      async () => {
        const desk = lab.desk('grid200');
        await desk.does('runfold', 'init', '.runfold');
        desk.write(
          'grid.json',
          JSON.stringify({ dataset: four('d'), method: ['a', 'b', 'c', 'd', 'e'], seed: tens() }),
        );
        desk.write(
          'score.py',
          'import sys, runfold\nrun = runfold.init()\nrun.finish(results={"acc": len(sys.argv)})\n',
        );
        desk.write(
          'job.sbatch',
          '#!/bin/sh\n#SBATCH --mem=100M\nexec runfold exec --grid grid.json -- python3 score.py\n',
        );
        const said = await desk.does('runfold', 'grid', 'submit', 'grid.json', 'job.sbatch', '--json');
        const job = (JSON.parse(said) as { job_id: string }).job_id;
        await lab.ends(job);
        const rows = await refresh(desk, (all) => all.every(({ status }) => status === 'completed'));
        expect(rows).toHaveLength(200);
        expect(new Set(rows.map(({ attempt_count }) => attempt_count))).toEqual(new Set([1]));
        const cells = (await desk.json('leaderboard', 'acc', '--goal', 'max')) as {
          n: number;
          seen: number;
        }[];
        expect(cells).toHaveLength(20);
        for (const { n, seen } of cells) expect({ n, seen }).toEqual({ n: 10, seen: 10 });
        expect(await desk.run('runfold', 'grid', 'grid.json', '--array')).toMatchObject({
          code: 1,
          stdout: '',
        });
      },
      SWEEP_MS,
    );

    test(
      'tasks that never start are seen: cancelled while they wait, half of an array, a dependency that fails',
      async () => {
        const desk = lab.desk('never');
        await desk.does('runfold', 'init', '.runfold');
        const grid = (name: string, seeds: number): void =>
          desk.write(
            `${name}.json`,
            JSON.stringify({ dataset: [name], seed: Array.from({ length: seeds }, (_, i) => i + 1) }),
          );
        const submit = async (name: string, command: string, ...options: string[]): Promise<string> => {
          desk.write(
            `${name}.sbatch`,
            `#!/bin/sh\n#SBATCH --mem=100M\nexec runfold exec --grid ${name}.json -- ${command}\n`,
          );
          const args = ['grid', 'submit', `${name}.json`, `${name}.sbatch`, '--json'];
          const said = await desk.does(
            'runfold',
            ...args,
            ...(options.length === 0 ? [] : ['--', ...options]),
          );
          return (JSON.parse(said) as { job_id: string }).job_id;
        };
        grid('held', 2);
        const held = await submit('held', 'true', '--hold');
        grid('half', 6);
        const half = await submit('half', `sh -c 'sleep 600' {seed}`);
        grid('follows', 1);
        const failing = await desk.submitsScript('failing', 'exit 1', '--mem=100M');
        await lab.ends(failing);
        const follows = await submit('follows', 'true', `--dependency=afterok:${failing}`);
        await lab.reaches(half, 'RUNNING');
        await until('all six have begun', async () => {
          const rows = await rowsOf(desk);
          return (
            rows.filter(({ dataset, status }) => dataset === 'half' && status === 'running').length === 6
          );
        });
        await desk.does('scancel', held);
        await desk.does('scancel', `${half}_[4-6]`);
        await lab.ends(held);
        await until('half of it is cancelled', async () => {
          const jobs = await lab.jobs();
          return (
            jobs.filter(({ id, state }) => id.startsWith(`${half}_`) && state === 'CANCELLED').length === 3
          );
        });
        const rows = await refresh(
          desk,
          (all) =>
            all.filter(({ status }) => status === 'failed').length === 5 &&
            all.some(({ status_reason }) => status_reason === 'DependencyNeverSatisfied'),
        );
        const said = rows.map(
          ({ dataset, seed, status, status_reason }) =>
            `${dataset} ${seed} ${status} ${status_reason ?? '-'}`,
        );
        expect(said).toEqual([
          'follows 1 pending DependencyNeverSatisfied',
          ...[1, 2, 3].map((seed) => `half ${seed} running -`),
          ...[4, 5, 6].map((seed) => `half ${seed} failed CANCELLED`),
          ...[1, 2].map((seed) => `held ${seed} failed CANCELLED`),
        ]);
        await desk.does('scancel', half, follows);
        await lab.ends(half);
        await lab.ends(follows);
      },
      SWEEP_MS,
    );

    test(
      'in a step of srun the ranks record one run, and independent tasks one each, all with their job',
      async () => {
        const desk = lab.desk('steps');
        await desk.does('runfold', 'init', '.runfold');
        const ranks = 'srun -n 3 runfold exec --dataset ranks -- true';
        const tasks = `srun -n 3 sh -c 'runfold exec --independent --dataset tasks --seed $SLURM_PROCID -- true'`;
        const job = await desk.submitsScript('steps', `${ranks}\n${tasks}`, '--ntasks=3');
        await lab.ends(job);
        const rows = await desk.query(
          'SELECT dataset, seed, status, job_id FROM experiment_runs JOIN slurm_jobs USING (run_id) ORDER BY dataset, seed',
        );
        const done = { status: 'completed', job_id: job };
        expect(rows).toEqual([
          { dataset: 'ranks', seed: null, ...done },
          ...[0, 1, 2].map((seed) => ({ dataset: 'tasks', seed, ...done })),
        ]);
      },
      SWEEP_MS,
    );

    describe('the examples, as they are', () => {
      let desk: Desk;
      beforeAll(async () => {
        desk = lab.desk('examples', EXAMPLES);
        await desk.does('runfold', 'init', '.runfold');
      });

      test(
        'a plain job, an array, and one that is requeued and goes on from its checkpoint',
        async () => {
          const inExamples = (script: string, ...args: string[]): Promise<string> =>
            desk.does('sh', '-c', `cd slurm && sbatch --parsable ${[...args, script].join(' ')}`);
          const jobs = await Promise.all([inExamples('plain.sbatch'), inExamples('array.sbatch')]);
          const requeue = (await inExamples('requeue.sbatch', '--export=ALL,EPOCHS=250')).trim();
          await until('it has logged', async () => {
            const [point] = await desk.query(
              "SELECT 1 FROM run_metrics JOIN experiment_runs USING (run_id) WHERE dataset = 'vehicle'",
            );
            return point !== undefined;
          });
          await desk.does('scancel', '--signal=USR1', '--batch', requeue);
          for (const job of [...jobs.map((each) => each.trim()), requeue]) await lab.ends(job);
          const rows = await refresh(desk, (all) => all.every(({ status }) => status === 'completed'));
          expect(rows.map(({ dataset, attempt_count }) => `${dataset} ${attempt_count}`)).toEqual([
            'iris 1',
            'vehicle 2',
            ...Array.from({ length: 5 }, () => 'wine 1'),
          ]);
          const epochs = (await desk.query(
            "SELECT epoch FROM run_metrics JOIN experiment_runs USING (run_id) WHERE dataset = 'vehicle' ORDER BY epoch",
          )) as { epoch: number }[];
          // neither a gap nor a zigzag
          expect(epochs.map(({ epoch }) => epoch)).toEqual(
            Array.from({ length: 250 }, (_, index) => index + 1),
          );
        },
        SWEEP_MS,
      );
    });
  });
}

const four = (name: string): string[] => [1, 2, 3, 4].map((index) => `${name}${index}`);
const tens = (): number[] => Array.from({ length: 10 }, (_, index) => index + 1);
