// Signals through `runfold exec`, and the time limit of a job.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Started } from './cli-process.ts';
import { CLI, ended, ExecHome, type StartExec } from './exec-home.ts';
import { until } from './until.ts';

/** Says each signal that it gets, and ends by SIGTERM with 7. */
const LISTENER = `
for s in INT HUP QUIT USR1 USR2 ALRM CONT; do trap "echo $s" $s; done
trap 'echo TERM; exit 7' TERM
echo up
while :; do sleep 0.05; done`;

async function listening(home: ExecHome, options: StartExec = {}, script = LISTENER): Promise<Started> {
  const started = home.start(['bash', home.file('listen.sh', script)], options);
  await until('it listens', () => started.stdout.includes('up') && home.statuses().length === 1);
  return started;
}

test('each signal reaches the command, each time', async () => {
  const home = new ExecHome();
  const started = await listening(home);
  let expected = 'up\n';
  for (const signal of ['INT', 'HUP', 'QUIT', 'USR1', 'USR2', 'ALRM', 'CONT', 'USR1', 'USR1'] as const) {
    started.kill(`SIG${signal}`);
    expected += `${signal}\n`;
    await until(`${signal} has come`, () => started.stdout === expected);
  }
  started.kill('SIGTERM');
  expect(await started.ended).toEqual({ code: 7, signal: null, stdout: `${expected}TERM\n`, stderr: '' });
  expect(home.statuses().at(-1)).toEqual(ended('failed', 7, 'SIGTERM'));
  // it was asked to end: that is no error
  expect(home.of('error')).toEqual([]);
});

const inSeconds = (seconds: number): string => String(Math.floor(Date.now() / 1000) + seconds);
const JOB = { SLURM_JOB_ID: '42' };

/** The end of the job as squeue says it, and a file with each question. */
function squeue(home: ExecHome, seconds: number, before = '', how = 'RUNNING|None'): string {
  const end = new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19);
  const asked = path.join(home.dir, 'asked');
  home.command('squeue', `echo "$TZ $*" >>${asked}; ${before}\necho '${end}|${how}'`);
  return asked;
}

const DIES = 'echo up; exec sleep 60';
const ENDS_WELL = "trap 'exit 0' TERM USR1; echo up; while :; do sleep 0.05; done";
const ENDS_BADLY = "trap 'exit 2' TERM USR1; echo up; while :; do sleep 0.05; done";

describe('the time limit', () => {
  test.each<[string, string, NodeJS.Signals, number, object]>([
    ['SIGTERM near the end', DIES, 'SIGTERM', 20, ended('timeout', null, 'TIMEOUT')],
    ['SIGTERM past it', DIES, 'SIGTERM', -20, ended('timeout', null, 'TIMEOUT')],
    ['the command ends well', ENDS_WELL, 'SIGTERM', 20, ended('timeout', 0, 'TIMEOUT')],
    ['SIGTERM long before', DIES, 'SIGTERM', 3600, ended('failed', null, 'SIGTERM')],
    ['a warning, and it saves', ENDS_WELL, 'SIGUSR1', 300, ended('completed', 0)],
    ['a warning, and it gives up', ENDS_BADLY, 'SIGUSR1', 300, ended('timeout', 2, 'TIMEOUT')],
    ['a warning that kills it', DIES, 'SIGUSR1', 300, ended('timeout', null, 'TIMEOUT')],
  ])('%s', async (_, script, signal, seconds, expected) => {
    for (const how of ['SLURM_JOB_END_TIME', 'squeue']) {
      const home = new ExecHome();
      const asked = squeue(home, how === 'squeue' ? seconds : 100_000);
      const env = how === 'squeue' ? JOB : { ...JOB, SLURM_JOB_END_TIME: inSeconds(seconds) };
      const started = await listening(home, { env }, script);
      expect(fs.existsSync(asked)).toBe(false);
      started.kill(signal);
      await started.ended;
      expect(home.statuses().at(-1), how).toEqual(expected);
      expect(fs.existsSync(asked) ? fs.readFileSync(asked, 'utf8') : '', how).toBe(
        how === 'squeue' ? 'UTC -h -j 42 -o %e|%T|%r\n' : '',
      );
    }
  });

  test('squeue is asked once, for the task of an array by its name', async () => {
    const home = new ExecHome();
    const asked = squeue(home, 5000);
    const started = await listening(home, {
      env: { ...JOB, SLURM_ARRAY_JOB_ID: '40', SLURM_ARRAY_TASK_ID: '3' },
    });
    for (let nth = 1; nth <= 3; nth += 1) {
      started.kill('SIGUSR1');
      await until('it has come', () => started.stdout.split('USR1').length === nth + 1);
    }
    started.kill('SIGTERM');
    await started.ended;
    expect(fs.readFileSync(asked, 'utf8')).toBe('UTC -h -j 40_3 -o %e|%T|%r\n');
  });

  test.each([
    ['hangs', 'exec sleep 60'],
    ['fails', 'echo no controller >&2; exit 1'],
    ['talks', 'echo x; echo y'],
  ])('a squeue that %s: not known, and the end is recorded', async (_, before) => {
    const home = new ExecHome();
    squeue(home, 10, before);
    const started = await listening(home, { env: JOB }, DIES);
    started.kill('SIGTERM');
    expect(await started.ended).toMatchObject({ code: null, signal: 'SIGTERM', stderr: '' });
    expect(home.statuses().at(-1)).toEqual(ended('failed', null, 'SIGTERM'));
  });

  test.each([
    ['a scancel, which makes the end of the job now', 'COMPLETING|None', ended('failed', null, 'SIGTERM')],
    ['the time limit', 'COMPLETING|TimeLimit', ended('timeout', null, 'TIMEOUT')],
  ])('SIGTERM by %s', async (_, how, end) => {
    const home = new ExecHome();
    squeue(home, 0, '', how);
    const started = await listening(home, { env: JOB }, DIES);
    started.kill('SIGTERM');
    expect(await started.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(home.statuses().at(-1)).toEqual(end);
  });

  test('killed after the warning, what was written before is on the disk', async () => {
    const home = new ExecHome();
    squeue(home, 10);
    const started = await listening(
      home,
      { env: JOB, options: ['--dataset', 'd', '--sample-every', '1s'] },
      LISTENER.replace('exit 7', ':'),
    );
    await until('a sample is written', () => home.of('resource_sample').length > 0);
    started.kill('SIGTERM');
    await until('it has come', () => started.stdout.includes('TERM'));
    const child = Number(
      fs.readFileSync(`/proc/${started.pid}/task/${started.pid}/children`, 'utf8').trim().split(' ')[0],
    );
    started.kill('SIGKILL');
    process.kill(child, 'SIGKILL');
    await started.ended;
    expect(home.statuses()).toHaveLength(1);
  });
});

test('SIGINT of a terminal comes once, and stdout stays the terminal', async () => {
  const home = new ExecHome();
  // a terminal of its own, whose foreground exec and its command are; ^C goes to both
  const script = `
import os, pty, sys, time, select
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
text = b""
sent = False
while True:
    try:
        some = os.read(fd, 4096)
    except OSError:
        break
    if not some:
        break
    text += some
    if b"True" in text and not sent:
        sent = True
        os.write(fd, b"\\x03")
os.waitpid(pid, 0)
sys.stdout.write(text.decode())`;
  const command = `import signal, sys, time
count = 0
def got(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, got)
print("ready", sys.stdout.isatty(), flush=True)
end = time.monotonic() + 20
while count == 0 and time.monotonic() < end: time.sleep(0.01)
time.sleep(0.5)
print("count", count)`;
  const files = [home.file('terminal.py', script), home.file('count.py', command)] as const;
  const result = spawnSync('python3', [files[0], process.execPath, CLI, 'exec', '--', 'python3', files[1]], {
    cwd: home.dir,
    env: home.env(),
    encoding: 'utf8',
  });
  expect(result.stdout).toContain('ready True');
  expect(result.stdout).toContain('count 1');
  expect(home.statuses().at(-1)).toEqual(ended('completed', 0));
});

test('under nohup a hangup ends neither exec nor the command', () => {
  const home = new ExecHome();
  const script = home.file('hangup.sh', 'kill -HUP $PPID; kill -HUP $$; echo alive; exit 4');
  const line = 'nohup "$0" "$1" exec --seed 1 -- sh "$2"; echo "ended $?"';
  const { stdout, stderr } = spawnSync('bash', ['-c', line, process.execPath, CLI, script], {
    cwd: home.dir,
    env: home.env(),
    encoding: 'utf8',
  });
  expect({ stdout, stderr }).toEqual({ stdout: 'alive\nended 4\n', stderr: '' });
  expect(home.statuses().at(-1)).toEqual(ended('failed', 4));
  expect(home.of('run_created')).toMatchObject([{ code: { command: `sh ${script}` } }]);
});
