// runfold grid submit: what goes to sbatch, what is recorded, and what is said where that is not sure.
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { gridDigest, readGrid } from '../../src/grid/grid.ts';
import { Desk, ndjson } from './command.ts';
import { until } from '../process/until.ts';
import { FakeSbatch } from './fake-sbatch.ts';

const GRID =
  'dataset,method,seed,lr\niris,mlp,1,0.1\niris,mlp,2,0.1\niris,mlp,3,0.1\niris,mlp,4,0.1\niris,mlp,5,0.1\n';
const ROWS = readGrid(GRID, 'grid.csv').rows;
const STATUSES = ['completed', 'failed', 'running', 'timeout', undefined] as const;

async function desk(script = '#!/bin/sh\n#SBATCH --array=1-1000\ntrue\n'): Promise<Desk> {
  const made = await Desk.withLog();
  fs.writeFileSync(path.join(made.cwd, 'grid.csv'), GRID);
  fs.writeFileSync(path.join(made.cwd, 'job.sbatch'), script);
  const events = ROWS.flatMap(({ key }, index) => {
    const status = STATUSES[index];
    return status === undefined
      ? []
      : [
          { type: 'run_created', ...key },
          { type: 'status_changed', ...key, status },
        ];
  });
  await made.run(['emit', '-'], { stdin: ndjson(...events) });
  return made;
}

function submit(at: Desk, sbatch: FakeSbatch, ...more: string[]) {
  return at.run(['grid', 'submit', 'grid.csv', 'job.sbatch', ...more], { env: sbatch.env });
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // ESRCH
    return false;
  }
}

/** The events that are not those of before. */
async function recorded(at: Desk, act: () => Promise<unknown>) {
  const before = at.logged().length;
  await act();
  const all = at.logged();
  return { events: all.slice(before), before };
}

test('rows that are missing, failed or timeout go to sbatch as one array, with what the tasks need', async () => {
  const at = await desk();
  const sbatch = new FakeSbatch('echo 4711');
  const { code, stdout, stderr } = await submit(
    at,
    sbatch,
    '--max-running',
    '2',
    '--',
    '--time=1:00:00',
    '-p',
    'gpu',
  );
  expect(code).toBe(0);
  expect(sbatch.args).toEqual(['--time=1:00:00', '-p', 'gpu', '--parsable', '--array=2,4-5%2', 'job.sbatch']);
  expect(sbatch.variable('RUNFOLD_DIR')).toBe(at.ledger);
  expect(sbatch.variable('RUNFOLD_GRID')).toBe(
    path.join(at.ledger, 'grids', `${gridDigest(Buffer.from(GRID)).slice(0, 16)}.csv`),
  );
  expect(sbatch.variable('RUNFOLD_GRID_SHA256')).toBe(gridDigest(Buffer.from(GRID)));
  expect(sbatch.variable('RUNFOLD_SUBMISSION')).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  expect(stdout).toContain('job 4711: 3 tasks, rows 2,4-5 of grid.csv\n');
  expect(stdout).toContain('squeue -j 4711');
  expect(stderr).toContain('left out: 1 completed, 1 running\n');
});

test('each task is recorded as an attempt that waits in the queue, and nothing else is', async () => {
  const at = await desk();
  const sbatch = new FakeSbatch('echo 4711');
  const { events } = await recorded(at, () => submit(at, sbatch));
  const submission = sbatch.variable('RUNFOLD_SUBMISSION');
  expect(events).toEqual(
    [2, 4, 5].flatMap((row) => {
      const { runId, key, config } = ROWS[row - 1]!;
      const [run_id, attempt] = [runId, `${submission}.${row}`];
      return [
        expect.objectContaining({
          type: 'run_created',
          run_id,
          attempt,
          dataset: key.dataset,
          method: key.method,
          seed: key.seed,
          config,
        }),
        expect.objectContaining({
          type: 'slurm_info',
          run_id,
          attempt,
          job_id: '4711',
          array_job_id: '4711',
          array_task_id: String(row),
          state: 'PENDING',
          source: 'env',
        }),
      ];
    }),
  );
  expect(events.every((event) => event.type !== 'run_created' || event.resume !== true)).toBe(true);
  const { stdout } = await at.run(['grid', 'grid.csv']);
  expect(stdout).toContain('mlp     1/5 1 running 3 pending');
  // submitting once more submits nothing
  const again = await submit(at, sbatch);
  expect([again.code, again.stdout]).toEqual([1, '']);
  expect(again.stderr).toContain('left out: 1 completed, 1 running, 3 pending\nnothing to submit');
});

test('a started task is the attempt that was recorded', async () => {
  const at = await desk();
  const sbatch = new FakeSbatch('echo 4711');
  await submit(at, sbatch, '--array', '2');
  const { key, runId } = ROWS[1]!;
  const attempt = `${sbatch.variable('RUNFOLD_SUBMISSION')}.2`;
  const created = { type: 'run_created', ...key };
  await at.run(['emit', '-'], {
    stdin: ndjson(
      { ...created, attempt },
      { type: 'status_changed', run_id: runId, attempt, status: 'running' },
    ),
  });
  const { stdout } = await at.run(['show', runId, '--json']);
  // that of before, which failed, and this one
  expect(JSON.parse(stdout)).toMatchObject({ run: { status: 'running', attempt_count: 2 } });
});

test('the environment of another execution does not reach the tasks, nor does waiting', async () => {
  const at = await desk();
  const sbatch = new FakeSbatch('echo 1');
  const others = { RUNFOLD_RUN_ID: 'x', RUNFOLD_ATTEMPT: 'y', RUNFOLD_STARTED: '1', SBATCH_WAIT: '1' };
  const { events } = await recorded(at, () =>
    at.run(['grid', 'submit', 'grid.csv', 'job.sbatch'], { env: { ...sbatch.env, ...others } }),
  );
  for (const name of Object.keys(others)) expect(sbatch.variable(name)).toBeUndefined();
  expect(events).toHaveLength(6);
});

test.each(['--time=5', '--tim=5', '-N1'])('%s belongs after --, which is said', async (option) => {
  const at = await desk();
  const sbatch = new FakeSbatch('echo 1');
  const { code, stderr } = await submit(at, sbatch, option);
  expect([code, sbatch.wasCalled]).toEqual([2, false]);
  expect(stderr).toContain('unknown option');
  expect(stderr).toContain('Options for sbatch go after --');
  expect(stderr).not.toContain('--timeout');
});

test.each([
  [['--only', 'failed,timeout'], '--array=2,4'],
  [['--array', '1-3'], '--array=1-3'],
  [['--array', '1-3%1'], '--array=1-3%1'],
  [['--array', '1-3%1', '--max-running', '2'], '--array=1-3%2'],
  [['--array', '1-3', '--only', 'failed'], '--array=2'],
])('%j chooses %s', async (args, array) => {
  const at = await desk();
  const sbatch = new FakeSbatch('echo 1');
  const { stderr } = await submit(at, sbatch, ...args);
  expect(sbatch.args).toContain(array);
  expect(stderr.includes('1 running by what is known, and submitted once more')).toBe(
    array.startsWith('--array=1-3'),
  );
});

test('--dry-run shows the command and the rows, calls nothing and records nothing', async () => {
  const at = await desk();
  const sbatch = new FakeSbatch('echo 1');
  const { events } = await recorded(at, async () => {
    const { code, stdout } = await submit(at, sbatch, '--dry-run', '--', "--comment=a 'b'");
    expect(code).toBe(0);
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      String.raw`sbatch '--comment=a '\''b'\''' --parsable --array=2,4-5 job.sbatch`,
      '',
      expect.stringMatching(/^row +exp +dataset +method +seed +status +run$/),
    ]);
    const json = await submit(at, sbatch, '--dry-run', '--json');
    expect(JSON.parse(json.stdout)).toEqual({
      dry_run: true,
      array: '2,4-5',
      tasks: [2, 4, 5],
      command: ['sbatch', '--parsable', '--array=2,4-5', 'job.sbatch'],
    });
  });
  expect(events).toEqual([]);
  expect(sbatch.wasCalled).toBe(false);
});

test('--json says what was submitted, with the cluster of a federation', async () => {
  const at = await desk();
  const sbatch = new FakeSbatch("echo 'welcome to the cluster'; echo '4711;north'; echo");
  const { stdout } = await submit(at, sbatch, '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    job_id: '4711',
    cluster: 'north',
    submission: sbatch.variable('RUNFOLD_SUBMISSION'),
    array: '2,4-5',
    tasks: [2, 4, 5],
  });
  const people = await submit(await desk(), sbatch);
  expect(people.stdout).toContain('squeue -M north -j 4711');
});

describe('where sbatch refuses, its words are shown with what to do, and nothing is recorded', () => {
  test.each([
    ['Batch job submission failed: Invalid job array specification', 'The greatest row is 5'],
    ['invalid partition specified: nosuch', 'sinfo -s'],
    ['Batch job submission failed: Invalid account or account/partition combination specified', 'sacctmgr'],
    [
      'Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user size)',
      'submit a part now',
    ],
    ['Batch job submission failed: Unable to contact slurm controller (connect failure)', 'try again later'],
    ["unrecognized option '--nosuch'", 'after --'],
  ])('%s', async (message, hint) => {
    const at = await desk();
    const sbatch = new FakeSbatch(`echo "sbatch: error: ${message}" >&2; exit 1`);
    const { events } = await recorded(at, async () => {
      const { code, stdout, stderr } = await submit(at, sbatch);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain(`sbatch: error: ${message}\n`);
      expect(stderr).toContain('nothing was recorded');
      expect(stderr).toContain(hint);
    });
    expect(events).toEqual([]);
  });

  test('there is no sbatch', async () => {
    const at = await desk();
    const { code, stderr } = await at.run(['grid', 'submit', 'grid.csv', 'job.sbatch'], {
      env: { PATH: at.cwd },
    });
    expect(code).toBe(2);
    expect(stderr).toContain('no sbatch on the PATH');
  });
});

describe('where the answer is lost, that is said, and nothing is recorded', () => {
  test.each([
    ['it hangs', 'exec sleep 600', 'has not answered within 2 s'],
    ['a child of it hangs', 'sleep 600 & echo $! > "$TMPDIR/child"; wait', 'has not answered within 2 s'],
    [
      'the controller timed out',
      "echo 'sbatch: error: Socket timed out on send/recv operation' >&2; exit 1",
      'was lost',
    ],
    ['it says no id', 'echo submitted', 'sbatch said no job id but "submitted"'],
  ])('%s', async (_, behaviour, why) => {
    const at = await desk();
    const sbatch = new FakeSbatch(behaviour);
    const { events } = await recorded(at, async () => {
      const { code, stderr } = await submit(at, sbatch, '--timeout', '2');
      expect(code).toBe(1);
      expect(stderr).toContain(why);
      expect(stderr).toContain('whether the job was submitted is not known');
      expect(stderr).toContain(`${sbatch.variable('RUNFOLD_SUBMISSION')}.ROW`);
    });
    expect(events).toEqual([]);
    await until('sbatch has gone', () => !isThere(sbatch.pid));
    const child = path.join(at.cwd, 'child');
    if (fs.existsSync(child)) process.kill(Number(fs.readFileSync(child, 'utf8')));
  });

  test('an id that was said before it hung counts', async () => {
    const at = await desk();
    const { events } = await recorded(at, async () => {
      const { code } = await submit(at, new FakeSbatch('echo 4711; exec sleep 600'), '--timeout', '2');
      expect(code).toBe(0);
    });
    expect(events).toHaveLength(6);
  });
});

describe('a job that could not be recorded is refused before sbatch is asked', () => {
  const script = (line: string): string => `#!/bin/sh\n# a comment\n\n${line}\necho\n#SBATCH --export=NONE\n`;
  const env = { SBATCH_EXPORT: 'NONE' };
  test.each([
    ['export NONE in the script', script('#SBATCH --export=NONE'), [], {}, '-- --export=ALL'],
    ['with a blank', script('#SBATCH -p x --export NONE # why'), [], {}, 'keeps from the tasks'],
    ['a list of variables', script('#SBATCH --export="A,B=ALL"'), [], {}, 'RUNFOLD_SUBMISSION'],
    ['in the environment', script(''), [], env, '$SBATCH_EXPORT'],
    ['on the command line', script(''), ['--', '--export=NIL'], {}, 'the command line'],
    ['--wait', script('#SBATCH -W'), [], {}, 'Remove it from job.sbatch'],
    ['--wait on the command line', script(''), ['--', '--wait'], {}, 'Remove it from the command line'],
    ['--test-only', script(''), ['--', '--test-only'], {}, '--dry-run'],
    ['another array', script(''), ['--', '--array=1-3'], {}, '--max-running'],
    ['another array, short', script(''), ['--', '-a1-3'], {}, '--max-running'],
    ['a row that there is not', script(''), ['--array', '4-6'], {}, 'Its rows are 1-5.'],
    ['no list', script(''), ['--array', 'all'], {}, '1-10,15'],
  ] as const)('%s', async (_, text, args, more, message) => {
    const at = await desk(text);
    const sbatch = new FakeSbatch('echo 1');
    const { code, stderr } = await at.run(['grid', 'submit', 'grid.csv', 'job.sbatch', ...args], {
      env: { ...sbatch.env, ...more },
    });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(sbatch.wasCalled).toBe(false);
  });

  test.each([
    ['ALL', script('#SBATCH --export=ALL,A=1'), [], {}],
    [
      'the names',
      script(
        '#SBATCH --export=RUNFOLD_DIR,RUNFOLD_SUBMISSION,RUNFOLD_GRID,RUNFOLD_GRID_SHA256,RUNFOLD_GRID_KEY',
      ),
      [],
      {},
    ],
    ['the command line beats the script', script('#SBATCH --export=NONE'), ['--', '--export=ALL'], {}],
    ['after the head nothing is a directive', script('echo'), [], {}],
  ] as const)('not: %s', async (_, text, args, more) => {
    const at = await desk(text);
    const sbatch = new FakeSbatch('echo 1');
    const { code } = await at.run(['grid', 'submit', 'grid.csv', 'job.sbatch', ...args], {
      env: { ...sbatch.env, ...more },
    });
    expect([code, sbatch.wasCalled]).toEqual([0, true]);
  });

  test('no job script, no log', async () => {
    const at = await desk();
    const sbatch = new FakeSbatch('echo 1');
    const script = await at.run(['grid', 'submit', 'grid.csv', 'no.sbatch'], { env: sbatch.env });
    expect([script.code, script.stderr]).toEqual([2, expect.stringContaining('no.sbatch cannot be read')]);
    fs.rmSync(at.ledger, { recursive: true });
    const log = await submit(at, sbatch);
    expect(log.code).toBe(1);
    expect(sbatch.wasCalled).toBe(false);
  });
});
