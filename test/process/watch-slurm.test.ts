// `runfold watch --slurm` and `runfold slurm refresh` as real processes, with scripts in the place of squeue and sacct.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { takeTurn } from '../../src/db/turn.ts';
import { tempDir } from '../events/temp-dir.ts';
import { A, created, metric, notes, NOTES, slurm, status, writerFile } from '../helpers/lines.ts';
import { recorded, squeueHeader, squeueLine } from '../slurm/recorded.ts';
import { runCliProcess, startCli } from './cli-process.ts';
import { Followed } from './followed.ts';
import { until } from './until.ts';

/** A log with a run in SLURM job 7, and commands of SLURM that do what a test wants. */
class Site {
  readonly followed: Followed = new Followed(
    writerFile(A, created(0), slurm(0, 'env', { job_id: '7', state: 'RUNNING' }), status(0, 'running')),
  );
  readonly bin: string = tempDir();
  readonly env: Readonly<Record<string, string>> = { PATH: `${this.bin}:/usr/bin:/bin` };

  /** What it is asked is in `<name>.calls`, with the time in seconds since 1970. */
  command(name: string, script: string): this {
    const text = `#!/bin/sh\necho "$(/bin/date +%s.%N) $*" >> '${this.bin}/${name}.calls'\n${script}\n`;
    fs.writeFileSync(path.join(this.bin, name), text, { mode: 0o755 });
    return this;
  }

  answer(name: string, text: string): this {
    fs.writeFileSync(path.join(this.bin, `${name}.txt`), text);
    return this.command(name, `exec /bin/cat '${this.bin}/${name}.txt'`);
  }

  /** Milliseconds since 1970, of each call. */
  calls(name: string): number[] {
    const file = path.join(this.bin, `${name}.calls`);
    if (!fs.existsSync(file)) return [];
    const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
    return lines.map((line) => Number.parseFloat(line) * 1000);
  }

  /** They never answer, and neither do the commands that they start. */
  hang(): this {
    const script = `trap '' INT TERM\necho $$ >> '${this.bin}/pids'\nsleep 600 &\necho $! >> '${this.bin}/pids'\nwait`;
    onTestFinished(() => {
      for (const pid of this.alive) process.kill(pid, 'SIGKILL');
    });
    return this.command('squeue', script).command('sacct', script);
  }

  get pids(): number[] {
    const file = path.join(this.bin, 'pids');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
  }

  get alive(): number[] {
    return this.pids.filter(isAlive);
  }
}

function isAlive(pid: number): boolean {
  try {
    // a zombie that nobody has waited for yet is not alive
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const RUNNING = `${squeueHeader()}\n${squeueLine({ jobid: '7', jobarrayid: '7', state: 'RUNNING' })}\n`;
const NOBODY = 'JobID|JobIDRaw|State\n';

test.each(['SIGINT', 'SIGTERM'] as const)(
  'commands that hang hold up no line and no %s, and are killed with what they have started',
  async (signal) => {
    const site = new Site().hang();
    const { followed } = site;
    const watch = await followed.watch(['--slurm'], { env: site.env });
    await until('both hang', () => site.alive.length === 4);
    for (let nth = 1; nth <= 5; nth += 1) {
      followed.ledger.append(NOTES, notes(metric(nth)).bytes);
      await followed.untilPoints(nth);
    }
    expect(site.alive).toHaveLength(4);
    watch.kill(signal);
    // what hangs would be given up after 30 s
    await until('it has ended', () => watch.hasEnded, 15_000);
    expect(await watch.ended).toMatchObject({ code: 0, signal: null, stdout: '' });
    expect(watch.stderr).toContain('ended; ');
    expect(watch.stderr).not.toContain('SLURM');
    await until('nothing of them is left', () => site.alive.length === 0);
    expect(followed.walBytes).toBe(0);
  },
);

test('Ctrl-C ends a refresh whose commands hang, and them', async () => {
  const site = new Site().hang();
  const refresh = startCli(['slurm', 'refresh', ...site.followed.args], { env: site.env });
  await until('both hang', () => site.alive.length === 4);
  refresh.kill('SIGINT');
  await until('it has ended', () => refresh.hasEnded, 15_000);
  expect(await refresh.ended).toMatchObject({ code: 1, signal: null, stdout: '' });
  expect(refresh.stderr).toContain('interrupted');
  await until('nothing of them is left', () => site.alive.length === 0);
});

test('what SLURM says comes into the tables, of a log that had not been read before', async () => {
  const site = new Site().answer('squeue', squeueHeader()).answer('sacct', recorded('timeout', 'sacct.psv'));
  const { followed } = site;
  const watch = await followed.watch(['--slurm'], { env: site.env });
  await watch.says('SLURM: 1 job ended: 1 TIMEOUT');
  await until(
    'the run has timed out',
    () => followed.number("SELECT count(*) FROM experiment_runs WHERE status_reason = 'TIMEOUT'") === 1,
  );
  expect([site.calls('squeue').length, site.calls('sacct').length]).toEqual([1, 1]);
  watch.kill('SIGINT');
  expect(await watch.ended).toMatchObject({ code: 0 });
  expect(await followed.runJson('runs', '--select', 'status,status_reason')).toEqual([
    { status: 'timeout', status_reason: 'TIMEOUT' },
  ]);
});

test('commands that are not there are said once, and the log is followed', async () => {
  const site = new Site();
  const { followed } = site;
  const watch = await followed.watch(['--slurm'], { env: { PATH: site.bin } });
  await watch.says(/^SLURM: .*squeue is not installed here; sacct is not installed here$/m);
  followed.ledger.append(NOTES, notes(metric(1)).bytes);
  await followed.untilPoints(1);
  watch.kill('SIGINT');
  expect(await watch.ended).toMatchObject({ code: 0 });
});

test('after a refresh of somebody else it waits for the minute to be over, and no longer', async () => {
  const site = new Site().answer('squeue', RUNNING).answer('sacct', NOBODY);
  const { followed } = site;
  await followed.run('sync');
  const askedAt = Date.now() - 56_000;
  expect(takeTurn(followed.db, askedAt, 60_000).isOurs).toBe(true);
  const watch = await followed.watch(['--slurm', '--slurm-every', '10m'], { env: site.env });
  const [calledAt] = await until('it asks', () => {
    const calls = site.calls('squeue');
    return calls.length > 0 && calls;
  });
  expect(calledAt).toBeGreaterThanOrEqual(askedAt + 60_000);
  watch.kill('SIGINT');
  expect(await watch.ended).toMatchObject({ code: 0 });
});

test('of several refreshes at once one asks, and the others say when', async () => {
  const site = new Site();
  const gate = path.join(site.bin, 'gate');
  const waiting = (name: string): string =>
    `until [ -e '${gate}' ]; do sleep 0.02; done; exec /bin/cat '${site.bin}/${name}.txt'`;
  site.answer('squeue', RUNNING).command('squeue', waiting('squeue'));
  site.answer('sacct', NOBODY).command('sacct', waiting('sacct'));
  await site.followed.run('sync');
  const args = ['slurm', 'refresh', '--json', ...site.followed.args];
  const all = Array.from({ length: 4 }, () => startCli(args, { env: site.env }));
  await until('all but one have ended', () => all.filter(({ hasEnded }) => hasEnded).length === 3, 60_000);
  fs.writeFileSync(gate, '');
  const ended = await Promise.all(all.map(({ ended }) => ended));
  expect(ended.map(({ code, stderr }) => [code, /runfold:/.test(stderr)])).toEqual(all.map(() => [0, false]));
  const said = ended.map(({ stdout }) => JSON.parse(stdout) as { asked: boolean; last_asked_at?: string });
  expect(said.filter(({ asked }) => asked)).toHaveLength(1);
  expect(said.filter(({ last_asked_at }) => typeof last_asked_at === 'string')).toHaveLength(3);
  expect([site.calls('squeue').length, site.calls('sacct').length]).toEqual([1, 1]);
});

test('an interval below a minute is refused', async () => {
  const { code, stderr } = await runCliProcess(['watch', '--slurm', '--slurm-every', '59s']);
  expect(code).toBe(2);
  expect(stderr).toContain(
    "option '--slurm-every <time>' argument '59s' is invalid. It must be 60s or more.",
  );
});
