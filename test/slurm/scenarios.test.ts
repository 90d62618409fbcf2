// What each recorded end of a job makes of a run that had said nothing but that it runs.
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FIXTURES, recorded, RunWorld, sacctOf, squeueOf } from './recorded.ts';

type End = [status: string, reason: string | null, exitCode: number | null];

/** By scenario: with squeue still knowing the job, as sacct alone would do, save for what it loses. */
const ENDS: Readonly<Record<string, End>> = {
  bad_chdir: ['completed', null, 0],
  bad_interpreter: ['failed', null, 2],
  bad_output_dir: ['failed', 'LAUNCH_FAILED', null],
  command_not_found: ['failed', null, 127],
  ctld_down: ['failed', null, 3],
  dbd_down: ['failed', null, 3],
  deadline: ['timeout', 'DEADLINE', null],
  dependency_killed: ['failed', 'CANCELLED', null],
  exit130: ['failed', null, 130],
  exit255: ['failed', null, 255],
  exit3: ['failed', null, 3],
  kill9_self: ['failed', 'SIGKILL', null],
  linuxproc_oom_child: ['completed', null, 0],
  linuxproc_scancel: ['failed', 'CANCELLED', null],
  linuxproc_scancel_signals: ['failed', 'SIGKILL', null],
  maxrss: ['completed', null, 0],
  node_down_alive: ['failed', 'NODE_FAIL', null],
  node_fail: ['failed', 'NODE_FAIL', null],
  oom_child: ['failed', 'OUT_OF_MEMORY', null],
  oom_exec: ['failed', 'OUT_OF_MEMORY', null],
  oom_step: ['failed', 'OUT_OF_MEMORY', 0],
  pending_cpus: ['completed', null, 0],
  requeue_norequeue: ['failed', 'CANCELLED', null],
  scancel: ['failed', 'CANCELLED', null],
  scancel_exit0: ['failed', 'CANCELLED', null],
  scancel_pending: ['failed', 'CANCELLED', null],
  scancel_root: ['failed', 'CANCELLED', null],
  scancel_signals: ['failed', 'SIGKILL', null],
  segv_child: ['failed', null, 139],
  segv_self: ['failed', 'SIGSEGV', null],
  segv_step: ['failed', null, 139],
  signal_exit0: ['completed', null, 0],
  slurmd_restart: ['completed', null, 0],
  step_exit: ['completed', null, 0],
  stub: ['failed', null, 3],
  suspend: ['failed', 'CANCELLED', null],
  timeout: ['timeout', 'TIMEOUT', null],
  timeout_endtime: ['timeout', 'TIMEOUT', null],
  timeout_exit0: ['timeout', 'TIMEOUT', null],
  timeout_shrink: ['timeout', 'TIMEOUT', null],
  timeout_signal: ['timeout', 'TIMEOUT', null],
  timeout_signal_B: ['timeout', 'TIMEOUT', null],
};

/** Of several starts or tasks, or without an end: courses.test.ts has what becomes of them. */
const COURSES = [
  'array20',
  'dependency',
  'dependency_waiting',
  'linuxproc_requeue',
  'node_reboot',
  'pending_resources',
  'requeue',
  'requeue_array_task',
  'requeue_finished',
  'requeuehold',
];
/** traps.test.ts has them. */
const TRAPS = ['array_long', 'array_mixed', 'node_fail_requeue', 'scancel_array', 'submit_errors'];

function sourceOf(file: string): string {
  return fs.readFileSync(new URL(file, import.meta.url), 'utf8');
}

function jobOf(scenario: string): string {
  // those with a second job hold its id: the first is the one that was asked about
  const [row] = sacctOf(scenario).rows;
  return row?.job ?? recorded(scenario, 'jobid').trim();
}

test('every recorded scenario is judged', () => {
  expect(fs.readdirSync(FIXTURES).toSorted()).toEqual(
    [...Object.keys(ENDS), ...COURSES, ...TRAPS].toSorted(),
  );
  const read = (file: string, names: readonly string[]): string[] =>
    names.filter((name) => !sourceOf(file).includes(`'${name}'`));
  expect([read('courses.test.ts', COURSES), read('traps.test.ts', TRAPS)]).toEqual([[], []]);
});

describe.each(Object.entries(ENDS))('%s', (scenario, [status, reason, exitCode]) => {
  test('with squeue and sacct', () => {
    const world = new RunWorld().start('a0', { job_id: jobOf(scenario) });
    world.refresh(squeueOf(scenario), sacctOf(scenario));
    const { run, slurmJobs } = world.folded;
    expect([run.status, run.status_reason, run.exit_code]).toEqual([status, reason, exitCode]);
    expect(run.finished_at).toBe(slurmJobs[0]?.ended_at);
    expect(slurmJobs).toHaveLength(1);
    expect(world.refresh(squeueOf(scenario), sacctOf(scenario))).toEqual([]);
    expect(world.refresh({ rows: [] }, sacctOf(scenario))).toEqual([]);
  });

  test('with sacct alone it is the same, but for the 128 that it loses', () => {
    const world = new RunWorld().start('a0', { job_id: jobOf(scenario) });
    world.refresh('missing', sacctOf(scenario));
    const { run } = world.folded;
    const lost = exitCode !== null && exitCode >= 128 ? exitCode & 127 : exitCode;
    const seen = scenario === 'exit255' ? 127 : lost;
    expect([run.status, run.status_reason, run.exit_code]).toEqual([status, reason, seen]);
    expect(world.refresh('missing', sacctOf(scenario))).toEqual([]);
  });

  test('with squeue alone', () => {
    const world = new RunWorld().start('a0', { job_id: jobOf(scenario) });
    world.refresh(squeueOf(scenario), 'missing');
    const { run } = world.folded;
    // that a step ran out of memory, or was killed, only sacct knows
    const isStep = scenario === 'oom_step';
    const expected = isStep ? ['completed', null, 0] : [status, reason, exitCode];
    if (squeueOf(scenario).rows.length > 0)
      expect([run.status, run.status_reason, run.exit_code]).toEqual(expected);
    expect(world.refresh(squeueOf(scenario), 'missing')).toEqual([]);
  });
});
