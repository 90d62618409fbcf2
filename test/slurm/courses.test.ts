// Recorded jobs at several moments: waiting, running, started again, ended. What each moment makes of a run.
import { describe, expect, test } from 'vitest';
import { parseSacct } from '../../src/slurm/sacct.ts';
import { parseSqueue } from '../../src/slurm/squeue.ts';
import { recorded, RunWorld, sacctOf, squeueHeader, squeueLine, squeueOf, type Job } from './recorded.ts';

const NOBODY = { rows: [] };

function task(array: string, number: number): Job {
  return { job_id: array, array_job_id: array, array_task_id: String(number) };
}

function attemptsOf(world: RunWorld): unknown[] {
  return world.folded.attempts.map(({ status, reason }) => [status, reason]);
}

/** The answers of the moment when the scenario was in the middle. */
function middle(scenario: string): [ReturnType<typeof squeueOf>, ReturnType<typeof sacctOf>] {
  return [squeueOf(scenario, 'squeue-mid.psv'), sacctOf(scenario, 'sacct-mid.psv')];
}

test('stub: while sacct has a stub, or nothing, the run runs on', () => {
  const [head = ''] = recorded('stub', 'sacct.psv').split('\n');
  const world = new RunWorld().start('a0', { job_id: '106' });
  const moments = recorded('stub', 'poll.txt').split(/^# .*\n/m);
  const seen = moments.map((moment) => {
    const lines = moment.trimEnd().split('\n');
    const sacct = lines.filter((line) => line !== '' && !line.startsWith('squeue: '));
    const [, state] = /^squeue: 106\|(\w+)\|/m.exec(moment) ?? [];
    const queue = state === undefined ? '' : squeueLine({ jobid: '106', jobarrayid: '106', state });
    world.refresh(
      { rows: parseSqueue(`${squeueHeader()}\n${queue}`).rows },
      { rows: parseSacct([head, ...sacct].join('\n')).rows },
    );
    const { run, slurmJobs } = world.folded;
    return [run.status, slurmJobs.length];
  });
  expect(seen.length).toBeGreaterThan(5);
  expect(seen.slice(0, -1)).toEqual(seen.slice(1).map(() => ['running', 1]));
  expect(world.folded.run).toMatchObject({ status: 'failed', exit_code: 3 });
});

describe('array20', () => {
  test.each(Array.from({ length: 20 }, (_, index) => index + 1))('task %i', (number) => {
    const world = new RunWorld().submit('a0', task('17', number));
    const [squeue, sacct] = middle('array20');
    world.refresh(squeue, sacct);
    // the last of an array has the array's own id, whose stub in sacct is no word on the others
    const isThere = squeue.rows.some((row) => row.task === String(number));
    expect(world.folded.run.status).toBe(isThere ? 'running' : 'pending');
    const job_id = String(number === 20 ? 17 : 17 + number);
    if (isThere) expect(world.folded.slurmJobs).toMatchObject([{ job_id, state: 'RUNNING' }]);

    world.refresh(squeueOf('array20'), sacctOf('array20'));
    const { run, slurmJobs } = world.folded;
    expect(run).toMatchObject({ status: 'completed', exit_code: 0, attempt_count: 1 });
    expect(slurmJobs).toMatchObject([{ job_id, array_task_id: String(number), state: 'COMPLETED' }]);
    expect(world.refresh(squeueOf('array20'), sacctOf('array20'))).toEqual([]);
  });
});

describe('a job that waits is pending, with the reason, and says so once', () => {
  test.each([
    ['dependency_waiting', '104', 'Dependency'],
    ['pending_resources', '119', 'PartitionNodeLimit'],
    ['dependency', '101', 'DependencyNeverSatisfied'],
  ])('%s', (scenario, job_id, reason) => {
    const world = new RunWorld().submit('a0', { job_id });
    const answers = [squeueOf(scenario, 'squeue.psv'), sacctOf(scenario, 'sacct.psv')] as const;
    world.refresh(...answers);
    expect(world.folded.run).toMatchObject({ status: 'pending', started_at: null });
    expect(world.folded.slurmJobs).toMatchObject([{ state: 'PENDING', reason, started_at: null }]);
    expect(world.refresh(...answers)).toEqual([]);
  });

  test('by sacct alone too', () => {
    const world = new RunWorld().submit('a0', { job_id: '119' });
    world.refresh('missing', sacctOf('pending_resources'));
    expect(world.folded.run.status).toBe('pending');
    expect(world.folded.slurmJobs).toMatchObject([{ state: 'PENDING', reason: 'PartitionNodeLimit' }]);
  });
});

test('dependency: first it waits, then in vain, then somebody cancels it', () => {
  const world = new RunWorld().submit('a0', { job_id: '101' });
  world.refresh(squeueOf('dependency', 'squeue-early.psv'), sacctOf('dependency', 'sacct-early.psv'));
  expect(world.folded.slurmJobs).toMatchObject([{ reason: 'Dependency' }]);
  world.refresh(squeueOf('dependency'), sacctOf('dependency', 'sacct.psv'));
  expect(world.folded.slurmJobs).toMatchObject([{ state: 'PENDING', reason: 'DependencyNeverSatisfied' }]);
  world.refresh(NOBODY, sacctOf('dependency', 'sacct-after-scancel.psv'));
  const { run, slurmJobs } = world.folded;
  expect(run).toMatchObject({ status: 'failed', status_reason: 'CANCELLED', started_at: null });
  expect(slurmJobs).toMatchObject([
    { state: 'CANCELLED by 1001', reason: 'DependencyNeverSatisfied', started_at: null },
  ]);
});

test('node_reboot: what SLURM calls running a minute after its node was killed is running', () => {
  const world = new RunWorld().start('a0', { job_id: '131' });
  world.refresh(...middle('node_reboot'));
  expect(world.folded.slurmJobs).toMatchObject([{ state: 'RUNNING', node_list: 'node4', ended_at: null }]);
  expect(world.refresh(squeueOf('node_reboot'), sacctOf('node_reboot'))).toEqual([]);
  expect(world.folded.run).toMatchObject({ status: 'running', status_reason: null });
});

describe('a requeue', () => {
  test.each([
    ['requeue', '73', '2026-11-23T21:40:19.000Z'],
    ['linuxproc_requeue', '1156', '2026-11-23T21:36:13.000Z'],
  ])(
    '%s: until its processes have ended it goes on, though both count the end already',
    (scenario, job_id, end) => {
      const world = new RunWorld().start('a0', { job_id });
      const later = world.now;
      world.now = Date.parse(end);
      world.refresh(...middle(scenario));
      world.now = later;
      expect(world.folded.run.status).toBe('running');
      expect(world.folded.slurmJobs).toMatchObject([
        { restart_count: 0, state: 'COMPLETING', ended_at: null },
      ]);

      world.start('a1', { job_id, restart_count: 1 }, '2026-11-23T21:31:00.000Z');
      world.refresh(squeueOf(scenario), sacctOf(scenario));
      expect(attemptsOf(world)).toEqual([
        ['failed', 'REQUEUED'],
        ['completed', null],
      ]);
      expect(world.folded.slurmJobs).toMatchObject([
        { restart_count: 0, state: 'REQUEUED', ended_at: end, attempt: 'a0' },
        { restart_count: 1, state: 'COMPLETED', attempt: 'a1' },
      ]);
      expect(world.refresh(squeueOf(scenario), sacctOf(scenario))).toEqual([]);
    },
  );

  test('requeue_finished: of a job that had ended; it is pending again, and how it ended is kept', () => {
    const world = new RunWorld().start('a0', { job_id: '75' });
    world.refresh(NOBODY, sacctOf('requeue_finished', 'sacct-before.psv'));
    expect(world.folded.run).toMatchObject({ status: 'failed', exit_code: 4 });
    world.refresh(...middle('requeue_finished'));
    expect(world.folded.run).toMatchObject({ status: 'pending', status_reason: 'NonZeroExitCode' });
    expect(world.folded.slurmJobs).toMatchObject([
      { restart_count: 0, state: 'FAILED', exit_code: 4 },
      { restart_count: 1, state: 'PENDING', exit_code: null },
    ]);
    world.start('a1', { job_id: '75', restart_count: 1 }, '2026-11-23T21:31:00.000Z');
    world.refresh(squeueOf('requeue_finished'), sacctOf('requeue_finished'));
    expect(attemptsOf(world)).toEqual([
      ['failed', null],
      ['completed', null],
    ]);
  });

  test('requeuehold: it waits for somebody, who cancels it', () => {
    const world = new RunWorld().start('a0', { job_id: '76' });
    world.now = Date.parse('2026-11-23T21:41:08.000Z');
    world.refresh(squeueOf('requeuehold', 'squeue-mid.psv'), {
      rows: sacctOf('requeuehold').rows.slice(0, 1),
    });
    expect(world.folded.run).toMatchObject({
      status: 'pending',
      status_reason: 'job requeued in held state',
    });
    world.refresh(squeueOf('requeuehold'), sacctOf('requeuehold'));
    expect(world.folded.run).toMatchObject({
      status: 'failed',
      status_reason: 'CANCELLED',
      attempt_count: 1,
    });
    expect(world.folded.slurmJobs).toMatchObject([
      { restart_count: 0, state: 'REQUEUED' },
      { restart_count: 1, state: 'CANCELLED by 1001', started_at: null },
    ]);
  });

  test('requeue_array_task: one task is started again, and the others are not', () => {
    for (const number of [1, 2, 3, 4]) {
      const job_id = String(number === 4 ? 77 : 77 + number);
      const world = new RunWorld().start('a0', { ...task('77', number), job_id });
      world.refresh(...middle('requeue_array_task'));
      const state = number === 2 ? 'COMPLETING' : 'RUNNING';
      expect(world.folded.slurmJobs).toMatchObject([{ job_id, restart_count: 0, state }]);
      if (number === 2) {
        world.start('a1', { ...task('77', 2), job_id, restart_count: 1 }, '2026-11-23T21:31:00.000Z');
      }
      world.refresh(squeueOf('requeue_array_task'), sacctOf('requeue_array_task'));
      const last = ['completed', null];
      expect(attemptsOf(world)).toEqual(number === 2 ? [['failed', 'REQUEUED'], last] : [last]);
      expect(world.folded.slurmJobs).toHaveLength(number === 2 ? 2 : 1);
    }
  });
});
