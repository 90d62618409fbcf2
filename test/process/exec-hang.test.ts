// `runfold exec` on a storage that hangs: the command is run as if there were no log at all.
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Started } from './cli-process.ts';
import { CLI, ended, ExecHome, KEY, RUNNING } from './exec-home.ts';
import { HangingMount } from './hang-hook.ts';
import { until } from './until.ts';

const SILENT = /^runfold: the storage of the log has not answered since 2\S+Z \(\S+\); the command goes on/m;
const WAITING = 'the command has ended, what is recorded of it waits for up to';

/** A log on a mount that hangs between `hang` and `answer`, for every thread that makes a call there. */
class HangingHome extends ExecHome {
  readonly mount = new HangingMount(this.dir, this.ledger);

  override env(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    return super.env({ NODE_OPTIONS: this.mount.nodeOptions, ...more });
  }

  get spool(): string {
    return path.join(this.dir, 'tmp', `runfold-spool-${process.getuid?.() ?? ''}`);
  }

  recorderOf({ pid }: Started): number {
    const children = fs
      .readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .map(Number);
    const found = children.find((child) =>
      fs.readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('recorder-child'),
    );
    if (found === undefined) throw new Error('there is no recorder process');
    return found;
  }
}

const LISTENER = `trap 'echo USR1' USR1; trap 'echo TERM; exit 7' TERM; echo ready; while :; do sleep 0.05; done`;

async function hears(started: Started, text: string): Promise<void> {
  await until(`stdout says ${text}: ${started.stdout}${started.stderr}`, () => started.stdout.includes(text));
}

/** Waits no longer than it must for a log that does not answer. */
const AT_ONCE = [...KEY, '--log-wait', '0', '--sample-every', '0'];

test('with a storage that may hang but does not, all is as without', async () => {
  const home = new HangingHome();
  const options = [...KEY, '--sample-every', '0'];
  expect(await home.sh('echo out; echo err >&2; exit 3', { options }).ended).toMatchObject({
    code: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  expect(home.events().map(({ type }) => type)).toEqual([
    'writer_opened',
    'run_created',
    'status_changed',
    'error',
    'status_changed',
    'writer_closed',
  ]);
  expect(home.events().map((event) => 'seq' in event && event.seq)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(home.statuses()).toEqual([RUNNING, ended('failed', 3)]);
  expect(fs.existsSync(home.spool)).toBe(false);
});

describe('a storage that answers is given the time to do so', () => {
  test('also by who waits for none that does not', async () => {
    const home = new HangingHome();
    expect(await home.sh('exit 3', { options: AT_ONCE }).ended).toMatchObject({ code: 3, stderr: '' });
    expect(home.statuses()).toEqual([RUNNING, ended('failed', 3)]);
    expect(home.of('writer_closed')).toHaveLength(1);
    expect(fs.existsSync(home.spool)).toBe(false);
  });

  test('also after a second signal, while squeue is asked', async () => {
    const home = new HangingHome();
    const answer = path.join(home.dir, 'answer');
    home.command('squeue', `while [ ! -e '${answer}' ]; do sleep 0.02; done`);
    const options = [...KEY, '--sample-every', '0'];
    const started = home.sh(`echo $$.; ${LISTENER}`, { options, env: { SLURM_JOB_ID: '42' } });
    await hears(started, 'ready');
    const [command = ''] = started.stdout.split('.');
    started.kill('SIGTERM');
    // not even a zombie: exec knows that it has ended
    await until('the command has ended', () => !fs.existsSync(`/proc/${command}`));
    started.kill('SIGTERM');
    fs.writeFileSync(answer, '');
    expect(await started.ended).toMatchObject({ code: 7, stderr: '' });
    expect(home.statuses()).toEqual([RUNNING, ended('failed', 7, 'SIGTERM')]);
    expect(home.of('writer_closed')).toHaveLength(1);
    expect(fs.existsSync(home.spool)).toBe(false);
  });
});

test('the shell that starts the recorder is not given a folder to look at', async () => {
  const home = new HangingHome();
  const link = path.join(home.dir, 'link');
  fs.symlinkSync(home.dir, link);
  const started = home.sh('echo ready; read line', { env: { PWD: link } });
  await hears(started, 'ready');
  const recorder = fs.readFileSync(`/proc/${home.recorderOf(started)}/environ`, 'utf8');
  // a shell that has looked, and found that it is where it is, keeps its name
  expect(recorder.split('\0')).not.toContain(`PWD=${link}`);
  started.child.stdin?.end();
  await started.ended;
});

test('the attempt of a launch is that of the command, however deep below its launcher', async () => {
  const home = new HangingHome();
  const nest = home.file(
    'nest.sh',
    'n=$1; shift; if [ $n -gt 1 ]; then sh "$0" $((n - 1)) "$@"; else "$@"; fi; exit $?',
  );
  const rank = { RANK: '0', WORLD_SIZE: '1', LOCAL_WORLD_SIZE: '1', TORCHELASTIC_RUN_ID: 'none' };
  const script = ['sh', '-c', 'echo $RUNFOLD_ATTEMPT'];
  // one more, and exec itself would not find the launcher
  const words = [nest, '7', process.execPath, CLI, 'exec', ...KEY, '--', ...script];
  const { stdout } = await new Started(spawn('sh', words, { cwd: home.dir, env: home.env(rank) })).ended;
  expect(stdout).toMatch(/^[0-9a-f]{32}\n$/);
  expect(home.of('writer_opened').map(({ attempt }) => `${attempt}\n`)).toEqual([stdout]);
});

test('on local disks there is no other process', async () => {
  const { stdout } = await new ExecHome().sh('echo $$; cat /proc/$PPID/task/$PPID/children').ended;
  const [own, children] = stdout.split('\n');
  expect(children?.trim()).toBe(own);
});

test('the command has the descriptors that it has without', async () => {
  const script = 'ls /proc/self/fd';
  const without = await new ExecHome().sh(script).ended;
  expect(await new HangingHome().sh(script).ended).toMatchObject({ stdout: without.stdout, code: 0 });
});

describe('a storage that hangs before the command is started', () => {
  test('is said once; the command runs, its output flows, signals reach it, and its exit code is exec’s', async () => {
    const home = new HangingHome();
    home.mount.hang();
    const started = home.sh(LISTENER, { options: AT_ONCE });
    await hears(started, 'ready');
    started.kill('SIGUSR1');
    await hears(started, 'USR1');
    started.kill('SIGTERM');
    const { code, signal, stdout, stderr } = await started.ended;
    expect({ code, signal, stdout }).toEqual({ code: 7, signal: null, stdout: 'ready\nUSR1\nTERM\n' });
    expect(stderr.match(new RegExp(SILENT, 'gm'))).toHaveLength(1);
    expect(home.events()).toEqual([]);
  });

  test('and answers while the command runs gets all of it, each event once', async () => {
    const home = new HangingHome();
    home.mount.hang();
    const options = [...KEY, '--sample-every', '1s'];
    const started = home.sh('echo ready; read line; exit 4', { options });
    await hears(started, 'ready');
    await started.says(SILENT);
    home.mount.answer();
    await started.says('written again; nothing was lost');
    await until('a sample is written', () => home.of('resource_sample').length > 0);
    started.child.stdin?.write('go\n');
    expect((await started.ended).code).toBe(4);
    expect(home.statuses()).toEqual([RUNNING, ended('failed', 4)]);
    expect(home.of('run_created')).toHaveLength(1);
    expect(home.of('writer_closed')).toMatchObject([{ events: home.events().length - 1 }]);
    const elapsed = home.of('resource_sample').map(({ elapsed_seconds }) => elapsed_seconds);
    expect(elapsed).toEqual([...new Set(elapsed)].toSorted((one, other) => one - other));
  });

  test('a signal that comes before the command has begun is not lost', async () => {
    const home = new HangingHome();
    home.mount.hang();
    const started = home.sh('sleep 60', { options: AT_ONCE });
    await until('exec listens', () => hasRecorder(home, started));
    started.kill('SIGTERM');
    const { code, signal, stderr } = await started.ended;
    expect([code, signal]).toEqual([null, 'SIGTERM']);
    // it was the command that has died of it
    expect(stderr).toContain('events are in');
    const [file = ''] = fs.readdirSync(home.spool);
    expect(fs.readFileSync(path.join(home.spool, file), 'utf8')).toContain(
      '"status":"failed","reason":"SIGTERM"',
    );
  });

  test('a log that is not named is looked for in vain, and the command runs all the same', async () => {
    const home = new HangingHome();
    const folder = path.join(home.ledger, 'experiment');
    fs.mkdirSync(folder);
    home.mount.hang();
    const started = home.sh('echo "<$RUNFOLD_DIR>"; exit 5', {
      options: AT_ONCE,
      env: { RUNFOLD_DIR: '' },
      cwd: folder,
    });
    const { code, stdout, stderr } = await started.ended;
    expect({ code, stdout }).toEqual({ code: 5, stdout: '<>\n' });
    expect(stderr).toContain('events are in');
  });
});

describe('a storage that begins to hang while the command runs', () => {
  test('stops nothing, and what could not be written is in the spool, with the way to bring it in', async () => {
    const home = new HangingHome();
    const started = home.sh('echo ready; read line; echo more; echo last words >&2; exit 3', {
      options: AT_ONCE,
    });
    await hears(started, 'ready');
    expect(home.statuses()).toEqual([RUNNING]);
    home.mount.hang();
    started.child.stdin?.write('go\n');
    const { code, stdout, stderr } = await started.ended;
    expect({ code, stdout }).toEqual({ code: 3, stdout: 'ready\nmore\n' });
    const [, since, count, mend = ''] =
      /could not be written \(.* has not answered since (\S+Z)\); (\d+) events are in .*: (mkdir .*)$/m.exec(
        stderr,
      ) ?? [];
    expect(Date.parse(since ?? '')).toBeGreaterThan(0);
    expect(count).toBe('4');
    home.mount.answer();
    expect(home.statuses()).toEqual([RUNNING]);
    expect(mended(home, mend)).toBe(0);
    expect(home.statuses()).toEqual([RUNNING, ended('failed', 3)]);
    expect(home.of('error')).toMatchObject([{ exception_type: 'ExitCode 3', message: 'last words' }]);
    const attempts = home.of('writer_opened').map(({ attempt, writer }) => attempt ?? writer);
    expect(new Set(attempts).size).toBe(1);
  });

  test('and answers while exec waits for it gets the end', async () => {
    const home = new HangingHome();
    const started = home.sh('echo ready; read line; exit 6');
    await hears(started, 'ready');
    home.mount.hang();
    started.child.stdin?.write('go\n');
    await started.says(WAITING);
    home.mount.answer();
    const { code, stderr } = await started.ended;
    expect(code).toBe(6);
    expect(stderr).toContain('written again; nothing was lost');
    expect(home.statuses()).toEqual([RUNNING, ended('failed', 6)]);
    expect(fs.existsSync(home.spool)).toBe(false);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends the wait for it, with the exit code of the command',
    async (signal) => {
      const home = new HangingHome();
      const started = home.sh('echo ready; read line; exit 6', { options: [...KEY, '--log-wait', '1h'] });
      await hears(started, 'ready');
      home.mount.hang();
      started.child.stdin?.write('go\n');
      await started.says(WAITING);
      started.kill(signal);
      const { code, stderr } = await started.ended;
      expect(code).toBe(6);
      expect(stderr).toContain('events are in');
    },
  );

  test('after SIGTERM the wait is counted from it, since SIGKILL comes so long after it', async () => {
    const home = new HangingHome();
    home.mount.hang();
    const script = `trap 'sleep 1; exit 7' TERM; echo ready; while :; do sleep 0.05; done`;
    const started = home.sh(script, { options: [...KEY, '--log-wait', '1h'] });
    await hears(started, 'ready');
    started.kill('SIGTERM');
    await started.says(WAITING);
    const [, seconds] = /waits for up to (\d+) s/.exec(started.stderr) ?? [];
    // from the end of the command it would be 20 s
    expect(Number(seconds)).toBeLessThan(20);
    home.mount.answer();
    expect((await started.ended).code).toBe(7);
  });

  test('no process is left, and the command’s output is closed', async () => {
    const home = new HangingHome();
    const started = home.sh('echo ready; read line', { options: AT_ONCE });
    await hears(started, 'ready');
    const recorder = home.recorderOf(started);
    home.mount.hang();
    started.child.stdin?.write('go\n');
    await started.ended;
    await until('the recorder is gone', () => !isAlive(recorder));
  });
});

test('a spool that may hang too is not touched: how many events are lost is said', async () => {
  const home = new HangingHome();
  const tmp = path.join(home.ledger, 'tmp');
  fs.mkdirSync(tmp);
  home.mount.hang();
  const { code, stderr } = await home.sh('exit 2', { options: AT_ONCE, env: { TMPDIR: tmp } }).ended;
  expect(code).toBe(2);
  expect(stderr).toMatch(/has not answered since \S+Z\); 6 events are lost/);
});

describe('killed by SIGKILL', () => {
  test('of exec, what was told before is in the log, and the recorder ends', async () => {
    const home = new HangingHome();
    const options = [...KEY, '--sample-every', '1s'];
    const started = home.sh('echo ready; read line; :', { options });
    await hears(started, 'ready');
    expect(home.statuses()).toEqual([RUNNING]);
    const recorder = home.recorderOf(started);
    await until('a sample is written', () => home.of('resource_sample').length > 0);
    started.child.stdin?.end();
    started.kill('SIGKILL');
    await started.ended;
    await until('the recorder is gone', () => !isAlive(recorder));
    expect(home.of('writer_closed')).toEqual([]);
    expect(home.statuses().filter((status) => 'exit_code' in status && status.exit_code !== null)).toEqual(
      [],
    );
  });

  test('of the recorder, another one writes on', async () => {
    const home = new HangingHome();
    const started = home.sh('echo ready; read line; exit 3');
    await hears(started, 'ready');
    const recorder = home.recorderOf(started);
    process.kill(recorder, 'SIGKILL');
    await until('there is another', () => hasRecorder(home, started, recorder));
    started.child.stdin?.write('go\n');
    expect(await started.ended).toMatchObject({ code: 3, stderr: '' });
    expect(home.statuses()).toEqual([RUNNING, ended('failed', 3)]);
    expect(home.of('run_created')).toHaveLength(1);
    const attempts = home.of('writer_opened').map(({ attempt, writer }) => attempt ?? writer);
    expect(attempts).toHaveLength(2);
    expect(new Set(attempts).size).toBe(1);
  });
});

test('a recorder that is killed again and again while the storage hangs is not replaced by exec itself', async () => {
  const home = new HangingHome();
  home.mount.hang();
  const started = home.sh('echo ready; read line; exit 3', { options: AT_ONCE });
  await hears(started, 'ready');
  await started.says(SILENT);
  let last = 0;
  for (let kills = 0; kills < 3; kills += 1) {
    await until('there is another', () => hasRecorder(home, started, last));
    last = home.recorderOf(started);
    process.kill(last, 'SIGKILL');
  }
  await until('it is gone', () => !isAlive(last));
  started.child.stdin?.write('go\n');
  const { code, stderr } = await started.ended;
  expect(code).toBe(3);
  expect(stderr).toContain('6 events are in');
  expect(home.events()).toEqual([]);
});

test('a signal to all processes of the job does not end the recorder', async () => {
  const home = new HangingHome();
  const started = home.sh(LISTENER);
  await hears(started, 'ready');
  process.kill(home.recorderOf(started), 'SIGTERM');
  started.kill('SIGTERM');
  expect((await started.ended).code).toBe(7);
  expect(home.of('writer_opened')).toHaveLength(1);
  expect(home.statuses()).toEqual([RUNNING, ended('failed', 7, 'SIGTERM')]);
});

test('a rank above 0 records nothing, and is told where the log is', async () => {
  const home = new HangingHome();
  const env = { SLURM_JOB_ID: '4', SLURM_PROCID: '1' };
  const { code, stdout, stderr } = await home.sh('echo $RUNFOLD_DIR; exit 5', { env }).ended;
  expect({ code, stdout, stderr }).toEqual({ code: 5, stdout: `${home.ledger}\n`, stderr: '' });
  expect(home.events()).toEqual([]);
});

/** The exit code of the command that was printed. */
function mended(home: HangingHome, mend: string): number | null {
  return spawnSync('sh', ['-c', mend], { cwd: home.dir }).status;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // nobody may have waited for it yet
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function hasRecorder(home: HangingHome, started: Started, otherThan = 0): boolean {
  try {
    return home.recorderOf(started) !== otherThan;
  } catch {
    return false;
  }
}
