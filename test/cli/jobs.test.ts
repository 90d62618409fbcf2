// runfold jobs and runfold failures, as tables and commands.
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { Desk, ndjson } from './command.ts';

const HOSTILE = '\u001b[2J\u202eevil\u0007 | & <b> \\x [1-999999999]';

/** An array with holes, a job that runs, and one with hostile text wherever text may be. */
async function desk(): Promise<Desk> {
  const made = await Desk.withLog();
  const ofArray = [1, 2, 5].flatMap((task) => {
    const attempt = `a${task}`;
    const isBad = task === 2;
    return [
      { type: 'run_created', dataset: 'digits', method: 'mlp', seed: task, attempt },
      {
        type: 'slurm_info',
        job_id: String(100 + task),
        array_job_id: '100',
        array_task_id: String(task),
        source: 'sacct',
        attempt,
        state: isBad ? 'OUT_OF_MEMORY' : 'COMPLETED',
        partition: 'gpu',
        node_list: `node${task}`,
        cpus: 4,
        gpus: 2,
        memory_mb: 4096,
        max_rss_mb: isBad ? 4000 : 100,
        cpu_seconds: 3600,
        time_limit_seconds: 7200,
        started_at: '2026-11-23T10:00:00Z',
        ended_at: '2026-11-23T11:00:00Z',
      },
      {
        type: 'status_changed',
        attempt,
        ...(isBad ? { status: 'failed', reason: 'OUT_OF_MEMORY', source: 'slurm' } : { status: 'completed' }),
      },
    ];
  });
  const events = [
    ...ofArray,
    { type: 'run_created', dataset: HOSTILE, method: HOSTILE, seed: 9, attempt: 'h' },
    {
      type: 'slurm_info',
      job_id: HOSTILE,
      source: 'sacct',
      attempt: 'h',
      state: HOSTILE,
      reason: HOSTILE,
      partition: HOSTILE,
      node_list: HOSTILE,
      stdout_path: `/no/${HOSTILE}/%x`,
    },
    { type: 'error', exception_type: HOSTILE, message: HOSTILE, attempt: 'h' },
    { type: 'status_changed', status: 'failed', attempt: 'h' },
  ];
  const { stderr } = await made.run(['emit', '-'], { stdin: ndjson(...events) });
  expect(stderr).toBe('13 events written\n');
  return made;
}

test('jobs: an array in a line, and below what was spent on what', async () => {
  const { code, stdout } = await (await desk()).run(['jobs', '--dataset', 'digits']);
  expect(code).toBe(0);
  expect(stdout.split('\n')).toEqual([
    'job  state                         missing   time (h:mm)      memory   CPU  GPU h  runs    nodes        partition',
    '100  2 COMPLETED, 1 OUT_OF_MEMORY  3-4      1:00 of 2:00  3.9G of 4G  25 %      6  3 runs  node[1-2,5]  gpu',
    '',
    'GPU hours: 4 on completed runs, 2 on failed ones',
    'CPU hours: 8 on completed runs, 4 on failed ones',
    '',
  ]);
});

test('jobs: tasks of a run, of a state; hours as data', async () => {
  const at = await desk();
  const tasks = await at.run(['jobs', '--tasks', '--state', 'completed', '--json']);
  expect((JSON.parse(tasks.stdout) as { array_task_id: string }[]).map((task) => task.array_task_id)).toEqual(
    ['1', '5'],
  );
  const hours = await at.run(['jobs', '--hours', '--dataset', 'digits', '--json']);
  expect(JSON.parse(hours.stdout)).toEqual([
    { status: 'completed', starts: 2, gpu_hours: 4, cpu_hours: 8 },
    { status: 'failed', starts: 1, gpu_hours: 2, cpu_hours: 4 },
  ]);
  expect((await at.run(['jobs', '-n', '1'])).stderr).toContain('the newest 1; --limit 0 shows all');
  expect((await at.run(['jobs', '--state', 'NODE_FAIL'])).stderr).toContain(
    'no SLURM job is known that matches',
  );
  expect((await at.run(['jobs', '@last'])).stdout.split('\n')).toHaveLength(3);
});

test('failures: causes, what they share, and what can be done', async () => {
  const at = await desk();
  const { stdout } = await at.run(['failures', '--dataset', 'digits']);
  expect(stdout).toMatch(/^cause +runs +nodes +last +in runs\nOUT_OF_MEMORY +1 +node2 /);
  expect(stdout).toContain(
    'OUT_OF_MEMORY: asked for 4G, used 3.9G when last looked at, ask for more with --mem',
  );
  const [found] = JSON.parse((await at.run(['failures', '--json'])).stdout) as {
    cause: string;
    hint: string;
  }[];
  expect(found).toHaveProperty('hint');
  expect((await at.run(['failures', '--seed', '1'])).stderr).toContain('no run has failed');
});

const COMMANDS = ['jobs', 'jobs --tasks', 'jobs --hours', 'failures', 'jobs @last', 'show @last'];

test.each(COMMANDS)(
  '%s: fits 80 columns, and nothing of hostile text acts, in whatever format',
  async (words) => {
    const at = await desk();
    const command = words.split(' ');
    const { stdout, code } = await at.run(command, { columns: 80 });
    expect(code).toBe(0);
    if (command[0] !== 'show')
      for (const line of stdout.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(80);
    const formats = command[0] === 'show' ? [] : ['json', 'ndjson', 'csv', 'markdown', 'latex'];
    for (const flags of [[], ['--json'], ...formats.map((format) => ['--format', format])]) {
      const ran = await at.run([...command, ...flags]);
      expect(ran.code).toBe(0);
      expect(ran.stdout + ran.stderr).not.toMatch(/[^\P{C}\n]|[\u2028\u2029]/u);
    }
  },
);

test('logs: a hostile path is named, and does not act', async () => {
  const ran = await (await desk()).run(['logs', '@last']);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(String.raw`\x1b[2J`);
  expect(ran.stdout + ran.stderr).not.toMatch(/[^\P{C}\n]|[\u2028\u2029]/u);
});
