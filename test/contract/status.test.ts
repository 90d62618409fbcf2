// How an attempt went, from its own words, its wrapper's and SLURM's; and the status of its run.
import { describe, expect, test } from 'vitest';
import { given } from '../helpers/given.ts';
import {
  A,
  B,
  at,
  created,
  metric,
  notes,
  slurm,
  status,
  writerFile,
  writerFileWith,
  type Fields,
} from '../helpers/lines.ts';

const wrapper = (fields: Fields = {}): Fields => ({ source: 'wrapper', ...fields });
const bySlurm = (fields: Fields = {}): Fields => ({ source: 'slurm', attempt: A, ...fields });

/** The run's columns of status when these were said of its one attempt. */
async function after(...words: Fields[]): Promise<Fields> {
  const outcome = await given(writerFile(A, created(0), ...words));
  const [{ status: word, status_reason, exit_code, finished_at } = {}] = outcome.rows('experiment_runs');
  return { status: word, status_reason, exit_code, finished_at };
}

const QUIET = { status_reason: null, exit_code: null, finished_at: null };

describe('the status of an attempt', () => {
  test('none said is pending', async () => {
    expect(await after()).toEqual({ ...QUIET, status: 'pending' });
    expect(await after(metric(1), slurm(2, 'env'))).toEqual({ ...QUIET, status: 'pending' });
  });

  test('terminal beats running beats pending, whenever they were said', async () => {
    const words = ['pending', 'running', 'completed'].map((word, index) => status(9 - index, word));
    expect(await after(words[0]!)).toEqual({ ...QUIET, status: 'pending' });
    expect(await after(words[0]!, words[1]!)).toEqual({ ...QUIET, status: 'running' });
    expect(await after(...words)).toEqual({ ...QUIET, status: 'completed', finished_at: at(7) });
    expect(await after(...words, status(20, 'running', wrapper()), status(21, 'pending'))).toMatchObject({
      status: 'completed',
    });
  });

  test('among terminal ones job beats wrapper beats slurm', async () => {
    const job = status(1, 'completed');
    const wrapped = status(2, 'failed', wrapper());
    const slurms = status(3, 'timeout', bySlurm());
    expect(await after(job, wrapped, slurms)).toMatchObject({ status: 'completed', finished_at: at(1) });
    expect(await after(status(2, 'completed', wrapper()), slurms)).toMatchObject({ status: 'completed' });
    expect(await after(slurms)).toMatchObject({ status: 'timeout', finished_at: at(3) });
  });

  test('which beats which is asked among terminal ones only: of running and pending the last wins', async () => {
    const words = [
      status(5, 'running', { reason: 'job' }),
      status(6, 'running', bySlurm({ reason: 'slurm' })),
    ];
    expect(await after(...words)).toMatchObject({ status: 'running', status_reason: 'slurm' });
  });

  test('among equals the last wins', async () => {
    const words = [status(9, 'failed', { reason: 'later' }), status(3, 'completed', { reason: 'earlier' })];
    expect(await after(...words)).toMatchObject({
      status: 'failed',
      status_reason: 'later',
      finished_at: at(9),
    });
  });

  test('where the winner says failed, SLURM’s timeout makes it timeout and its reason becomes the reason', async () => {
    const slurms = status(3, 'timeout', bySlurm({ reason: 'TIMEOUT', exit_code: 0 }));
    expect(await after(status(2, 'failed', { exit_code: 143, reason: 'SIGTERM' }), slurms)).toEqual({
      status: 'timeout', status_reason: 'TIMEOUT', exit_code: 143, finished_at: at(2),
    }); // prettier-ignore
    expect(await after(status(2, 'failed', wrapper({ exit_code: 137 })), slurms)).toMatchObject({
      status: 'timeout',
    });
  });

  test.each(['OUT_OF_MEMORY', 'NODE_FAIL', 'PREEMPTED', 'CANCELLED by 1000'])(
    'SLURM’s reason explains a failure: %s',
    async (reason) => {
      const said = [
        status(2, 'failed', wrapper({ exit_code: 137 })),
        status(1, 'failed', bySlurm({ reason })),
      ];
      expect(await after(...said)).toEqual({
        status: 'failed',
        status_reason: reason,
        exit_code: 137,
        finished_at: at(2),
      });
    },
  );

  test('SLURM’s last terminal word: its timeout counts as far as it is the last, without a reason the winner’s stays', async () => {
    const failed = status(1, 'failed', { reason: 'ValueError' });
    const first = status(2, 'timeout', bySlurm({ reason: 'TIMEOUT' }));
    expect(await after(failed, first, status(3, 'failed', bySlurm()))).toMatchObject({
      status: 'failed',
      status_reason: 'ValueError',
    });
    expect(await after(failed, status(3, 'timeout', bySlurm()))).toMatchObject({
      status: 'timeout',
      status_reason: 'ValueError',
    });
    // running is no terminal word
    expect(await after(failed, first, status(4, 'running', bySlurm({ reason: 'x' })))).toMatchObject({
      status_reason: 'TIMEOUT',
    });
  });

  test('it explains failed alone: what completed or timed out by its own word keeps its reason', async () => {
    const slurms = status(3, 'timeout', bySlurm({ reason: 'TIMEOUT' }));
    expect(await after(status(1, 'completed', { reason: 'ok' }), slurms)).toMatchObject({
      status: 'completed',
      status_reason: 'ok',
    });
    expect(await after(status(1, 'timeout', { reason: 'own' }), slurms)).toMatchObject({
      status: 'timeout',
      status_reason: 'own',
    });
    // and where SLURM itself is the winner there is nothing to explain
    const words = [
      status(1, 'timeout', bySlurm({ reason: 'TIMEOUT' })),
      status(2, 'failed', bySlurm({ reason: 'NODE_FAIL' })),
    ];
    expect(await after(...words)).toMatchObject({ status: 'failed', status_reason: 'NODE_FAIL' });
  });

  test('exit_code is the winner’s, else the best-ranked one that is not null', async () => {
    const others = [status(5, 'failed', bySlurm({ exit_code: 3 })), status(6, 'running', { exit_code: 4 })];
    expect(await after(status(1, 'failed', { exit_code: 0 }), ...others)).toMatchObject({ exit_code: 0 });
    expect(await after(status(1, 'failed'), ...others)).toMatchObject({ exit_code: 3 });
    expect(
      await after(status(1, 'failed'), ...others, status(2, 'failed', wrapper({ exit_code: 9 }))),
    ).toMatchObject({ exit_code: 9 });
    expect(await after(status(1, 'failed'), others[1]!)).toMatchObject({ exit_code: 4 });
  });

  test('finished_at is the winner’s ts if it is terminal', async () => {
    expect(await after(status(1, 'running'))).toMatchObject({ finished_at: null });
    expect(await after(status(5, 'failed'), status(9, 'completed', wrapper()))).toMatchObject({
      finished_at: at(5),
    });
  });
});

describe('what SLURM shows', () => {
  test.each(['COMPLETED', 'FAILED', 'TIMEOUT', 'RUNNING', 'CANCELLED'])(
    'slurm_info.state never changes a status: %s',
    async (state) => {
      const shown = [slurm(2, 'env'), slurm(3, 'sacct', { state, reason: 'x', exit_code: 1 })];
      expect(await after(status(1, 'running'), ...shown)).toEqual({ ...QUIET, status: 'running' });
      expect(await after(...shown)).toEqual({ ...QUIET, status: 'pending' });
    },
  );

  const ran = [
    created(0),
    slurm(0, 'env', { job_id: '100' }),
    status(1, 'running'),
    status(2, 'failed', { exit_code: 1 }),
  ];
  const requeued = (fields: Fields): Fields =>
    slurm(5, 'squeue', { job_id: '100', restart_count: 1, state: 'PENDING', reason: 'BeginTime', ...fields });

  test('while the newest row of the last attempt’s job is PENDING with a higher restart, the run is pending with SLURM’s reason', async () => {
    (await given(writerFile(A, ...ran, requeued({})))).expectRun({
      status: 'pending',
      status_reason: 'BeginTime',
      exit_code: null,
      finished_at: null,
      started_at: at(1),
    });
  });

  const FAILED = { status: 'failed', status_reason: null, exit_code: 1, finished_at: at(2) };
  test.each([
    ['another job', requeued({ job_id: '101' })],
    ['the same restart', requeued({ restart_count: 0 })],
    ['one that SLURM does not know any more', requeued({ reason: 'unknown' })],
    ['one of which no state is known', requeued({ state: null })],
    [
      'one whose newest restart is done',
      slurm(6, 'sacct', { restart_count: 2, state: 'FAILED' }),
      requeued({}),
    ],
  ] as [string, ...Fields[]][])('not so: %s', async (_, ...shown) => {
    expect(await after(...ran.slice(1), ...shown)).toEqual(FAILED);
  });

  test.each(['CONFIGURING', 'RUNNING', 'REQUEUE_HOLD'])(
    'a later restart that is %s and in which no attempt has begun: pending, and why',
    async (state) => {
      (await given(writerFile(A, ...ran, requeued({ state })))).expectRun({
        status: 'pending',
        status_reason: state,
        exit_code: null,
        finished_at: null,
      });
    },
  );

  test('the higher restart of the attempt’s own environment ends the waiting', async () => {
    const again = writerFile(B, created(10), slurm(10, 'env', { restart_count: 1 }), status(10, 'running'));
    (await given(writerFile(A, ...ran, requeued({})), again)).expectRun({
      status: 'running',
      status_reason: null,
      attempt_count: 2,
    });
    // and one restart later it waits again
    const waits = slurm(20, 'squeue', { attempt: B, restart_count: 2, state: 'PENDING', reason: 'Priority' });
    (await given(writerFile(A, ...ran, requeued({}), waits), again)).expectRun({
      status: 'pending',
      status_reason: 'Priority',
    });
  });

  test('without its own word of its job, the job is the last that SLURM named and its restart the lowest', async () => {
    const shown = [
      slurm(3, 'squeue', { job_id: '7', restart_count: 0, state: 'RUNNING' }),
      requeued({ job_id: '7' }),
    ];
    (await given(writerFile(A, created(0), ...shown))).expectRun({
      status: 'pending',
      status_reason: 'BeginTime',
      slurm_job_id: '7',
    });
  });
});

test('the job that SLURM named last is the one that it named at the latest time', async () => {
  const named = [slurm(9, 'squeue', { job_id: '8' }), slurm(3, 'sacct', { job_id: '7' })];
  (await given(writerFile(A, created(0), ...named))).expectRun({ slurm_job_id: '8' });
});

describe('the status of a run', () => {
  test('is that of its last attempt', async () => {
    const first = writerFile(A, created(0), status(1, 'completed', { exit_code: 0 }));
    (await given(first, writerFile(B, created(5), status(6, 'running')))).expectRun({
      status: 'running',
      exit_code: null,
      finished_at: null,
      started_at: at(6),
    });
    (await given(first, writerFile(B, created(5)))).expectRun({ status: 'pending' });
    // a word about the first that comes later is about the first
    (await given(first, writerFile(B, created(5)), notes(status(9, 'failed', { attempt: A })))).expectRun({
      status: 'pending',
    });
  });

  test('is never failed from silence alone', async () => {
    // the projector’s clock is weeks after the last sign of life
    (await given(writerFileWith(A, {}, created(0), status(0, 'running'), metric(1)))).expectRun({
      status: 'running',
    });
  });
});
