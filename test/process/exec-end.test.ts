// How `runfold exec` ends: as its command, and recorded.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runId } from '../../src/events/run-id.ts';
import { CLI, ended, ExecHome, KEY, RUNNING } from './exec-home.ts';
import { until } from './until.ts';

test.each([0, 1, 3, 126, 127, 128, 137, 255])('exit code %d', async (code) => {
  const home = new ExecHome();
  expect(await home.sh(`exit ${code}`).ended).toMatchObject({ code, signal: null, stdout: '', stderr: '' });
  expect(home.statuses()).toEqual([RUNNING, ended(code === 0 ? 'completed' : 'failed', code)]);
  const errors = home.of('error').map(({ exception_type }) => exception_type);
  expect(errors).toEqual(code === 0 ? [] : [`ExitCode ${code}`]);
  expect(home.of('writer_closed')).toHaveLength(1);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL', 'SIGPIPE', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const)(
  'a command that dies of %s',
  async (signal) => {
    const home = new ExecHome();
    const { code, signal: died } = await home.sh(`echo last words >&2; kill -${signal.slice(3)} $$`).ended;
    expect([code, died]).toEqual([null, signal]);
    expect(home.statuses()).toEqual([RUNNING, ended('failed', null, signal)]);
    expect(home.of('error')).toMatchObject([
      { exception_type: signal, message: 'last words', traceback: 'last words\n' },
    ]);
  },
);

test.each([
  ['echo what went wrong', 'what went wrong'],
  [':', 'ended with 3, and said nothing'],
])('an end with nothing on stderr: %s', async (command, message) => {
  const home = new ExecHome();
  await home.sh(`${command}; exit 3`).ended;
  expect(home.of('error')).toMatchObject([{ exception_type: 'ExitCode 3', message }]);
});

test.each([
  ['SIGSEGV', 139],
  ['SIGABRT', 134],
  ['SIGQUIT', 131],
] as const)('a crash by %s leaves one core at most', async (signal, expected) => {
  const home = new ExecHome();
  const { code, signal: died } = await home.sh(`ulimit -c 0; kill -${signal.slice(3)} $$`).ended;
  expect([code, died]).toEqual([expected, null]);
  expect(home.statuses().at(-1)).toEqual(ended('failed', null, signal));
});

describe('a command that cannot be started', () => {
  test('is not found', async () => {
    const home = new ExecHome();
    const result = await home.start(['no-such-command', 'x']).ended;
    expect(result).toMatchObject({
      code: 127,
      stdout: '',
      stderr: 'runfold: no-such-command: command not found\n',
    });
    expect(home.statuses()).toEqual([RUNNING, ended('failed', 127, 'not found')]);
    expect(home.of('error')).toMatchObject([
      { exception_type: 'not found', message: 'no-such-command: command not found' },
    ]);
  });

  test('is not executable', async () => {
    const home = new ExecHome();
    expect(await home.start([home.file('data.txt', 'x')]).ended).toMatchObject({ code: 126 });
    expect(home.statuses().at(-1)).toEqual(ended('failed', 126, 'not executable'));
  });
});

test('what is recorded of the run', async () => {
  const home = new ExecHome();
  const options = [
    ...KEY,
    '--config',
    'lr=0.1',
    'opt=adam',
    '--key-from-config',
    'lr',
    '--tag',
    'a',
    '--tag',
    'b',
    '--notes',
    'n',
  ];
  await home.start(['true', 'a b'], { options }).ended;
  const [created] = home.of('run_created');
  const key = {
    experiment_number: 1,
    dataset: 'iris',
    method: 'mlp',
    subject: null,
    cl_info: '{"lr":0.1}',
    seed: 1,
  };
  expect(created).toMatchObject({
    run_id: runId(key), cl_info: '{"lr":0.1}', config: { lr: 0.1, opt: 'adam' }, tags: ['a', 'b'], notes: 'n',
    code: { command: "true 'a b'", cwd: home.dir },
  }); // prettier-ignore
  expect(created).not.toHaveProperty('resume');
  expect(home.events().map(({ type }) => type)).toEqual([
    'writer_opened',
    'run_created',
    'status_changed',
    'status_changed',
    'writer_closed',
  ]);
});

test('the method is the script by default', async () => {
  const home = new ExecHome();
  await home.start(['sh', home.file('train.sh', 'true')], { options: [] }).ended;
  expect(home.of('run_created')).toMatchObject([
    { dataset: 'default', method: 'train', experiment_number: 1 },
  ]);
});

describe('in a job', () => {
  const JOB = { SLURM_JOB_ID: '42', SLURM_JOB_PARTITION: 'gpu' };

  test('what SLURM says, and the files of its output', async () => {
    const home = new ExecHome();
    const [out, err] = ['out.log', 'err.log'].map((name) => fs.openSync(path.join(home.dir, name), 'w'));
    const child = home.spawn(['sh', '-c', 'echo out; echo err >&2'], {
      env: JOB,
      stdio: ['ignore', out!, err!],
    });
    await new Promise((resolve) => child.once('exit', resolve));
    expect(home.of('slurm_info')).toMatchObject([
      {
        job_id: '42',
        partition: 'gpu',
        source: 'env',
        stdout_path: `${home.dir}/out.log`,
        stderr_path: `${home.dir}/err.log`,
      },
    ]);
    expect(fs.readFileSync(`${home.dir}/out.log`, 'utf8')).toBe('out\n');
    expect(fs.readFileSync(`${home.dir}/err.log`, 'utf8')).toBe('err\n');
  });

  test.each<[string[], boolean]>([
    [[], true],
    [['--config', 'lr=1'], true],
    [['--seed', '3'], false],
    [['--dataset', 'iris'], false],
    [['--config', 'lr=1', '--key-from-config', 'lr'], false],
    [['--grid', 'grid.csv'], false],
  ])('an array of which all tasks would be one run: %j', async (options, isWarned) => {
    const home = new ExecHome();
    home.file('grid.csv', 'seed\n1\n2\n3\n');
    const task = { ...JOB, SLURM_ARRAY_TASK_ID: '3', SLURM_ARRAY_JOB_ID: '42' };
    const { stderr, code } = await home.start(['true'], { options, env: task }).ended;
    expect(code).toBe(0);
    expect(stderr.split('\n').filter((line) => line.includes('one run'))).toHaveLength(isWarned ? 1 : 0);
    expect((await home.start(['true'], { options, env: { ...task, SLURM_PROCID: '1' } }).ended).stderr).toBe(
      '',
    );
  });

  test('output that is no file has no path', async () => {
    const home = new ExecHome();
    await home.sh('true', { env: JOB }).ended;
    expect(home.of('slurm_info')[0]).not.toHaveProperty('stdout_path');
  });

  test.each<[string[], string, boolean]>([
    [[], '0', false],
    [[], '1', true],
    [['--no-resume'], '2', false],
    [['--resume'], '0', true],
  ])('resume: %j, restart count %s', async (more, SLURM_RESTART_COUNT, expected) => {
    const home = new ExecHome();
    await home.sh('true', { options: [...KEY, ...more], env: { ...JOB, SLURM_RESTART_COUNT } }).ended;
    expect(home.of('run_created')[0]?.resume ?? false).toBe(expected);
  });

  test('a rank above 0 only runs its command', async () => {
    const home = new ExecHome();
    const result = await home.sh('echo "$RUNFOLD_RUN_ID"; exit 5', { env: { ...JOB, SLURM_PROCID: '1' } })
      .ended;
    expect(result).toMatchObject({ code: 5, stderr: '' });
    expect(result.stdout.trim()).toHaveLength(16);
    expect(home.events()).toEqual([]);
    await home.sh('true', { env: { ...JOB, SLURM_PROCID: '0' } }).ended;
    expect(home.of('run_created')).toHaveLength(1);
  });
});

describe('wrong usage, before anything runs', () => {
  test.each<[string, string[]]>([
    ['no command', ['exec', ...KEY, '--']],
    ['no dashes', ['exec', ...KEY, 'touch', 'ran']],
    ['words before the dashes', ['exec', 'x', '--', 'touch', 'ran']],
    ['no such option', ['exec', '--datset', 'x', '--', 'touch', 'ran']],
    ['a seed that is none', ['exec', '--seed', 'x', '--', 'touch', 'ran']],
    ['a config without values', ['exec', '--config', 'lr', '--', 'touch', 'ran']],
    ['a name that config has not', ['exec', '--key-from-config', 'lr', '--', 'touch', 'ran']],
    ['a key beside a grid', ['exec', '--seed', '1', '--grid', 'grid.csv', '--', 'touch', 'ran']],
    ['a row without a grid', ['exec', '--row', '1', '--', 'touch', 'ran']],
    ['a grid that is not there', ['exec', '--grid', 'none.csv', '--row', '1', '--', 'touch', 'ran']],
    ['a row that is not there', ['exec', '--grid', 'grid.csv', '--row', '3', '--', 'touch', 'ran']],
    ['samples all the time', ['exec', '--sample-every', '0.1s', '--', 'touch', 'ran']],
  ])('%s', (_, args) => {
    const home = new ExecHome();
    home.file('grid.csv', 'seed,lr\n1,0.1\n2,0.2\n');
    const result = spawnSync(process.execPath, [CLI, ...args], {
      cwd: home.dir,
      env: home.env(),
      encoding: 'utf8',
    });
    expect(result).toMatchObject({ status: 2, stdout: '' });
    expect(result.stderr).not.toBe('');
    expect(fs.existsSync(path.join(home.dir, 'ran'))).toBe(false);
    expect(home.events()).toEqual([]);
  });

  test.each<[string, string[]]>([
    ['--dataset', ['--dataset', '--', 'touch', 'ran']],
    ['--seed', ['--seed', '--', 'touch', 'ran']],
    ['--config', ['--config', '--', 'touch', 'ran']],
    ['--tag', ['--tag', '--', 'touch', 'ran']],
    ['--dataset', ['--dataset', '--independent', '--', 'touch', 'ran']],
  ])('an option that an empty variable left without a value: %s in %j', (option, args) => {
    const home = new ExecHome();
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'exec', ...args], {
      cwd: home.dir,
      env: home.env(),
      encoding: 'utf8',
    });
    expect(stderr).toContain(`${option} has no value (is a variable empty?)`);
    expect(status).toBe(2);
    expect(fs.existsSync(path.join(home.dir, 'ran'))).toBe(false);
  });

  test('help', () => {
    const result = spawnSync(process.execPath, [CLI, 'exec', '--help'], { encoding: 'utf8' });
    expect(result.status).toBe(0);
    expect(result.stdout).toContain('runfold exec [options] -- COMMAND…');
    expect(result.stdout).toMatch(/--method <name>\s+method \(default: the script’s name/);
  });
});

describe('without a log that can be written', () => {
  const spooled = (home: ExecHome): string => {
    const folder = path.join(home.dir, 'tmp', `runfold-spool-${process.getuid?.() ?? ''}`);
    return fs
      .readdirSync(folder)
      .map((name) => fs.readFileSync(path.join(folder, name), 'utf8'))
      .join('');
  };

  test('there is none: the command runs, what is said waits in the spool', async () => {
    const home = new ExecHome();
    const result = await home.sh('echo works; exit 4', { env: { RUNFOLD_DIR: '/nowhere/log' } }).ended;
    expect(result).toMatchObject({ code: 4, stdout: 'works\n' });
    expect(result.stderr).toMatch(/^runfold: .*spool/m);
    expect(spooled(home)).toContain('"status":"failed","exit_code":4');
  });

  test('its folder is a file', async () => {
    const home = new ExecHome();
    fs.rmSync(path.join(home.ledger, 'events'), { recursive: true, force: true });
    fs.writeFileSync(path.join(home.ledger, 'events'), '');
    expect(await home.sh('echo works').ended).toMatchObject({ code: 0, stdout: 'works\n' });
    expect(spooled(home)).toContain('"status":"completed"');
  });

  test('no spool either', async () => {
    const home = new ExecHome();
    const env = { RUNFOLD_DIR: '/nowhere/log', TMPDIR: '/nowhere/tmp' };
    expect(await home.sh('echo works; echo err >&2; exit 6', { env }).ended).toMatchObject({
      code: 6,
      stdout: 'works\n',
    });
  });

  test.skipIf(!fs.existsSync('/dev/full'))('stdout is a full disk: the command goes on', async () => {
    const home = new ExecHome();
    const full = fs.openSync('/dev/full', 'w');
    const started = home.sh('echo x; echo y; exit 3', { stdio: ['ignore', full, 'pipe'] });
    const result = await started.ended;
    expect(result.code).toBe(3);
    expect(result.stderr).toContain('stdout cannot be written');
  });
});

test('SIGKILL of exec leaves a run without an end, and whole lines', async () => {
  const home = new ExecHome();
  const started = home.sh('echo up; exec sleep 60');
  await until('it is up', () => started.stdout.includes('up') && home.of('status_changed').length === 1);
  const child = Number(
    fs.readFileSync(`/proc/${started.pid}/task/${started.pid}/children`, 'utf8').trim().split(' ')[0],
  );
  started.kill('SIGKILL');
  // its output is still held by the command, which nobody ends
  process.kill(child, 'SIGKILL');
  expect(await started.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
  expect(home.statuses()).toEqual([RUNNING]);
  expect(home.of('writer_closed')).toEqual([]);
});

test('a terminal that has gone is no crash', () => {
  const home = new ExecHome();
  const script = `
import os, pty, subprocess, sys
terminal, end = pty.openpty()
err = open('err', 'w')
child = subprocess.Popen(sys.argv[1:], stdin=end, stdout=subprocess.PIPE, stderr=err, start_new_session=True)
os.close(end)
child.stdout.readline()
os.close(terminal)
open('gone', 'w').close()
print(child.wait(), open('err').read())`;
  const command = ['sh', '-c', 'echo up; until [ -e gone ]; do sleep 0.05; done; exit 3'];
  const args = [home.file('terminal.py', script), process.execPath, CLI, 'exec', '--', ...command];
  const { stdout } = spawnSync('python3', args, { cwd: home.dir, env: home.env(), encoding: 'utf8' });
  expect(stdout).toBe('3 \n');
  expect(home.statuses().at(-1)).toEqual(ended('failed', 3));
});
