// runfold logs: as a real process where files, signals and permissions are in play.
import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { filledIn, chosenJob } from '../../src/cli/logs/output-job.ts';
import { OutputLines, readableLine } from '../../src/cli/logs/output-lines.ts';
import type { RunRecord } from '../../src/query/run-record.ts';
import type { SlurmJob } from '../../src/query/slurm-jobs.ts';
import { runCliProcess, startCli, type Ended, type Started } from '../process/cli-process.ts';
import { until } from '../process/until.ts';
import { Desk, ndjson } from './command.ts';

const KEY = { experiment_number: 1, dataset: 'iris', method: 'mlp', seed: 1 };
const ATTEMPT = 'a1';

/** A log with a run in a job that writes to `out.txt` in the desk's directory, or to what is given. */
async function desk(slurm: object = {}, more: readonly object[] = []): Promise<Desk & { out: string }> {
  const made = Object.assign(await Desk.withLog(), { out: '' });
  made.out = path.join(made.cwd, 'out.txt');
  const job = {
    type: 'slurm_info',
    job_id: '7',
    source: 'squeue',
    attempt: ATTEMPT,
    node_list: 'node17',
    stdout_path: made.out,
  };
  await emit(
    made,
    { type: 'run_created', ...KEY },
    { type: 'status_changed', status: 'running' },
    { ...job, ...slurm },
    ...more,
  );
  return made;
}

async function emit(at: Desk, ...events: object[]): Promise<void> {
  const { code, stderr } = await at.run(
    ['emit', '-', '--seed', '1', '--dataset', 'iris', '--method', 'mlp'],
    {
      stdin: ndjson(...events),
      env: { RUNFOLD_ATTEMPT: ATTEMPT },
    },
  );
  expect(stderr).toMatch(/^\d+ events? written\n$/);
  expect(code).toBe(0);
}

function options(at: Desk): { cwd: string; env: Record<string, string> } {
  return { cwd: at.cwd, env: { RUNFOLD_DB: at.db, TMPDIR: at.cwd } };
}

function logs(at: Desk, ...args: string[]): Promise<Ended> {
  return runCliProcess(['logs', '@last', ...args], options(at));
}

function following(at: Desk, ...args: string[]): Started {
  return startCli(['logs', '@last', '--follow', ...args], options(at));
}

describe('lines', () => {
  test.each<[string, string]>([
    ['10 %\r50 %\r100 %', '100 %'],
    ['100 %\r', '100 %'],
    ['50 %\r   \r', '50 %'],
    ['text\r', 'text'],
    ['\u001b[32mgreen\u001b[0m\tend', 'green\tend'],
    ['\u001b[2K\u001b[1A bar', ' bar'],
    ['\u001b]0;owned\u0007', String.raw`\x1b]0;owned\x07`],
    ['\u202eevil', String.raw`\u{202e}evil`],
    ['', ''],
  ])('%j', (line, shown) => expect(readableLine(line)).toBe(shown));

  test('come out the same, however the bytes are cut', () => {
    const bytes = fc
      .array(
        fc.oneof(
          fc.constantFrom('\n', '\r', '\t', 'é', '中', '\u001b[2J', '\u009b1m'),
          fc.string({ unit: 'binary' }),
        ),
      )
      .map((parts) => Buffer.from(parts.join('')));
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          fc.uint8Array().map((raw) => Buffer.from(raw)),
        ),
        fc.integer({ min: 1, max: 7 }),
        (all, size) => {
          const whole = new OutputLines();
          const expected = [...whole.push(all), ...whole.end()];
          const cut = new OutputLines();
          const lines: string[] = [];
          for (let at = 0; at < all.length; at += size) lines.push(...cut.push(all.subarray(at, at + size)));
          expect([...lines, ...cut.end()]).toEqual(expected);
          for (const line of expected) expect(line).not.toMatch(/[^\P{Cc}\t]/u);
        },
      ),
    );
  });

  test('a progress bar without an end is kept to its last form; a line without any is broken', () => {
    const bar = new OutputLines();
    for (let step = 0; step < 3000; step += 1)
      expect(bar.push(Buffer.from(`${'#'.repeat(100)} ${step}\r`))).toEqual([]);
    expect(bar.end()).toEqual([`${'#'.repeat(100)} 2999`]);
    const long = new OutputLines();
    const lines = Array.from({ length: 40 }, () => long.push(Buffer.alloc(65_536, 'x'))).flat();
    expect([...lines, ...long.end()].join('')).toHaveLength(40 * 65_536);
    expect(lines.length).toBeGreaterThan(0);
  });
});

describe('which file', () => {
  const none = new Proxy({}, { get: () => null });
  const run = { ...(none as RunRecord), user_name: 'ada' };
  const job = (more: Partial<SlurmJob>): SlurmJob =>
    ({
      job_id: '103',
      array_job_id: null,
      array_task_id: null,
      node_list: null,
      restart_count: 0,
      stdout_path: null,
      ...more,
    }) as SlurmJob;

  test.each<[string, string, string[]]>([
    ['/o/%A_%a.out', '/o/100_3.out', []],
    ['/o/%j-%4a-%u-%N-%%', '/o/103-0003-ada-node1-%', []],
    ['/o/%x/%j', '/o/%x/103', ['%x']],
    ['/o/%99a', '/o/0000000003', []],
  ])('%s', (given, filled, left) => {
    const task = job({ array_job_id: '100', array_task_id: '3', node_list: 'node[1-2]' });
    expect(filledIn(given, task, run)).toEqual({ path: filled, left });
  });

  test('that of the last attempt’s newest restart with a path, or of what was asked for', () => {
    const attempts = ['a', 'b'].map((attempt) => ({ attempt })) as never[];
    const jobs = [
      job({ job_id: '1', attempt: 'a', stdout_path: '/1' }),
      job({ job_id: '2', attempt: 'b', stdout_path: '/2' }),
      job({ job_id: '2', attempt: 'b', restart_count: 1 }),
    ];
    const pathFor = (choice: object): string | null | undefined =>
      chosenJob(jobs, attempts, choice, 'stdout')?.stdout_path;
    expect(pathFor({})).toBe('/2');
    expect(pathFor({ attempt: 1 })).toBe('/1');
    expect(pathFor({ job: '1' })).toBe('/1');
    expect(pathFor({ job: '3' })).toBeUndefined();
    expect(pathFor({ attempt: 1, job: '2' })).toBeUndefined();
  });
});

describe('what there is', () => {
  test('the last lines, all of them, the bytes, the path, JSON', async () => {
    const at = await desk();
    const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index}`);
    fs.writeFileSync(at.out, `${lines.join('\n')}\n\u001b[2Jlast\u0007`);
    const last = String.raw`last\x07`;
    expect(await logs(at)).toMatchObject({ code: 0, stdout: `${[...lines.slice(-49), last].join('\n')}\n` });
    expect((await logs(at, '-n', '2')).stdout).toBe(`line 29999\n${last}\n`);
    expect((await logs(at, '-n', '0')).stdout).toBe('');
    expect((await logs(at, '--all')).stdout).toBe(`${[...lines, last].join('\n')}\n`);
    expect((await logs(at, '--raw', '-n', '1')).stdout).toBe('\u001b[2Jlast\u0007');
    expect((await logs(at, '--path')).stdout).toBe(`${at.out}\n`);
    expect(JSON.parse((await logs(at, '--json', '-n', '2')).stdout)).toMatchObject({
      job_id: '7',
      path: at.out,
      lines: ['line 29999', last],
      problem: null,
    });
    expect((await logs(at, '--json', '--raw')).code).toBe(2);
    expect((await logs(at, '--attempt', '2')).code).toBe(2);
  });

  test('of a line that is larger than what is looked at, the end, and it says so', async () => {
    const at = await desk();
    fs.writeFileSync(at.out, 'x'.repeat(9_000_000));
    const { code, stdout, stderr } = await logs(at);
    expect(code).toBe(0);
    expect(stdout.length).toBeLessThan(8_500_000);
    expect(stderr).toContain('only the last 8 MB were looked at');
  });

  test('a symbolic link to a file is one', async () => {
    const at = await desk();
    fs.writeFileSync(path.join(at.cwd, 'real'), 'hello\n');
    fs.symlinkSync('real', at.out);
    expect(await logs(at)).toMatchObject({ code: 0, stdout: 'hello\n' });
  });
});

describe('what cannot be read', () => {
  const error = {
    type: 'error',
    exception_type: 'ValueError',
    message: 'bad',
    traceback: 'Traceback\n  evil \u001b[2J\u0007\n',
  };

  test.each<[string, (file: string) => void, string]>([
    ['nothing', () => undefined, 'is not there'],
    ['a FIFO', (file) => spawnSync('mkfifo', [file]), 'is no regular file'],
    ['a directory', (file) => fs.mkdirSync(file), 'is no regular file'],
    ['a device', (file) => fs.symlinkSync('/dev/zero', file), 'is no regular file'],
    ['a loop', (file) => fs.symlinkSync(file, file), 'is a symbolic link that leads nowhere'],
  ])('%s: says why and where, and shows the run’s own error', async (_, make, why) => {
    const at = await desk({}, [error]);
    make(at.out);
    const { code, stdout, stderr } = await logs(at);
    expect(code).toBe(1);
    expect(stderr).toContain(`the stdout of job 7 cannot be read here: ${at.out} ${why}`);
    expect(stderr).toContain('node17');
    expect(stdout).toBe('Traceback\n  evil \\x07\n');
  });

  // root may read everything
  test.skipIf(process.getuid?.() === 0)('a file without permission', async () => {
    const at = await desk();
    fs.writeFileSync(at.out, 'secret', { mode: 0 });
    const { code, stderr } = await logs(at);
    expect(code).toBe(1);
    expect(stderr).toContain('no permission');
  });

  test('a path that nobody said, a job that there is not', async () => {
    const at = await desk();
    expect((await logs(at, '--stderr')).stderr).toContain('SLURM writes both into one file by default');
    expect((await logs(at, '--job', '8')).stderr).toContain('no such SLURM job');
    const json = await logs(at, '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ path: at.out, lines: null });
  });

  test('a run that was no job of SLURM, and an attempt that was none', async () => {
    const at = await Desk.withLog();
    await emit(at, { type: 'run_created', ...KEY }, { type: 'status_changed', status: 'failed' });
    const { stderr } = await logs(at);
    expect(stderr).toContain('no SLURM job is known of run ');
    expect(stderr).not.toContain('no such');
    expect(stderr).not.toContain('runfold jobs');
    const { problem } = JSON.parse((await logs(at, '--json')).stdout) as { problem: string };
    expect(problem).toMatch(/^no SLURM job is known of run \w+\. [A-Z].*\.$/);
    await emit(
      at,
      { type: 'slurm_info', job_id: '7', source: 'env', attempt: ATTEMPT },
      { type: 'run_created', ...KEY, attempt: 'a2' },
    );
    const later = (await logs(at)).stderr;
    expect(later).toMatch(/no SLURM job is known of attempt 2 of run \w+\n/);
    expect(later).toContain('Those that are known: runfold jobs');
    expect((await logs(at, '--job', '8')).stderr).toContain('no such SLURM job is known of run');
  });
});

describe('--follow', () => {
  test('goes on as the file grows and is made anew, and ends with the run', async () => {
    const at = await desk();
    const started = following(at);
    await started.says('waiting for');
    fs.writeFileSync(at.out, 'one\ntw');
    await until('the first line', () => started.stdout === 'one\n');
    fs.appendFileSync(at.out, 'o\n');
    await until('the second', () => started.stdout === 'one\ntwo\n');
    // a requeue truncates
    fs.writeFileSync(at.out, 'x\n');
    await started.says('begins anew');
    await until('its new beginning', () => started.stdout === 'one\ntwo\nx\n');
    fs.appendFileSync(at.out, 'end without its line feed');
    await emit(at, { type: 'status_changed', status: 'completed' });
    expect(await started.ended).toMatchObject({
      code: 0,
      stdout: 'one\ntwo\nx\nend without its line feed\n',
    });
  });

  test('ends at Ctrl-C, and at once if the run has ended', async () => {
    const at = await desk();
    fs.writeFileSync(at.out, 'one\n');
    const started = following(at);
    await until('the line', () => started.stdout === 'one\n');
    started.kill('SIGINT');
    expect(await started.ended).toMatchObject({ code: 0, signal: null });
    await emit(at, { type: 'status_changed', status: 'failed' });
    expect(await following(at).ended).toMatchObject({ code: 0, stdout: 'one\n' });
  });
});
