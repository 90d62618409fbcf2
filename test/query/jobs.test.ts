import { describe, expect, it } from 'vitest';
import { runId } from '../../src/events/run-id.ts';
import { getJobHours, getJobs, getJobTasks } from '../../src/query/index.ts';
import { created, keyOf, of, TestLedger, type Fields } from './ledger.ts';

type Key = ReturnType<typeof keyOf>;

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const now = NOW;

function minute(count: number): string {
  return new Date(Date.UTC(2026, 10, 23, 10, 0, 0) + count * 60_000).toISOString();
}

async function ledgerOf(...fields: readonly Fields[]): Promise<TestLedger> {
  const built = new TestLedger();
  await built.add(fields.map((each) => ({ file: 0, fields: each })));
  return built;
}

function job(key: Key, attempt: string, at: number, more: Fields): Fields {
  return of(key, 'slurm_info', at, { source: 'sacct', attempt, ...more });
}

function ended(key: Key, attempt: string, at: number, status: string, more: Fields = {}): Fields {
  return of(key, 'status_changed', at, { status, attempt, ...more });
}

/** A task of array 100, of a run of its own, an hour of 4 CPUs and a GPU. */
function task(number: number, state: string, more: Fields = {}): Fields[] {
  const [key, attempt] = [keyOf(number), `a${number}`];
  const isPending = state === 'PENDING';
  const run = isPending ? { job_id: '100', reason: 'Priority' } : { ...HOUR, job_id: String(100 + number) };
  const array = { array_job_id: '100', array_task_id: String(number) };
  const end = state === 'COMPLETED' ? 'completed' : 'failed';
  return [
    created(key, 0, { attempt }),
    job(key, attempt, 1, { ...run, ...array, state, ...more }),
    ...(isPending ? [] : [ended(key, attempt, 60, end, { source: 'slurm' })]),
  ];
}

const HOUR = { started_at: minute(0), ended_at: minute(60), cpus: 4, gpus: 1, node_list: 'node[1-2]' };

describe('getJobs', () => {
  it('folds an array into one job: states, holes, reasons, use, hours', async () => {
    const { db } = await ledgerOf(
      ...task(1, 'COMPLETED', {
        memory_mb: 4096,
        max_rss_mb: 100,
        cpu_seconds: 7200,
        time_limit_seconds: 7200,
      }),
      ...task(2, 'OUT_OF_MEMORY', {
        memory_mb: 4096,
        max_rss_mb: 4000,
        cpu_seconds: 0,
        time_limit_seconds: 4000,
      }),
      ...task(4, 'CANCELLED by 1001', { node_list: 'node7' }),
      ...task(8, 'PENDING'),
      ...task(9, 'PENDING', { reason: 'Resources' }),
    );
    expect(getJobs(db, { now })).toEqual([
      expect.objectContaining({
        job_id: '100',
        is_array: true,
        tasks: 5,
        states: { PENDING: 2, COMPLETED: 1, OUT_OF_MEMORY: 1, CANCELLED: 1 },
        has_ended: false,
        missing: '3,5-7',
        missing_count: 4,
        requeues: 0,
        node_list: 'node[1-2,7]',
        reasons: { Priority: 1, Resources: 1 },
        elapsed_seconds: 3600,
        time_limit_seconds: 4000,
        memory_mb: 4096,
        max_rss_mb: 4000,
        // of the two of which it is known
        cpu_efficiency: 7200 / (2 * 4 * 3600),
        is_sampled: { cpu_efficiency: false, max_rss_mb: false },
        gpu_hours: 3,
        cpu_hours: 12,
        hours: {
          completed: { gpu_hours: 1, cpu_hours: 4 },
          failed: { gpu_hours: 2, cpu_hours: 8 },
        },
      }),
    ]);
  });

  it('a filter takes tasks out of an array, and makes no holes of them', async () => {
    const { db } = await ledgerOf(...[1, 2, 3, 5].flatMap((number) => task(number, 'COMPLETED')));
    const [found] = getJobs(db, { now, seed: [1, 3] });
    expect(found).toMatchObject({
      tasks: 2,
      missing: '4',
      cpu_hours: 8,
      run_ids: [runId(keyOf(1)), runId(keyOf(3))],
    });
    expect(getJobs(db, { now, seed: 9 })).toEqual([]);
    expect(getJobs(db, { now, runId: runId(keyOf(5)) })).toMatchObject([{ tasks: 1 }]);
  });

  it('finds states and jobs that have not ended, newest first, and no more than asked for', async () => {
    const plain = (seed: number, id: string, state: string): Fields[] => [
      created(keyOf(seed), 0, { attempt: `p${seed}` }),
      job(keyOf(seed), `p${seed}`, 1, { job_id: id, state }),
    ];
    const { db } = await ledgerOf(
      ...plain(1, '9', 'COMPLETED'),
      ...plain(2, '10', 'RUNNING'),
      ...plain(3, '11', 'OUT_OF_MEMORY'),
      ...plain(4, '200', 'PENDING'),
    );
    const ids = (options: object): string[] => getJobs(db, { now, ...options }).map(({ job_id }) => job_id);
    expect(ids({})).toEqual(['200', '11', '10', '9']);
    expect(ids({ limit: 2 })).toEqual(['200', '11']);
    expect(ids({ active: true })).toEqual(['200', '10']);
    expect(ids({ state: ['out_of_memory', 'RUNNING'] })).toEqual(['11', '10']);
    expect(ids({ state: 'running', limit: 1 })).toEqual(['10']);
    expect(ids({ state: "x' OR 1=1 --*" })).toEqual([]);
    for (const wrong of [{ limit: -1 }, { state: 3 }, { state: [null] }, { sort: [] }])
      expect(() => ids(wrong)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('without SLURM’s word since the end, the runs’ own stands there', async () => {
    const key = keyOf(1);
    const { db } = await ledgerOf(
      created(key, 0, { attempt: 'a' }),
      of(key, 'slurm_info', 0, { job_id: '7', source: 'env', state: 'RUNNING', cpus: 2, attempt: 'a' }),
      of(key, 'status_changed', 0, { status: 'running', attempt: 'a' }),
      ended(key, 'a', 30, 'completed'),
    );
    expect(getJobs(db, { now })).toMatchObject([
      { states: { completed: 1 }, has_ended: true, elapsed_seconds: 1800, cpu_hours: 1, gpu_hours: null },
    ]);
  });

  it('uses samples where SLURM has said nothing, and says so', async () => {
    const key = keyOf(1);
    const { db } = await ledgerOf(
      created(key, 0, { attempt: 'a' }),
      job(key, 'a', 0, { job_id: '7', state: 'RUNNING', cpus: 2, started_at: minute(0), cpu_seconds: 0 }),
      ...[50, 150].map((cpu_percent, index) =>
        of(key, 'resource_sample', 1, {
          elapsed_seconds: index,
          cpu_percent,
          rss_mb: 10 * index,
          attempt: 'a',
        }),
      ),
    );
    expect(getJobs(db, { now })).toMatchObject([
      { cpu_efficiency: 0.5, max_rss_mb: 10, is_sampled: { cpu_efficiency: true, max_rss_mb: true } },
    ]);
  });
});

describe('restarts', () => {
  const key = keyOf(1);
  const requeued = (): Promise<TestLedger> =>
    ledgerOf(
      created(key, 0, { attempt: 'a' }),
      job(key, 'a', 1, { ...HOUR, job_id: '7', state: 'NODE_FAIL' }),
      ended(key, 'a', 60, 'failed', { source: 'slurm', reason: 'NODE_FAIL' }),
      created(key, 70, { attempt: 'b' }),
      job(key, 'b', 71, { ...HOUR, job_id: '7', restart_count: 1, state: 'COMPLETED', gpus: 2 }),
      ended(key, 'b', 130, 'completed'),
    );

  it('are one line; each attempt’s hours count by how it ended itself', async () => {
    const { db } = await requeued();
    expect(getJobs(db, { now })).toMatchObject([
      { states: { COMPLETED: 1 }, requeues: 1, tasks: 1, gpu_hours: 3 },
    ]);
    expect(
      getJobTasks(db, { now }).map(({ restart_count, state, is_newest }) => [
        restart_count,
        state,
        is_newest,
      ]),
    ).toEqual([
      [0, 'NODE_FAIL', false],
      [1, 'COMPLETED', true],
    ]);
    expect(getJobHours(db, { now })).toEqual([
      { status: 'completed', starts: 1, gpu_hours: 2, cpu_hours: 4 },
      { status: 'failed', starts: 1, gpu_hours: 1, cpu_hours: 4 },
    ]);
  });

  it('one that waits is pending, though what SLURM says of it names the attempt that failed', async () => {
    const { db } = await ledgerOf(
      created(key, 0, { attempt: 'a' }),
      job(key, 'a', 1, { ...HOUR, job_id: '7', state: 'NODE_FAIL' }),
      ended(key, 'a', 60, 'failed', { source: 'slurm', reason: 'NODE_FAIL' }),
      job(key, 'a', 61, {
        job_id: '7',
        restart_count: 1,
        state: 'PENDING',
        reason: 'BeginTime',
        source: 'squeue',
      }),
    );
    expect(getJobs(db, { now })).toMatchObject([
      {
        states: { PENDING: 1 },
        has_ended: false,
        reasons: { BeginTime: 1 },
        elapsed_seconds: null,
        requeues: 1,
      },
    ]);
    expect(getJobHours(db, { now })).toMatchObject([{ status: 'failed', cpu_hours: 4 }]);
  });

  it('one that nobody said the end of was lost when the next began', async () => {
    const { db } = await ledgerOf(
      created(key, 0, { attempt: 'a' }),
      job(key, 'a', 1, { job_id: '7', state: 'RUNNING', started_at: minute(0), cpus: 1 }),
      created(key, 70, { attempt: 'b' }),
      job(key, 'b', 71, {
        job_id: '7',
        restart_count: 1,
        state: 'RUNNING',
        submitted_at: minute(60),
        started_at: minute(90),
        cpus: 1,
      }),
    );
    expect(getJobTasks(db, { now }).map(({ state, elapsed_seconds }) => [state, elapsed_seconds])).toEqual([
      ['superseded', 3600],
      ['RUNNING', 1800],
    ]);
    expect(getJobHours(db, { now })).toMatchObject([
      { status: 'failed', cpu_hours: 1 },
      { status: 'pending', cpu_hours: 0.5 },
    ]);
  });
});

describe('getJobHours', () => {
  it('counts a job of several runs once, by how long each took', async () => {
    const runs = (
      [
        [1, 0, 45, 'completed'],
        [2, 45, 60, 'failed'],
      ] as const
    ).flatMap(([seed, from, to, status]) => [
      created(keyOf(seed), from, { attempt: `a${seed}` }),
      of(keyOf(seed), 'status_changed', from, { status: 'running', attempt: `a${seed}` }),
      job(keyOf(seed), `a${seed}`, from, { ...HOUR, job_id: '7', state: 'COMPLETED' }),
      ended(keyOf(seed), `a${seed}`, to, status),
    ]);
    const { db } = await ledgerOf(...runs);
    expect(getJobs(db, { now })).toMatchObject([
      { tasks: 1, cpu_hours: 4, run_ids: expect.objectContaining({ length: 2 }) },
    ]);
    expect(getJobHours(db, { now })).toMatchObject([
      { status: 'completed', cpu_hours: 3, gpu_hours: 0.75 },
      { status: 'failed', cpu_hours: 1, gpu_hours: 0.25 },
    ]);
    expect(getJobHours(db, { now, seed: 2 })).toMatchObject([{ status: 'failed', cpu_hours: 1 }]);
  });

  it('counts up to now, and no further than the time limit', async () => {
    const running = (more: Fields): Promise<TestLedger> =>
      ledgerOf(
        created(keyOf(1), 0, { attempt: 'a' }),
        of(keyOf(1), 'status_changed', 0, { status: 'running', attempt: 'a' }),
        job(keyOf(1), 'a', 0, { job_id: '7', state: 'RUNNING', cpus: 1, started_at: minute(0), ...more }),
      );
    expect(getJobHours((await running({})).db, { now })).toMatchObject([{ status: 'running', cpu_hours: 2 }]);
    const limited = await running({ time_limit_seconds: 1800 });
    expect(getJobHours(limited.db, { now })).toMatchObject([{ status: 'running', cpu_hours: 0.5 }]);
  });
});
