// What a refresh does while parts of SLURM are away.
import { beforeAll, describe, expect, test } from 'vitest';
import { UNTIL_LOGGED, type Desk, type Lab } from './lab.ts';

const OUTAGE_MS = 180_000;

export function describeOutages(lab: Lab): void {
  describe('while parts of SLURM are away', () => {
    let desk: Desk;
    beforeAll(async () => {
      desk = lab.desk('outages');
      await desk.does('runfold', 'init', '.runfold');
    });

    const statusOf = async (dataset: string): Promise<unknown> =>
      (await desk.query(`SELECT status, status_reason FROM experiment_runs WHERE dataset = '${dataset}'`))[0];

    test(
      'the controller is down: sacct alone is heard, what is not known stays as it is, and it is said',
      async () => {
        const silent = await desk.submitsScript('silent', KILLED('silent'), '--mem=100M');
        const alive = await desk.submitsScript(
          'alive',
          `exec runfold exec --dataset alive -- sleep 60`,
          '--mem=100M',
        );
        await lab.ends(silent);
        await lab.reaches(alive, 'RUNNING');
        await lab.accounted(silent);
        await lab.administer('stop-ctld');
        try {
          const asked = await desk.run('runfold', 'slurm', 'refresh', '--force');
          expect(asked.stderr + asked.stdout).toContain('squeue');
          expect(asked.code).toBe(0);
          expect(await statusOf('silent')).toMatchObject({ status: 'failed' });
          expect(await statusOf('alive')).toMatchObject({ status: 'running' });
        } finally {
          await lab.administer('start-ctld');
        }
        await lab.reaches(alive, 'RUNNING', 'COMPLETED');
        await desk.does('scancel', alive);
        await lab.ends(alive);
      },
      OUTAGE_MS,
    );

    test(
      'the accounting is down: the queue alone is heard, and the rest follows when it is back',
      async () => {
        await lab.administer('stop-dbd');
        try {
          const job = await desk.submitsScript('unaccounted', KILLED('unaccounted'), '--mem=100M');
          await lab.ends(job);
          const asked = await desk.run('runfold', 'slurm', 'refresh', '--force');
          expect(asked.stderr + asked.stdout).toContain('sacct');
          expect(asked.code).toBe(0);
          expect(await statusOf('unaccounted')).toMatchObject({ status: 'failed' });
        } finally {
          await lab.administer('start-dbd');
        }
      },
      OUTAGE_MS,
    );

    test(
      'there is no sacct: the queue alone is heard',
      async () => {
        const job = await desk.submitsScript('no-sacct', KILLED('no-sacct'), '--mem=100M');
        await lab.ends(job);
        const path = await desk.pathWithout('sacct');
        const asked = await desk.run('env', `PATH=${path}`, 'runfold', 'slurm', 'refresh', '--force');
        expect(asked.stderr + asked.stdout).toContain('sacct');
        expect(asked.code).toBe(0);
        expect(await statusOf('no-sacct')).toMatchObject({ status: 'failed' });
      },
      OUTAGE_MS,
    );

    test('there is neither: nothing is written, and the exit code says so', async () => {
      const path = await desk.pathWithout('sacct', 'squeue');
      const job = await desk.submitsScript('nobody', KILLED('nobody'), '--mem=100M');
      await lab.ends(job);
      const before = await statusOf('nobody');
      const asked = await desk.run('env', `PATH=${path}`, 'runfold', 'slurm', 'refresh', '--force');
      expect(asked).toMatchObject({ code: 1 });
      expect(await statusOf('nobody')).toEqual(before);
      expect(before).toMatchObject({ status: 'running' });
    });
  });
}

/** A run that is killed with its wrapper, so that only SLURM knows. */
const KILLED = (name: string): string =>
  `runfold exec --dataset ${name} -- sleep 60 &\n${UNTIL_LOGGED}\nkill -KILL $!\nwait $!`;
