// slurm refresh with scripts in the place of squeue and sacct, as real processes.
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { runCommand } from '../../src/slurm/run-command.ts';
import { recorded, squeueHeader, squeueLine } from '../slurm/recorded.ts';
import { Desk, type Ran } from './command.ts';

/** When the job says that it runs, and when it is asked about. */
const BEGAN = Date.parse('2026-11-23T21:38:30.000Z');
const NOW = Date.parse('2026-11-23T22:30:00.000Z');

class Site {
  readonly desk: Desk;
  readonly bin: string;
  readonly clock: Clock & { ms: number } = { ms: BEGAN, now: () => this.clock.ms };

  private constructor(desk: Desk) {
    this.desk = desk;
    this.bin = path.join(desk.cwd, 'bin');
    fs.mkdirSync(this.bin);
  }

  static async withJob(id: string): Promise<Site> {
    const site = new Site(await Desk.withLog());
    await site.run('emit', 'run-created', '--dataset', 'd');
    await site.run(
      'emit',
      'slurm-info',
      '--dataset',
      'd',
      '--attempt',
      'a',
      '--source',
      'env',
      '--job-id',
      id,
    );
    site.clock.ms = NOW;
    return site;
  }

  command(name: string, script: string): void {
    fs.writeFileSync(
      path.join(this.bin, name),
      `#!/bin/sh\necho "${name}" >> '${this.bin}/calls'\n${script}\n`,
      { mode: 0o755 },
    );
  }

  answer(name: string, text: string): void {
    fs.writeFileSync(path.join(this.bin, `${name}.txt`), text);
    this.command(name, `/bin/cat '${this.bin}/${name}.txt'`);
  }

  async run(...args: string[]): Promise<Ran> {
    const attempt = args[0] === 'emit' ? { RUNFOLD_ATTEMPT: 'a' } : {};
    // nothing else, for there may be a SLURM around these tests
    const env = { PATH: this.bin, USER: 'ada', ...attempt };
    return await this.desk.run(args, { env, clock: this.clock });
  }

  get calls(): number {
    const file = path.join(this.bin, 'calls');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n').length : 0;
  }

  get files(): string[] {
    const events = path.join(this.desk.ledger, 'events');
    return fs
      .readdirSync(events, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.includes('slurm-refresh'));
  }

  async status(): Promise<unknown> {
    const { stdout } = await this.run('runs', '--json', '--select', 'status,status_reason');
    return JSON.parse(stdout);
  }
}

describe('slurm refresh', () => {
  test('logs what is new, once, and is polite', async () => {
    const site = await Site.withJob('7');
    site.answer('squeue', squeueHeader());
    site.answer('sacct', recorded('timeout', 'sacct.psv'));
    const first = await site.run('slurm', 'refresh');
    expect([first.code, first.stdout]).toEqual([0, '1 job ended: 1 TIMEOUT (2 new events)\n']);
    expect(await site.status()).toEqual([{ status: 'timeout', status_reason: 'TIMEOUT' }]);
    expect(site.files).toHaveLength(1);
    const again = await site.run('slurm', 'refresh');
    expect([again.code, again.stdout]).toEqual([0, 'no job to ask about: the ends of all are known\n']);
    expect([site.calls, (await site.run('doctor')).code]).toEqual([2, 0]);
  });

  test('asks again after a minute, sooner only with --force, and makes no file for nothing', async () => {
    const site = await Site.withJob('7');
    site.clock.ms = BEGAN;
    site.answer('squeue', squeueHeader());
    site.answer('sacct', 'JobID|JobIDRaw|State\n');
    await site.run('slurm', 'refresh');
    site.clock.ms += 59_999;
    const early = await site.run('slurm', 'refresh', '--json');
    expect(JSON.parse(early.stdout)).toMatchObject({
      asked: false,
      last_asked_at: '2026-11-23T21:38:30.000Z',
    });
    expect(site.calls).toBe(2);
    await site.run('slurm', 'refresh', '--force');
    expect(site.calls).toBe(4);
    site.clock.ms += 60_000;
    await site.run('slurm', 'refresh');
    expect([site.calls, site.files]).toEqual([6, []]);
  });

  test('--force asks about running jobs and unknown ones alike', async () => {
    const site = await Site.withJob('7');
    site.answer(
      'squeue',
      `${squeueHeader()}\n${squeueLine({ jobid: '7', jobarrayid: '7', state: 'RUNNING' })}\n`,
    );
    await site.run('slurm', 'refresh', '--force');
    const { stdout } = await site.run('slurm', 'refresh', '--force', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      asked: true,
      events: 0,
      jobs: [{ job: '7', state: 'RUNNING' }],
    });
  });

  test('asks about a job that SLURM did not know once an hour, and at once after a sign of life of its run', async () => {
    const site = await Site.withJob('7');
    site.answer('squeue', squeueHeader());
    site.answer('sacct', 'JobID|JobIDRaw|State\n');
    const calls = async (minutes: number, ...flags: string[]): Promise<number> => {
      site.clock.ms += minutes * 60_000;
      const before = site.calls;
      await site.run('slurm', 'refresh', ...flags);
      return site.calls - before;
    };
    expect(await calls(0)).toBe(2);
    expect([await calls(1), await calls(58), await calls(1)]).toEqual([0, 0, 2]);
    site.clock.ms += 60_000;
    await site.run('emit', 'metric', '--dataset', 'd', '--step', '1', '--loss', '0.5');
    expect(await calls(1)).toBe(2);
    // a week without a word
    expect([await calls(20), await calls(60 * 24 * 7), await calls(1, '--force')]).toEqual([2, 0, 2]);
    site.clock.ms += 60_000;
    const { stdout } = await site.run('slurm', 'refresh');
    expect(stdout).toBe('no job to ask about now: 1 job that SLURM did not know (--force asks again)\n');
  });

  test('asks sacct for days how a job ended of which only squeue has said that, with --force for ever', async () => {
    const site = await Site.withJob('7');
    const ended = { jobid: '7', jobarrayid: '7', state: 'COMPLETED', endtime: '2026-11-23T21:39:03' };
    site.answer('squeue', `${squeueHeader()}\n${squeueLine(ended)}\n`);
    site.command('sacct', 'exit 1');
    await site.run('slurm', 'refresh');
    site.answer('squeue', squeueHeader());
    site.clock.ms += 2 * 86_400_000;
    await site.run('slurm', 'refresh');
    site.clock.ms += 2 * 86_400_000;
    await site.run('slurm', 'refresh');
    expect(site.calls).toBe(4);
    site.answer('sacct', recorded('timeout', 'sacct.psv'));
    await site.run('slurm', 'refresh', '--force');
    expect(await site.status()).toEqual([{ status: 'timeout', status_reason: 'TIMEOUT' }]);
  });

  test.each([
    ['are not installed', undefined, 'is not installed here'],
    ['fail', 'echo no controller >&2; exit 1', 'no controller'],
    ['say nothing', 'exit 0', 'no table'],
    ['print garbage', 'echo "\\033[2J|||"', 'no table'],
  ])('where both %s it says so, ends with 1 and writes nothing', async (_, script, words) => {
    const site = await Site.withJob('7');
    for (const name of ['squeue', 'sacct']) if (script !== undefined) site.command(name, script);
    const { code, stderr } = await site.run('slurm', 'refresh');
    expect([code, site.files]).toEqual([1, []]);
    expect(stderr).toContain(words);
  });

  test('goes on after a line that a crash has cut off', async () => {
    const site = await Site.withJob('7');
    site.answer(
      'squeue',
      `${squeueHeader()}\n${squeueLine({ jobid: '7', jobarrayid: '7', state: 'RUNNING' })}\n`,
    );
    await site.run('slurm', 'refresh');
    fs.appendFileSync(path.join(site.desk.ledger, 'events', site.files[0] ?? ''), '{"type":"slurm_in');
    site.answer('squeue', squeueHeader());
    site.answer('sacct', recorded('timeout', 'sacct.psv'));
    site.clock.ms += 60_000;
    await site.run('slurm', 'refresh');
    expect(await site.status()).toEqual([{ status: 'timeout', status_reason: 'TIMEOUT' }]);
  });
});

describe('a command of SLURM', () => {
  test('that hangs is ended in time, with what it has started', async () => {
    const site = await Site.withJob('7');
    const pidFile = path.join(site.bin, 'pid');
    fs.writeFileSync(path.join(site.bin, 'squeue'), `#!/bin/sh\nsleep 600 & echo $! > '${pidFile}'; wait\n`, {
      mode: 0o755,
    });
    const limits = {
      env: { PATH: `${site.bin}:/usr/bin:/bin` },
      timeoutMs: 500,
      signal: new AbortController().signal,
    };
    expect(await runCommand('squeue', [], limits)).toEqual({ kind: 'timed_out' });
    const pid = Number(fs.readFileSync(pidFile, 'utf8'));
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    // a zombie that nobody has waited for yet is not alive
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
