// What flows through `runfold exec`: stdin, stdout and stderr, as if it were not there.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { CLI, ended, ExecHome } from './exec-home.ts';
import { until } from './until.ts';

async function sha256(
  stream: Readable,
  wait?: () => Promise<void>,
): Promise<{ bytes: number; hash: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash.update(chunk);
    await wait?.();
  }
  return { bytes, hash: hash.digest('hex') };
}

const exitOf = async (child: {
  once: (event: 'exit', then: (code: number | null, signal: string | null) => void) => void;
}): Promise<[number | null, string | null]> =>
  await new Promise((resolve) => child.once('exit', (code, signal) => resolve([code, signal])));

/** Prints bytes of all values, the same each time, on the descriptor that it is told. */
const NOISE = `
const fs = require('node:fs');
const [fd, megabytes, seed] = process.argv.slice(2).map(Number);
const block = Buffer.alloc(1 << 20);
let x = seed;
for (let i = 0; i < block.length; i += 1) { x = (x * 1103515245 + 12345) & 0x7fffffff; block[i] = x >> 16; }
for (let n = 0; n < megabytes; n += 1) {
  block.writeUInt32LE(n, 0);
  for (let at = 0; at < block.length; ) at += fs.writeSync(fd, block, at);
}`;

async function directly(
  script: string,
  fd: 1 | 2,
  megabytes: number,
  seed: number,
): Promise<{ bytes: number; hash: string }> {
  const child = spawn(process.execPath, [script, String(fd), String(megabytes), String(seed)]);
  return await sha256(fd === 1 ? child.stdout : child.stderr);
}

test('both streams at once, 100 MB each, every byte', async () => {
  const home = new ExecHome();
  const script = home.file('noise.cjs', NOISE);
  const both = `"$0" ${script} 1 100 7 & "$0" ${script} 2 100 8; wait`;
  const child = home.spawn(['sh', '-c', both, process.execPath]);
  const exit = exitOf(child);
  const [out, err] = await Promise.all([sha256(child.stdout!), sha256(child.stderr!)]);
  expect(await exit).toEqual([0, null]);
  expect(out).toEqual(await directly(script, 1, 100, 7));
  expect(err).toEqual(await directly(script, 2, 100, 8));
});

test('a slow reader slows the command down, and memory stays as it is', async () => {
  const home = new ExecHome();
  const script = home.file('noise.cjs', NOISE);
  const child = home.spawn([process.execPath, script, '1', '64', '1']);
  const exit = exitOf(child);
  const rss = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
  let read = 0;
  let most = 0;
  const { bytes } = await sha256(child.stdout!, async () => {
    read += 1;
    if (read % 64 !== 0) return;
    if (child.exitCode === null) most = Math.max(most, rss());
    await sleep(5);
  });
  expect(bytes).toBe(64 << 20);
  expect(await exit).toEqual([0, null]);
  // all of it at once would be more
  expect(most).toBeLessThan(64 + 100);
});

test('a reader that stops holds the command, not the signals', async () => {
  const home = new ExecHome();
  const child = home.spawn(['sh', '-c', `trap 'echo got >&2; exit 9' TERM; echo up >&2; yes & wait $!`]);
  const exit = exitOf(child);
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until('it is up', () => said.includes('up'));
  child.kill('SIGTERM');
  await until('the signal has come', () => said.includes('got'));
  await until('the end is recorded', () => home.statuses().length === 2);
  expect(home.statuses()[1]).toEqual(ended('failed', 9, 'SIGTERM'));
  child.stdout!.resume();
  expect(await exit).toEqual([9, null]);
});

test('bytes that are no text, in the order of each stream', async () => {
  const home = new ExecHome();
  const child = home.spawn([
    'sh',
    '-c',
    String.raw`printf '\377\000\r\n\200'; printf '\376' >&2; printf 'end'`,
  ]);
  const chunks: Record<'out' | 'err', Buffer[]> = { out: [], err: [] };
  child.stdout!.on('data', (chunk: Buffer) => void chunks.out.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => void chunks.err.push(chunk));
  await new Promise((resolve) => child.once('close', resolve));
  expect(Buffer.concat(chunks.out)).toEqual(Buffer.from([255, 0, 13, 10, 128, ...Buffer.from('end')]));
  expect(Buffer.concat(chunks.err)).toEqual(Buffer.of(254));
});

test('a reader that goes away is a closed pipe for the command', async () => {
  const home = new ExecHome();
  const child = home.spawn(['yes']);
  const exit = exitOf(child);
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  child.stdout!.destroy();
  expect(await exit).toEqual([null, 'SIGPIPE']);
  expect(home.statuses().at(-1)).toEqual(ended('failed', null, 'SIGPIPE'));
});

test('stdin is the command’s, and is not made non-blocking', async () => {
  const home = new ExecHome();
  const script =
    'import fcntl, os, sys; print(fcntl.fcntl(0, fcntl.F_GETFL) & os.O_NONBLOCK, sys.stdin.read())';
  const result = home.start(['python3', '-c', script]);
  result.child.stdin!.end('some\nlines\n');
  expect(await result.ended).toMatchObject({ code: 0, stdout: '0 some\nlines\n\n' });
});

test('a pipe that others share stays blocking', async () => {
  const home = new ExecHome();
  // what is asked is the state of the very pipes that exec was given, while it runs
  const script = `
import fcntl, os, subprocess, sys
(r, w), (i, o) = os.pipe(), os.pipe()
child = subprocess.Popen(sys.argv[1:], stdin=i, stdout=w, stderr=w)
print(os.read(r, 6), [fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK for fd in (i, w)])
os.close(o)
print(child.wait())`;
  const command = ['exec', '--', 'sh', '-c', 'echo ready; echo x >&2; exec cat'];
  const args = [home.file('pipes.py', script), process.execPath, CLI, ...command];
  const { stdout } = spawnSync('python3', args, { cwd: home.dir, env: home.env(), encoding: 'utf8' });
  expect(stdout).toBe("b'ready\\n' [0, 0]\n0\n");
});

test('a file that a shell names by a descriptor is there', async () => {
  const home = new ExecHome();
  const script = `"$0" "$1" exec -- cat <(echo one) <(echo two)`;
  const { stdout } = spawnSync('bash', ['-c', script, process.execPath, CLI], {
    cwd: home.dir,
    env: home.env(),
    encoding: 'utf8',
  });
  expect(stdout).toBe('one\ntwo\n');
});

test('descriptors above stderr are the command’s, as they are without exec', async () => {
  const home = new ExecHome();
  // a file, a lock, a pipe, one above those that Node looks at, and a number that needs not be there
  const script = `echo three >&3; echo five >&5; echo forty >&40; flock -n 9 && echo locked; echo none >&7`;
  const outer = `"$0" "$1" exec -- bash -c '${script}' 3>three 9>lock 5> >(cat >five) 40>forty`;
  const { stdout, stderr } = spawnSync('bash', ['-c', outer, process.execPath, CLI], {
    cwd: home.dir,
    env: home.env(),
    encoding: 'utf8',
  });
  const read = (name: string): string => fs.readFileSync(path.join(home.dir, name), 'utf8');
  await until('cat has written', () => read('five') === 'five\n');
  expect(['three', 'forty'].map(read)).toEqual(['three\n', 'forty\n']);
  expect(stdout).toBe('locked\n');
  expect(stderr).toContain('7: Bad file descriptor');
});

test('the command has no descriptor of exec’s own', async () => {
  const home = new ExecHome();
  const list = 'import os; print([fd for fd in os.listdir("/proc/self/fd") if int(fd) > 2])';
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  const direct = spawnSync('python3', ['-c', list], { stdio, encoding: 'utf8' }).stdout;
  const below = await home.start(['python3', '-c', list], { stdio }).ended;
  expect(below.stdout).toBe(direct);
});

test('its output can be opened by name', async () => {
  const home = new ExecHome();
  const script = 'echo one >/dev/stdout; echo two >/dev/stderr; echo three | tee /dev/stderr';
  const expected = { code: 0, stdout: 'one\nthree\n', stderr: 'two\nthree\n' };
  expect(await home.sh(script).ended).toMatchObject(expected);
  expect(await home.sh(script, { env: { TMPDIR: '/nowhere' } }).ended).toMatchObject(expected);
  expect(fs.readdirSync(path.join(home.dir, 'tmp'))).toEqual([]);
});

test('no folder of the PATH is looked at for a pipe, since it may be on a storage that hangs', async () => {
  const home = new ExecHome();
  const asked = path.join(home.dir, 'asked');
  home.command('mkfifo', `touch '${asked}'; exit 1`);
  const { code, stderr } = await home.sh('echo two >/dev/stderr').ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'two\n' });
  expect(fs.existsSync(asked)).toBe(false);
});

test('where no pipe can be made the output flows all the same', async () => {
  const home = new ExecHome();
  const hook = home.file(
    'no-folder.mjs',
    `import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
fs.mkdtempSync = () => { throw new Error('full'); };
syncBuiltinESMExports();`,
  );
  const env = { NODE_OPTIONS: `--import=${hook}` };
  expect(await home.sh('test -p /dev/stderr || echo out; echo err >&2; exit 3', { env }).ended).toEqual({
    code: 3,
    signal: null,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  expect(home.of('error')).toMatchObject([{ message: 'err' }]);
});

test('a process in the background that holds the output does not hold the end', async () => {
  const home = new ExecHome();
  const pidFile = path.join(home.dir, 'pid');
  const started = home.sh(`sleep 60 & echo $! >${pidFile}; echo done; exit 3`);
  await until('it has ended', () => started.child.exitCode !== null);
  expect(started.child.exitCode).toBe(3);
  expect(started.stdout).toBe('done\n');
  expect(home.statuses().at(-1)).toEqual(ended('failed', 3));
  process.kill(Number(fs.readFileSync(pidFile, 'utf8')), 'SIGKILL');
  await started.ended;
});

describe('a process in the background that goes on printing', () => {
  const PRINTS = '(while :; do echo x; sleep 0.1; done) & echo $! >pid; echo done; exit 3';
  const quit = (home: ExecHome): void => {
    process.kill(Number(fs.readFileSync(path.join(home.dir, 'pid'), 'utf8')), 'SIGKILL');
  };

  test('does not hold the end, and it is said', async () => {
    const home = new ExecHome();
    const started = home.sh(PRINTS);
    await until('it has ended', () => started.child.exitCode !== null);
    expect(started.child.exitCode).toBe(3);
    expect(started.stdout).toContain('done\n');
    expect(home.statuses().at(-1)).toEqual(ended('failed', 3));
    await until('it is said', () => started.stderr.includes('\n'));
    expect(started.stderr).toMatch(/^runfold: a background process .* is lost; redirect it .*\n$/);
    quit(home);
    await started.ended;
  });

  test('a signal ends what is left of it, even where nobody reads', async () => {
    const home = new ExecHome();
    // more than the pipes hold
    const child = home.spawn(['sh', '-c', 'yes | head -c 800000; echo $$ >pid; exec sleep 60']);
    const exit = exitOf(child);
    await until('it has printed all', () => fs.existsSync(path.join(home.dir, 'pid')));
    quit(home);
    await until('the end is recorded', () => home.statuses().length === 2);
    child.kill('SIGTERM');
    expect(await exit).toEqual([null, 'SIGTERM']);
    expect(home.statuses()[1]).toEqual(ended('failed', null, 'SIGKILL'));
  });
});

test('hostile stderr: recorded within bounds, on lines that are whole', async () => {
  const home = new ExecHome();
  const script = `
    const { writeSync } = require('node:fs');
    for (let n = 0; n < 20; n += 1) writeSync(2, Buffer.alloc(65536, n % 2 === 0 ? 0xff : 0));
    writeSync(2, '\\u001b]0;title\\u0007\\nTraceback (most recent call last):\\n'.repeat(3000));
    process.exitCode = 1;`;
  const child = home.spawn([process.execPath, home.file('x.cjs', script)]);
  child.stderr!.resume();
  expect(await exitOf(child)).toEqual([1, null]);
  const [error] = home.of('error');
  expect(error?.exception_type).toBe('ExitCode 1');
  expect(error?.traceback?.length).toBeLessThanOrEqual(16_384);
  expect(home.of('writer_closed')).toHaveLength(1);
});
