// The pure parts below exec.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { childEnvironment } from '../../src/exec/child-environment.ts';
import { parseGpuUse } from '../../src/exec/gpu-use.ts';
import { parseEnd } from '../../src/exec/job-end.ts';
import { scriptOf } from '../../src/exec/method-name.ts';
import { cpuPercent, parsePs, parseStat, residentMb, treeOf } from '../../src/exec/process-tree.ts';
import { isInForeground } from '../../src/exec/signals.ts';
import { Tail } from '../../src/exec/tail.ts';

describe('the tail of a stream', () => {
  test('is its last bytes, whatever the chunks', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.stringMatching(/^[a-z]{0,50}$/), { maxLength: 20 }),
        (limit, chunks) => {
          const tail = new Tail(limit);
          for (const chunk of chunks) tail.add(Buffer.from(chunk));
          expect(tail.text()).toBe(chunks.join('').slice(-limit));
        },
      ),
    );
  });

  test('does not begin within a character', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'é', '中', '😀'), { minLength: 1 }),
        fc.integer({ min: 4, max: 9 }),
        (characters, limit) => {
          const tail = new Tail(limit);
          for (const character of characters)
            for (const byte of Buffer.from(character)) tail.add(Buffer.of(byte));
          expect(tail.text()).not.toContain('\ufffd');
          expect(characters.join('').endsWith(tail.text())).toBe(true);
        },
      ),
    );
  });

  test('is text whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (chunks) => {
        const tail = new Tail(16);
        for (const chunk of chunks) tail.add(chunk);
        expect(tail.text().isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('the tree of processes', () => {
  const stat = (pid: number, name: string, parent: number, ...ticks: number[]): string =>
    `${pid} (${name}) S ${parent} 1 1 0 -1 4194304 1 2 3 4 ${ticks.join(' ')} 20 0 1 0 12345 1000 200`;

  test('a name can hold anything', () => {
    for (const name of ['python3', ') S 1 1', 'a b) (c', '\n) R 7']) {
      expect(parseStat(stat(12, name, 7, 100, 50, 25, 25))).toEqual({ pid: 12, parent: 7, cpuSeconds: 2 });
    }
    expect(parseStat('')).toBeUndefined();
    expect(parseStat('12 (x) S')).toBeUndefined();
  });

  test('all descendants, in whatever order, and nobody else; circles end', () => {
    const one = (pid: number, parent: number): { pid: number; parent: number; cpuSeconds: number } => ({
      pid,
      parent,
      cpuSeconds: 0,
    });
    const all = [one(5, 4), one(2, 1), one(4, 2), one(3, 2), one(9, 1), one(1, 0), one(6, 7), one(7, 6)];
    expect(
      treeOf(2, all)
        .map(({ pid }) => pid)
        .toSorted(),
    ).toEqual([2, 3, 4, 5]);
    expect(
      treeOf(6, all)
        .map(({ pid }) => pid)
        .toSorted(),
    ).toEqual([6, 7]);
    expect(treeOf(77, all)).toEqual([]);
  });

  test('memory and processor', () => {
    expect(residentMb('Name:\tx\nVmRSS:\t    2048 kB\nVmSwap: 1 kB\n')).toBe(2);
    expect(residentMb('Name:\tx\nState:\tZ (zombie)\n')).toBe(0);
    expect(cpuPercent(1, 3, 2)).toBe(100);
    expect(cpuPercent(3, 1, 2)).toBe(0);
    expect(cpuPercent(1, 3, 0)).toBeUndefined();
  });

  test('ps', () => {
    const text = '    1     0   0:01.50  2048\n  300     1 1-02:03:04 512\nrubbish\n  301   300 01:02:03 0\n';
    expect(parsePs(text)).toEqual([
      { pid: 1, parent: 0, cpuSeconds: 1.5, rssMb: 2 },
      { pid: 300, parent: 1, cpuSeconds: 93_784, rssMb: 0.5 },
      { pid: 301, parent: 300, cpuSeconds: 3723, rssMb: 0 },
    ]);
  });
});

describe('GPUs', () => {
  const apps = 'GPU-a, 10, 400\nGPU-b, 11, 600\nGPU-a, 99, 5000\nGPU-c, 98, 1\n';
  const gpus = 'GPU-a, 80\nGPU-b, 40\nGPU-c, 100\n';
  test('of the processes alone: their memory, and how busy the GPUs are that they are on', () => {
    expect(parseGpuUse(apps, gpus, new Set([10, 11]))).toEqual({ percent: 60, memoryMb: 1000 });
    expect(parseGpuUse(apps, gpus, new Set([10]))).toEqual({ percent: 80, memoryMb: 400 });
  });
  test('nothing is guessed', () => {
    expect(parseGpuUse(apps, gpus, new Set([1]))).toBeUndefined();
    expect(parseGpuUse('', '', new Set([1]))).toBeUndefined();
    expect(parseGpuUse('GPU-a, 10, [N/A]\n', 'GPU-a, [N/A]\n', new Set([10]))).toBeUndefined();
    expect(parseGpuUse('GPU-a, 10, 7\n', 'GPU-a, [N/A]\n', new Set([10]))).toEqual({
      percent: undefined,
      memoryMb: 7,
    });
  });
});

test('the end of a job as squeue prints it', () => {
  const end = Date.UTC(2026, 10, 26, 8, 30);
  expect(parseEnd('2026-11-26T08:30:00|RUNNING|None\n')).toBe(end);
  expect(parseEnd('2026-11-26T08:30:00|COMPLETING|TimeLimit\n')).toBe(end);
  for (const text of [
    '',
    '2026-11-26T08:30:00|COMPLETING|None\n',
    '2026-11-26T08:30:00|\n',
    'N/A|RUNNING|None\n',
    'NONE',
    '2026-11-26T08:30:00\n2026-11-26T08:31:00\n',
    'slurm_load_jobs error',
  ]) {
    expect(parseEnd(text)).toBeUndefined();
  }
});

test.each([
  ['python3 train.py --seed 1', 'train.py'],
  ['/usr/bin/python3.11 -u src/train.py conf.py', 'src/train.py'],
  ['python3 -m pkg.train --x', 'pkg/train.py'],
  ['srun --ntasks 1 python3 train.py', 'train.py'],
  ['torchrun --nproc_per_node 2 train.py', 'train.py'],
  ['node --max-old-space-size=4096 run.mjs', 'run.mjs'],
  ['./train conf.py', './train'],
  ['./train.sh conf.py', './train.sh'],
  ['python3', 'python3'],
  ['sh -c true', 'sh'],
  ['bash -lc "module load x && python3 train.py"', 'bash'],
  ['bash -lc "module load x; python3 train.py" x.sh', 'x.sh'],
])('the script of: %s', (command, script) => {
  expect(
    scriptOf([...command.matchAll(/"(.*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '')),
  ).toBe(script);
});

test('a command in the foreground of a terminal', () => {
  expect(isInForeground('7 (a ) b) S 1 70 60 34816 70 4194304')).toBe(true);
  expect(isInForeground('7 (x) S 1 70 60 34816 71 4194304')).toBe(false);
  expect(isInForeground('7 (x) S 1 70 60 0 -1 4194304')).toBe(false);
  expect(isInForeground(undefined)).toBe(false);
});

test('the environment of the command', () => {
  const env = {
    A: '1',
    RUNFOLD_STARTED: '5',
    RUNFOLD_SUBMISSION: 's',
    RUNFOLD_GRID_SHA256: 'x',
    RUNFOLD_ATTEMPT: 'old',
    RUNFOLD_KEY: '[1,"outer","m",null,null,null]',
    B: undefined,
  };
  const run = {
    ledger: '/log',
    runId: 'r',
    key: { experiment_number: 1, dataset: 'é', method: 'm', subject: null, cl_info: null, seed: 2 },
  };
  expect(childEnvironment(env, { ...run, attempt: 'a' })).toEqual({
    A: '1',
    RUNFOLD_DIR: '/log',
    RUNFOLD_RUN_ID: 'r',
    RUNFOLD_KEY: '[1,"é","m",null,null,2]',
    RUNFOLD_ATTEMPT: 'a',
  });
  expect(childEnvironment(env, { ...run, attempt: undefined })).not.toHaveProperty('RUNFOLD_ATTEMPT');
  // more than a variable can have would keep the command from being started
  const key = { ...run.key, cl_info: 'x'.repeat(32_000) };
  expect(childEnvironment(env, { ...run, key, attempt: 'a' })).not.toHaveProperty('RUNFOLD_KEY');
});
