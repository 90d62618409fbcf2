// slurm_jobs: what the environment, squeue and sacct said of a job, merged column by column.
import { describe, expect, test } from 'vitest';
import { given } from '../helpers/given.ts';
import {
  A,
  B,
  C,
  at,
  created,
  slurm,
  status,
  writerFile,
  writerFileWith,
  type Fields,
  type GivenFile,
} from '../helpers/lines.ts';

async function job(...said: Fields[]): Promise<Fields> {
  const rows = (await given(writerFile(A, created(0), ...said))).rows('slurm_jobs');
  expect(rows).toHaveLength(1);
  return rows[0] ?? {};
}

describe('slurm_jobs', () => {
  test('one row for each run, job id and restart (one job may run many runs)', async () => {
    const other = {
      run_id: '574aw6szr0ac8rkg',
      experiment_number: -3,
      dataset: 'd',
      method: 'm',
      subject: 's',
      cl_info: '{"a":1}',
      seed: 0,
    };
    const said = [
      created(0), created(0, other), slurm(1, 'env'), slurm(1, 'env', { run_id: other.run_id }),
      slurm(2, 'env', { restart_count: 1 }), slurm(3, 'env', { job_id: '20' }), slurm(4, 'env', { restart_count: 0, cpus: 4 }),
    ]; // prettier-ignore
    (await given(writerFile(A, ...said))).expectJobs(
      { run_id: other.run_id, job_id: '100', restart_count: 0 },
      { job_id: '100', restart_count: 0, cpus: 4 },
      { job_id: '100', restart_count: 1, cpus: null },
      { job_id: '20', restart_count: 0 },
    );
  });

  test('column by column the last non-null: sacct over squeue over env, whatever their times', async () => {
    const said = [
      slurm(3, 'env', { partition: 'e', account: 'e', cpus: 1, node_list: 'n1' }),
      slurm(2, 'squeue', { partition: 's', account: 's', cpus: null, reason: 'Resources' }),
      slurm(1, 'sacct', { partition: 'a', max_rss_mb: 5 }),
    ];
    expect(await job(...said)).toMatchObject({
      partition: 'a',
      account: 's',
      cpus: 1,
      node_list: 'n1',
      reason: 'Resources',
      max_rss_mb: 5,
    });
  });

  test('then by ts', async () => {
    const said = [slurm(9, 'sacct', { cpus: 9, gpus: null }), slurm(3, 'sacct', { cpus: 3, gpus: 1 })];
    expect(await job(...said)).toMatchObject({ cpus: 9, gpus: 1 });
  });

  test('then by writer and seq', async () => {
    const by = (writer: string, ...nodes: string[]): GivenFile =>
      writerFileWith(writer, { attempt: A }, ...nodes.map((node_list) => slurm(1, 'squeue', { node_list })));
    (await given(writerFile(A, created(0)), by(C, 'n4', 'n3'), by(B, 'n9'))).expectJobs({ node_list: 'n3' });
  });

  test('every column but state, attempt and exit_code', async () => {
    const columns = {
      array_job_id: ['1', '2'], array_task_id: ['3', '4'], reason: ['a', 'b'], partition: ['a', 'b'], account: ['a', 'b'],
      node_list: ['a', 'b'], cpus: [2, 1], gpus: [2, 1], memory_mb: [2, 1.5], time_limit_seconds: [2, 1],
      submitted_at: [at(9), at(8)], started_at: [at(9), at(8)], ended_at: [at(9), at(8)], signal: [15, 9],
      max_rss_mb: [2, 1], cpu_seconds: [4, 3.5], stdout_path: ['/a', '/b'], stderr_path: ['/a', '/b'],
    }; // prettier-ignore
    const fields = (index: 0 | 1): Fields =>
      Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[index]]));
    const nothing = slurm(9, 'sacct');
    expect(await job(slurm(1, 'squeue', fields(0)), slurm(2, 'squeue', fields(1)), nothing)).toMatchObject(
      fields(1),
    );
    expect(await job(slurm(1, 'sacct', fields(0)), slurm(2, 'squeue', fields(1)), nothing)).toMatchObject(
      fields(0),
    );
  });

  test('what is said of a task under its array’s id is of the id that the task has as soon as that is known', async () => {
    const task = { array_job_id: 69, array_task_id: '3' };
    const submitted = slurm(1, 'squeue', { ...task, job_id: '69', state: 'PENDING', attempt: A });
    const started = slurm(2, 'env', { ...task, job_id: '72', array_job_id: '69', state: 'RUNNING' });
    const other = slurm(1, 'squeue', { ...task, job_id: '69', array_task_id: 4, state: 'PENDING' });
    const alone = await given(writerFile(A, created(0), submitted));
    alone.expectJobs({ job_id: '69', array_task_id: '3' });
    alone.expectRun({ slurm_job_id: '69' });
    const both = await given(writerFile(A, created(0), started, submitted));
    both.expectJobs({ job_id: '72', array_job_id: '69', array_task_id: '3', state: 'PENDING' });
    both.expectRun({ slurm_job_id: '72', slurm_array_task_id: '3' });
    const plain = slurm(3, 'sacct', { job_id: '72', node_list: 'n1', state: 'COMPLETED' });
    (await given(writerFile(A, created(0), submitted, started, other, plain))).expectJobs(
      { job_id: '69', array_task_id: '4' },
      { job_id: '72', state: 'COMPLETED', node_list: 'n1' },
    );
  });

  test('a run that waits in the queue has SLURM’s reason', async () => {
    const waits = slurm(1, 'squeue', { state: 'PENDING', reason: 'Priority' });
    const reasonOf = async (...said: Fields[]): Promise<unknown> => {
      const outcome = await given(writerFile(A, created(0), ...said));
      return outcome.rows('experiment_runs').map(({ status: how, status_reason }) => [how, status_reason])[0];
    };
    expect(await reasonOf(waits)).toEqual(['pending', 'Priority']);
    expect(await reasonOf(waits, status(2, 'pending', { reason: 'mine' }))).toEqual(['pending', 'mine']);
    expect(await reasonOf(waits, status(2, 'running'))).toEqual(['running', null]);
    expect(await reasonOf(waits, slurm(2, 'squeue', { state: 'RUNNING' }))).toEqual(['pending', null]);
  });

  test('the last task of an array bears the array’s id', async () => {
    const said = { array_job_id: '69', array_task_id: '9', job_id: '69' };
    (
      await given(
        writerFile(
          A,
          created(0),
          slurm(1, 'squeue', said),
          slurm(2, 'env', said),
          slurm(3, 'env', { ...said, restart_count: 1 }),
        ),
      )
    ).expectJobs({ job_id: '69', restart_count: 0 }, { job_id: '69', restart_count: 1 });
  });

  test('state: terminal first, then the last', async () => {
    const done = slurm(2, 'squeue', { state: 'COMPLETED' });
    const stale = slurm(9, 'sacct', { state: 'RUNNING' });
    expect(await job(done, stale)).toMatchObject({ state: 'COMPLETED' });
    expect(await job(done, stale, slurm(3, 'squeue', { state: 'CANCELLED by 1000' }))).toMatchObject({
      state: 'CANCELLED by 1000',
    });
    expect(
      await job(slurm(1, 'squeue', { state: 'PENDING' }), slurm(2, 'squeue', { state: 'RUNNING' })),
    ).toMatchObject({ state: 'RUNNING' });
    expect(
      await job(slurm(1, 'sacct', { state: 'RUNNING' }), slurm(2, 'squeue', { state: 'PENDING' })),
    ).toMatchObject({ state: 'RUNNING' });
  });

  test.each([
    'BOOT_FAIL', 'CANCELLED', 'COMPLETED', 'DEADLINE', 'FAILED', 'LAUNCH_FAILED', 'NODE_FAIL', 'OUT_OF_MEMORY',
    'PREEMPTED', 'REQUEUED', 'REVOKED', 'SPECIAL_EXIT', 'TIMEOUT', 'timeout', 'CANCELLED by 0',
  ])('%s is terminal', async (state) => {
    expect(await job(slurm(1, 'env', { state }), slurm(2, 'sacct', { state: 'RUNNING' }))).toMatchObject({ state });
  }); // prettier-ignore

  test.each(['PENDING', 'RUNNING', 'SUSPENDED', 'COMPLETING', 'CONFIGURING', 'STOPPED', 'RESIZING', ''])(
    '%s is not terminal',
    async (state) => {
      expect(await job(slurm(1, 'env', { state: 'FAILED' }), slurm(2, 'sacct', { state }))).toMatchObject({
        state: 'FAILED',
      });
    },
  );

  test('SLURM’s exit code never replaces the wrapper’s', async () => {
    const seen = slurm(1, 'env', { exit_code: 137 });
    expect(await job(seen, slurm(2, 'sacct', { exit_code: 9 }))).toMatchObject({ exit_code: 137 });
    expect(
      await job(slurm(1, 'env'), slurm(2, 'sacct', { exit_code: 9 }), slurm(3, 'squeue', { exit_code: 1 })),
    ).toMatchObject({ exit_code: 9 });
    expect(await job(seen, slurm(2, 'env', { exit_code: 1 }), slurm(3, 'env'))).toMatchObject({
      exit_code: 1,
    });
    expect(await job(slurm(1, 'env', { exit_code: 0 }), slurm(2, 'sacct', { exit_code: 9 }))).toMatchObject({
      exit_code: 0,
    });
  });

  test('attempt is that of the last event of source env, else of the last by the same order', async () => {
    const schedulers = [slurm(9, 'squeue', { attempt: 'squeue' }), slurm(1, 'sacct', { attempt: 'sacct' })];
    expect(await job(...schedulers)).toMatchObject({ attempt: 'sacct' });
    const job1 = slurm(3, 'env', { attempt: 'first' });
    const job2 = slurm(4, 'env', { attempt: 'env' });
    expect(await job(...schedulers, job2, job1)).toMatchObject({ attempt: 'env' });
  });

  test('the run’s own job is the last of source env of its last attempt, and the array task that of its row', async () => {
    const first = writerFile(A, created(0), slurm(1, 'env', { job_id: '1', array_task_id: '11' }));
    const second = writerFile(
      B,
      created(5),
      slurm(6, 'env', { job_id: '3' }),
      slurm(7, 'env', { job_id: '2', array_task_id: '22' }),
    );
    const later = writerFile(C, slurm(9, 'sacct', { job_id: '4', attempt: B, array_task_id: '44' }));
    (await given(first, second, later)).expectRun({ slurm_job_id: '2', slurm_array_task_id: '22' });
    (await given(first, later)).expectRun({ slurm_job_id: '1', slurm_array_task_id: '11' });
  });
});
