// The traps of a real SLURM, each on what was recorded of it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { environmentFor, idsOf, askSlurm } from '../../src/slurm/ask.ts';
import { Answers } from '../../src/slurm/answers.ts';
import { hasTask, parseJobName, type TaskRange } from '../../src/slurm/job-id.ts';
import { outputPath } from '../../src/slurm/output-path.ts';
import { parseSacct } from '../../src/slurm/sacct.ts';
import { parseSqueue } from '../../src/slurm/squeue.ts';
import type { Ran } from '../../src/slurm/run-command.ts';
import { GRACE_MS } from '../../src/slurm/word.ts';
import { acted, recorded, RunWorld, sacctOf, squeueHeader, squeueLine, squeueOf } from './recorded.ts';

const NOBODY = { rows: [] };

function task(
  array: string,
  number: string,
  job = array,
): { job_id: string; array_job_id: string; array_task_id: string } {
  return { job_id: job, array_job_id: array, array_task_id: number };
}

function cancelledIn(world: RunWorld): unknown[] {
  const { run, slurmJobs } = world.folded;
  return [run.status, run.status_reason, slurmJobs[0]?.state];
}

describe('trap 1: for its first seconds sacct has a stub of a job', () => {
  test('which says nothing', () => {
    const world = new RunWorld().start('a0', { job_id: '7' });
    expect(world.refresh('failed', sacctOf('timeout', 'sacct-mid.psv'))).toEqual([]);
    expect(world.folded.run.status).toBe('running');
  });

  test('of a task, whose raw id may be that of its array, it is no word on all tasks', () => {
    const world = new RunWorld().submit('a0', task('77', '2'));
    world.now = Date.parse('2026-11-23T21:41:20.000Z');
    const stub =
      'JobID|JobIDRaw|Partition|State|ExitCode|Submit|Start|End\n77|77||FAILED|4:0|2026-11-23T21:41:15|2026-11-23T21:41:16|2026-11-23T21:41:17\n';
    expect(world.refresh('missing', { rows: parseSacct(stub).rows })).toEqual([]);
  });
});

describe('trap 2: sacct loses 128 of an exit code', () => {
  test.each(['exit130', 'exit255', 'segv_child'])('%s: squeue still has it', (scenario) => {
    const [row] = sacctOf(scenario).rows;
    const world = new RunWorld().start('a0', { job_id: row?.job ?? '' });
    world.refresh(squeueOf(scenario), sacctOf(scenario));
    expect(world.folded.run.exit_code).toBeGreaterThanOrEqual(128);
  });

  test('the code that squeue said before is not lost to sacct afterwards', () => {
    const world = new RunWorld().start('a0', { job_id: sacctOf('exit130').rows[0]?.job ?? '' });
    world.refresh(squeueOf('exit130'), 'failed');
    world.refresh(NOBODY, sacctOf('exit130'));
    expect(world.folded.run.exit_code).toBe(130);
    expect(world.folded.slurmJobs[0]?.exit_code).toBe(130);
  });
});

test('trap 3: the JSON of sacct is not asked for', async () => {
  const calls: string[][] = [];
  const run = (command: string, args: readonly string[]): Promise<Ran> => {
    calls.push([command, ...args]);
    return Promise.resolve({ kind: 'missing' });
  };
  await askSlurm(['1'], { run, env: {}, signal: new AbortController().signal });
  expect(calls.flat().filter((word) => word.includes('json'))).toEqual([]);
  expect(calls.find(([command]) => command === 'sacct')).toContain('-P');
});

/** The tasks that each line names: the files have no header. */
function rangesIn(file: string): TaskRange[] {
  const lines = recorded('array_long', file).trimEnd().split('\n');
  return lines.map((line) => parseJobName(line.split('|')[0] ?? '')?.tasks ?? []);
}

describe('trap 4: rows of tasks that wait go stale', () => {
  test('a task that ran has a row of its own, which counts', () => {
    const world = new RunWorld().submit('a0', task('69', '2'));
    world.refresh('missing', sacctOf('scancel_array'));
    expect(world.folded.slurmJobs).toMatchObject([{ job_id: '72', started_at: '2026-11-23T21:40:05.000Z' }]);
  });

  test('one that never started is told by the row of its range', () => {
    const world = new RunWorld().submit('a0', task('69', '3'));
    world.refresh(NOBODY, sacctOf('scancel_array'));
    expect(cancelledIn(world)).toEqual(['failed', 'CANCELLED', 'CANCELLED by 1001']);
    expect(world.folded.slurmJobs).toMatchObject([{ started_at: null }]);
  });

  test('one that was cancelled alone is in no row, though the range was said to wait', () => {
    const world = new RunWorld().submit('a0', task('69', '7'));
    expect(world.refresh(NOBODY, sacctOf('scancel_array'))).toMatchObject([{ reason: 'unknown' }]);
  });

  test('a range that waits by sacct is not believed where squeue has no such task', () => {
    const world = new RunWorld().submit('a0', task('69', '3'));
    world.now = Date.parse('2026-11-23T21:40:07.000Z');
    expect(world.refresh(NOBODY, sacctOf('scancel_array', 'sacct-mid.psv'))).toEqual([]);
  });

  test('ranges are read whole, with steps and limits; of one that was cut the last number is left out', () => {
    const range = parseJobName('132_[1-79:2%4]')?.tasks ?? [];
    expect([1, 3, 79].every((number) => hasTask(range, String(number)))).toBe(true);
    expect([2, 80, 81].some((number) => hasTask(range, String(number)))).toBe(false);
    const [cut = []] = rangesIn('sacct-cancelled.psv');
    expect(['1', '5', '43', '4', '45', '3'].map((number) => hasTask(cut, number))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    const [whole = []] = rangesIn('squeue-bitstr0.psv');
    expect(['1', '5', '43', '79', '4', '81'].map((number) => hasTask(whole, number))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(environmentFor({})['SLURM_BITSTR_LEN']).toBe('0');
  });
});

test('trap 5: after a restart of the controller CANCELLED by somebody is plain CANCELLED, which is no news', () => {
  const rows = sacctOf('scancel').rows;
  const world = new RunWorld().start('a0', { job_id: rows[0]?.job ?? '' });
  world.refresh(NOBODY, { rows });
  const plain = rows.map((row) => ({ ...row, facts: { ...row.facts, state: 'CANCELLED' } }));
  expect(world.refresh(NOBODY, { rows: plain })).toEqual([]);
  expect(cancelledIn(world)).toEqual(['failed', 'CANCELLED', 'CANCELLED by 1001']);
});

describe('trap 6: a controller that is down', () => {
  const down = acted('ctld_down', 'squeue -j 125');
  const dead: Ran = { kind: 'ended', code: down.code, stdout: '', stderr: down.text };

  test('is recorded as it says so', () => {
    expect([down.code, down.text]).toEqual([
      1,
      expect.stringContaining('Unable to contact slurm controller'),
    ]);
  });

  test.each([
    ['says so and ends with 1', dead],
    ['says so and ends with 0', { ...dead, code: 0 }],
    ['says nothing at all', { ...dead, code: 0, stderr: '' }],
    ['does not answer', { kind: 'timed_out' as const }],
  ])('which %s is not taken for an empty queue', async (_, ran) => {
    const run = (): Promise<Ran> => Promise.resolve(ran);
    const { answers, notes } = await askSlurm(['125'], {
      run,
      env: {},
      signal: new AbortController().signal,
    });
    expect([answers.squeue, answers.sacct]).toEqual(['failed', 'failed']);
    expect(notes).toHaveLength(2);
  });

  test('nor is the JSON that it answers with, with 0 and an empty list', async () => {
    const { text, code } = acted('ctld_down', 'squeue --json');
    expect([code, text]).toEqual([0, expect.stringMatching(/"jobs": \[\s*\]/)]);
    const run = (): Promise<Ran> => Promise.resolve({ kind: 'ended', code, stdout: text, stderr: '' });
    const { answers } = await askSlurm(['125'], { run, env: {}, signal: new AbortController().signal });
    expect([answers.squeue, answers.sacct]).toEqual(['failed', 'failed']);
  });

  test('nor is a slurmdbd that is down taken for a site without accounting', async () => {
    const { text, code } = acted('dbd_down', 'sacct -j 126 -P');
    expect(code).toBe(1);
    const run = (command: string): Promise<Ran> =>
      Promise.resolve(
        command === 'sacct'
          ? { kind: 'ended', code, stdout: '', stderr: text }
          : { kind: 'ended', code: 0, stdout: squeueHeader(), stderr: '' },
      );
    const { answers, notes } = await askSlurm(['126'], {
      run,
      env: {},
      signal: new AbortController().signal,
    });
    expect([answers.squeue, answers.sacct]).toEqual(['answered', 'failed']);
    expect(notes).toEqual([
      'sacct failed: sacct: error: Problem talking to the database: Connection refused',
    ]);
  });

  test('makes no job unknown', () => {
    const world = new RunWorld().start('a0', { job_id: '4711' });
    expect(world.refresh('failed', NOBODY)).toEqual([]);
    expect(world.refresh(NOBODY, 'failed')).toEqual([]);
  });
});

describe('trap 7: a job that is not known', () => {
  test('squeue ends with 1 for a single one: that is an answer', async () => {
    const squeue = acted('submit_errors', 'squeue -j 999999');
    const sacct = acted('submit_errors', 'sacct -j 999999 -P');
    expect([squeue.code, sacct.code, sacct.text.split('\n').length]).toEqual([1, 0, 2]);
    const run = (command: string): Promise<Ran> =>
      Promise.resolve(
        command === 'squeue'
          ? { kind: 'ended', code: squeue.code, stdout: '', stderr: squeue.text }
          : { kind: 'ended', code: sacct.code, stdout: 'JobID|JobIDRaw|State\n', stderr: '' },
      );
    const { answers, notes } = await askSlurm(['1'], { run, env: {}, signal: new AbortController().signal });
    expect([answers.squeue, answers.sacct, notes]).toEqual(['answered', 'answered', []]);
  });

  test('is left alone for the grace, then gets the reason unknown once, and stays as it is', () => {
    const world = new RunWorld().start('a0', { job_id: '4711' });
    const last = Date.parse('2026-11-23T21:30:00.000Z');
    world.now = last + GRACE_MS - 1;
    expect(world.refresh(NOBODY, NOBODY)).toEqual([]);
    world.now = last + GRACE_MS;
    expect(world.refresh(NOBODY, NOBODY)).toMatchObject([{ type: 'slurm_info', reason: 'unknown' }]);
    expect(world.folded.run).toMatchObject({ status: 'running', status_reason: null });
    world.now += GRACE_MS;
    expect(world.refresh(NOBODY, NOBODY)).toEqual([]);
  });
});

describe('trap 8: the End of a job is when it was told to end', () => {
  test('that of its batch step is when it had ended', () => {
    const world = new RunWorld().start('a0', { job_id: '7' });
    world.refresh(NOBODY, sacctOf('timeout'));
    expect(world.folded.run.finished_at).toBe('2026-11-23T21:39:33.000Z');
  });

  describe('COMPLETING', () => {
    const line = squeueLine({ jobid: '7', jobarrayid: '7', state: 'COMPLETING', restartcnt: '0' });
    const { rows } = parseSqueue(`${squeueHeader()}\n${line}`);
    const [ended] = sacctOf('timeout').rows;
    const goesOn = { rows: [{ ...ended, steps: [] }] as ReturnType<typeof sacctOf>['rows'] };

    test('is no end while the batch step has none', () => {
      const world = new RunWorld().start('a0', { job_id: '7' });
      world.now = Date.parse(ended?.facts.ended_at ?? '') + GRACE_MS - 1;
      world.refresh({ rows }, goesOn);
      expect(world.folded.run.status).toBe('running');
      expect(world.folded.slurmJobs).toMatchObject([{ state: 'COMPLETING', ended_at: null }]);
      world.now += 1;
      world.refresh({ rows }, goesOn);
      expect(world.folded.run.status).toBe('timeout');
    });

    test('of a node that is stuck does not hide that the batch step has ended', () => {
      const world = new RunWorld().start('a0', { job_id: '7' });
      world.now = Date.parse('2026-11-23T21:40:00.000Z');
      world.refresh({ rows }, sacctOf('timeout'));
      expect(world.folded.run.status).toBe('timeout');
      expect(world.refresh({ rows }, sacctOf('timeout'))).toEqual([]);
    });
  });
});

describe('trap 9: a requeue', () => {
  test.each([
    ['requeue', '73', 'REQUEUED', 0],
    ['node_fail_requeue', '130', 'NODE_FAIL', 0],
    ['requeue_finished', '75', 'REQUEUED', 0],
  ])('%s: each start is told apart, and belongs to its attempt', (scenario, job_id, reason, exitCode) => {
    const world = new RunWorld().start('a0', { job_id });
    world.start('a1', { job_id, restart_count: 1 }, '2026-11-23T21:31:00.000Z');
    world.refresh(NOBODY, sacctOf(scenario));
    const { run, attempts } = world.folded;
    expect(attempts.map(({ status, reason }) => [status, reason])).toEqual([
      ['failed', reason],
      ['completed', null],
    ]);
    expect([run.attempt_count, run.status, run.exit_code]).toEqual([2, 'completed', exitCode]);
    expect(world.refresh(NOBODY, sacctOf(scenario))).toEqual([]);
  });

  test('an id that belonged to another job before is no requeue', () => {
    const [old] = sacctOf('exit3').rows;
    const later = { submitted_at: '2026-11-24T00:00:00.000Z', started_at: '2026-11-24T00:00:00.000Z' };
    const next = {
      ...old,
      facts: { ...old?.facts, ...later, state: 'COMPLETED', ended_at: '2026-11-24T00:01:00.000Z' },
      steps: [],
      exit: { code: 0 },
    };
    const world = new RunWorld().start('a0', { job_id: old?.job ?? '' });
    world.refresh(NOBODY, { rows: [old, next] as ReturnType<typeof sacctOf>['rows'] });
    expect(world.folded.slurmJobs).toMatchObject([{ restart_count: 0, state: 'COMPLETED' }]);
  });
});

describe('trap 10: memory is on the steps, and what a user typed is not escaped', () => {
  test('the greatest of batch and steps', () => {
    const world = new RunWorld().start('a0', { job_id: '99' });
    world.refresh(NOBODY, sacctOf('maxrss'));
    expect(world.folded.slurmJobs[0]?.max_rss_mb).toBeCloseTo(297_404 / 1024, 2);
    expect(world.folded.slurmJobs[0]?.cpu_seconds).toBe(0.27);
  });

  test('a line with more or fewer fields is a problem, and the others are read', () => {
    const text = recorded('exit3', 'sacct.psv').replace('exit3.sh|', 'a|b|');
    const { rows, problems } = parseSacct(`${text}1|1|cut`);
    expect([rows.length, problems.map(({ line }) => line)]).toEqual([0, [2, 4]]);
  });
});

test('trap 11: the time limit comes from squeue', () => {
  const world = new RunWorld().start('a0', { job_id: '7' });
  world.refresh(squeueOf('timeout', 'squeue-mid.psv'), NOBODY);
  expect(world.folded.slurmJobs).toMatchObject([{ time_limit_seconds: 60 }]);
  const days = squeueLine({ jobid: '7', jobarrayid: '7', state: 'RUNNING', timelimit: '1-02:03:04' });
  world.refresh({ rows: parseSqueue(`${squeueHeader()}\n${days}`).rows }, NOBODY);
  expect(world.folded.slurmJobs).toMatchObject([{ time_limit_seconds: 93_784 }]);
});

describe('an array', () => {
  test('is asked about by its id, once', () => {
    const one = new RunWorld().submit('a0', task('37', '5')).known;
    expect(idsOf([one, one])).toEqual(['37']);
  });

  test.each([
    ['3', 'failed', null, 3],
    ['5', 'failed', 'SIGSEGV', null],
    ['7', 'failed', 'SIGKILL', null],
    ['11', 'failed', null, 130],
    ['20', 'completed', null, 0],
  ])('task %s is %s', (number, status, reason, exitCode) => {
    const world = new RunWorld().submit('a0', task('37', number));
    world.refresh(squeueOf('array_mixed'), sacctOf('array_mixed'));
    const { run, slurmJobs } = world.folded;
    expect([run.status, run.status_reason, run.exit_code, slurmJobs.length]).toEqual([
      status,
      reason,
      exitCode,
      1,
    ]);
    expect(world.refresh(squeueOf('array_mixed'), sacctOf('array_mixed'))).toEqual([]);
  });
});

test('the paths of output have their patterns filled in, and the default of a task is mended', () => {
  const of = { job: '13', array: '11', task: '1', user: 'ada', name: 'x', nodes: 'node[07-08]' };
  expect(outputPath('/w/%x-%A_%4a-%j-%u-%N-%%.out', of)).toBe('/w/x-11_0001-13-ada-node07-%.out');
  expect(outputPath('/w/slurm-13.out', of)).toBe('/w/slurm-11_1.out');
  expect(outputPath('/w/%J.out', of)).toBeUndefined();
  expect(outputPath('w/x.out', of)).toBeUndefined();
});

describe('whatever is answered', () => {
  const scenarios = ['requeue', 'scancel_array', 'array_mixed', 'oom_step', 'node_fail_requeue'] as const;
  const bits = fc.array(fc.tuple(fc.nat(4000), fc.nat(60), fc.string({ unit: 'binary' })), { maxLength: 6 });

  test('no text makes the readers throw', () => {
    const damaged = fc.tuple(fc.constantFrom(...scenarios), bits);
    fc.assert(
      fc.property(damaged, ([scenario, cuts]) => {
        let text = recorded(scenario, 'sacct.psv');
        for (const [from, length, put] of cuts) text = text.slice(0, from) + put + text.slice(from + length);
        for (const [job_id] of [['73'], ['130'], ['98']] as const) {
          const world = new RunWorld().start('a0', { job_id });
          const answer = { rows: parseSacct(text).rows };
          world.refresh(NOBODY, answer);
          expect(world.ask(NOBODY, answer).events).toEqual([]);
        }
        parseSqueue(text);
      }),
    );
  });

  test('the order of the lines makes no difference', () => {
    fc.assert(
      fc.property(fc.constantFrom(...scenarios), fc.infiniteStream(fc.nat()), (scenario, order) => {
        const [head = '', ...lines] = recorded(
          scenario,
          scenario.includes('requeue') ? 'sacct-D.psv' : 'sacct.psv',
        )
          .trimEnd()
          .split('\n');
        const shuffled = lines
          .map((line) => ({ line, key: order.next().value }))
          .sort((a, b) => a.key - b.key);
        const text = [head, ...shuffled.map(({ line }) => line)].join('\n');
        const eventsOf = (rows: ReturnType<typeof parseSacct>['rows']): unknown => {
          const job_id = sacctOf(scenario).rows[0]?.job ?? '';
          return new RunWorld().start('a0', { job_id }).refresh(NOBODY, { rows });
        };
        expect(eventsOf(parseSacct(text).rows)).toEqual(eventsOf(sacctOf(scenario).rows));
      }),
    );
  });

  test('an answer object without rows knows nobody', () => {
    expect(new Answers('failed', 'missing').of(task('1', '2'))).toEqual({ squeue: undefined, sacct: [] });
  });
});
