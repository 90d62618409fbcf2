// The hours of jobs are summed by the database where that can be, and one by one where not: both ways say the same.
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { IN_MEMORY, openForWriting, type Db } from '../../src/db/open.ts';
import { hoursByStatus } from '../../src/query/job-hours.ts';
import { getJobHours, type StatusHours } from '../../src/query/index.ts';
import { findJobs } from '../../src/query/jobs.ts';

const START = Date.UTC(2026, 10, 23, 10);
const NOW = START + 5 * 3_600_000;

const time = fc.option(
  fc.integer({ min: 0, max: 6 * 3_600_000 }).map((ms) => new Date(START + ms).toISOString()),
);
const few = fc.integer({ min: 0, max: 3 });
const status = fc.constantFrom('pending', 'running', 'completed', 'failed', 'timeout');
const state = fc.constantFrom(
  null, 'PENDING', 'pending', 'RUNNING', 'COMPLETED', 'COMPLETED+', 'CANCELLED by 1001', ' TIMEOUT', 'OUT_OF_MEMORY',
  'REQUEUED', 'COMPLETING', 'SUSPENDED', 'NEW WORD', '',
); // prettier-ignore

const run = fc.record({
  seed: fc.nat(5),
  hidden: fc.integer({ min: 0, max: 1 }),
  method: fc.constantFrom('a', 'b'),
});
const attempt = fc.record({ seed: fc.nat(6), attempt: few, status, started_at: time, finished_at: time });
const job = fc.record({
  seed: fc.nat(6),
  attempt: few,
  // ids that collide as they may, and some that hold blanks
  job_id: fc.constantFrom('1', '2', '3', '4', '1 job', '1 2'),
  array: fc.option(fc.tuple(fc.constantFrom('1', '1 2', '90'), fc.constantFrom('0', '1', '2', 'job 1'))),
  restart_count: fc.integer({ min: 0, max: 2 }),
  state,
  cpus: fc.option(few),
  gpus: fc.option(few),
  time_limit_seconds: fc.option(fc.integer({ min: 0, max: 20_000 })),
  submitted_at: time,
  started_at: time,
  ended_at: time,
});

interface Rows {
  runs: { seed: number; hidden: number; method: string }[];
  attempts: { seed: number; attempt: number; [column: string]: string | number | null }[];
  jobs: ({ seed: number; attempt: number; array: [string, string] | null } & Record<string, unknown>)[];
}

function fill(db: Db, { runs, attempts, jobs }: Rows): void {
  const put = (table: string, row: Readonly<Record<string, unknown>>): void => {
    const columns = Object.keys(row);
    const values = columns.map((column) => `@${column}`).join();
    db.prepare(`INSERT OR IGNORE INTO ${table} (${columns.join()}) VALUES (${values})`).run(row);
  };
  for (const table of ['experiment_runs', '_attempts', 'slurm_jobs']) db.exec(`DELETE FROM ${table}`);
  const created_at = new Date(START).toISOString();
  for (const { seed, ...rest } of runs) {
    const key = { run_id: `run${seed}`, experiment_number: 1, dataset: 'd', seed };
    put('experiment_runs', {
      ...key,
      ...rest,
      status: 'running',
      config: '{}',
      tags: '[]',
      attempt_count: 1,
      created_at,
    });
  }
  for (const { seed, attempt: position, ...rest } of attempts) {
    const name = { run_id: `run${seed}`, attempt: `a${position}`, position };
    put('_attempts', { ...name, ...rest, resume: 0, in_view: 1, config: '{}', created_at });
  }
  for (const { seed, attempt: position, array, ...rest } of jobs) {
    const [array_job_id = null, array_task_id = null] = array ?? [];
    put('slurm_jobs', {
      run_id: `run${seed}`,
      attempt: `a${position}`,
      array_job_id,
      array_task_id,
      ...rest,
    });
  }
}

function comparable(hours: readonly StatusHours[]): unknown[] {
  const about = (value: number | null): unknown => (value === null ? null : expect.closeTo(value, 8));
  return hours.map((each) => ({
    ...each,
    gpu_hours: about(each.gpu_hours),
    cpu_hours: about(each.cpu_hours),
  }));
}

test('whatever the rows are', () => {
  const db = openForWriting(IN_MEMORY);
  onTestFinished(() => {
    db.close();
  });
  const rows = fc.record({
    runs: fc.array(run, { maxLength: 6 }),
    attempts: fc.array(attempt, { maxLength: 12 }),
    jobs: fc.array(job, { maxLength: 8 }),
  });
  const options = fc.constantFrom(
    {},
    { method: 'a' },
    { runId: 'run1' },
    { includeHidden: true },
    { active: true },
    { state: 'TIMEOUT' },
  );
  let summed = 0;
  fc.assert(
    fc.property(rows, options, (given, asked) => {
      fill(db, given as Rows);
      const oneByOne = hoursByStatus(findJobs(db, { ...asked, now: NOW }));
      expect(getJobHours(db, { ...asked, now: NOW })).toEqual(comparable(oneByOne));
      summed += oneByOne.length;
    }),
    { numRuns: 1000 },
  );
  // there was something to sum
  expect(summed).toBeGreaterThan(100);
});
