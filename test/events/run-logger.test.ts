import vm from 'node:vm';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { removeProcessHooks } from '../../src/events/process-hooks.ts';
import { runId } from '../../src/events/run-id.ts';
import type { RunOptions } from '../../src/events/run-options.ts';
import { eventFiles } from './read-lines.ts';
import { bench } from './run-bench.ts';

afterEach(removeProcessHooks);

describe('create', () => {
  it('writes run_created and running, with the key, the code and what was given', () => {
    const { create, events, dir } = bench();
    const run = create({
      experimentNumber: 3,
      dataset: 'mnist',
      method: 'cnn',
      subject: 's1',
      variant: 'wide',
      seed: 7,
      config: { lr: 0.1, when: new Date(0), big: 10n, bad: Number.NaN, f() {} },
      tags: ['a'],
      notes: 'n',
      resume: true,
    });
    const key = {
      experiment_number: 3,
      dataset: 'mnist',
      method: 'cnn',
      subject: 's1',
      cl_info: 'wide',
      seed: 7,
    };
    expect(run.runId).toBe(runId(key));
    expect(events()).toMatchObject([
      {
        type: 'run_created',
        run_id: run.runId,
        ...key,
        tags: ['a'],
        notes: 'n',
        resume: true,
        config: { lr: 0.1, when: '1970-01-01T00:00:00.000Z', big: '10', bad: 'NaN' },
        code: { command: "node /jobs/train.mjs --lr '0.1 0'", cwd: dir },
      },
      { type: 'status_changed', status: 'running' },
    ]);
    expect(events()[0]).not.toHaveProperty('attempt');
  });

  it('says in a job of SLURM which one, between the two', () => {
    const { create, events } = bench();
    const env = { SLURM_JOB_ID: '4711', SLURM_RESTART_COUNT: '1', SLURM_JOB_CPUS_PER_NODE: '4(x2),3' };
    const run = create({ resume: true }, env);
    expect(events()).toMatchObject([
      { type: 'run_created' },
      { type: 'slurm_info', run_id: run.runId, job_id: '4711', restart_count: 1, cpus: 11, source: 'env' },
      { type: 'status_changed', status: 'running' },
    ]);
    expect(events()[1]).not.toHaveProperty('gpus');
  });

  it('leaves the job to rank 0 where all ranks log', () => {
    const { create, of } = bench();
    const run = create(
      { allRanks: true, attempt: 'a' },
      { SLURM_JOB_ID: '4711', SLURM_PROCID: '1', RUNFOLD_ATTEMPT: 'a' },
    );
    run.log({ loss: 1 });
    run.flush();
    expect(of('metric')).toHaveLength(1);
    expect(of('slurm_info')).toEqual([]);
  });

  it('has the defaults of the contract', () => {
    const { create, events } = bench();
    const run = create({ seed: null });
    const key = {
      experiment_number: 1,
      dataset: 'default',
      method: 'train',
      subject: null,
      cl_info: null,
      seed: null,
    };
    expect(run.runId).toBe(runId(key));
    expect(events()[0]).toMatchObject(key);
  });

  it('takes the RFC 8785 form of an object, so that the order of its keys is nothing', () => {
    const { create } = bench();
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.string(), fc.boolean())),
        fc.nat(),
        (object, seed) => {
          const turned = Object.fromEntries(Object.entries(object).toReversed());
          expect(create({ clInfo: turned, seed }).runId).toBe(create({ variant: object, seed }).runId);
        },
      ),
      { numRuns: 50 },
    );
    expect(create({ clInfo: { b: [1e21, -0], a: 'é' }, seed: 1 }).runId).toBe(
      create({ clInfo: '{"a":"é","b":[1e+21,0]}', seed: 1 }).runId,
    );
  });

  it.each<[RunOptions, string]>([
    [{ config: { lr: 0.1, wd: 0 }, keyFromConfig: ['wd', 'lr'] }, '{"lr":0.1,"wd":0}'],
    [{ config: { lr: 0.1 }, keyFromConfig: ['lr'], clInfo: { lr: 9, fold: 2 } }, '{"fold":2,"lr":0.1}'],
    [{ config: { lr: null }, keyFromConfig: ['lr'], clInfo: 'wide' }, '{"lr":null,"variant":"wide"}'],
    [{ config: { lr: 1 }, keyFromConfig: [], clInfo: 'wide' }, 'wide'],
  ])('%j has cl_info %s', (options, clInfo) => {
    const { create, of } = bench();
    create(options);
    expect(of('run_created')[0]).toMatchObject({ cl_info: clInfo });
  });

  it.each<[unknown, string]>([
    [{ experiment_number: 1.5 }, 'invalid_key'],
    [{ seed: 2 ** 53 }, 'invalid_key'],
    [{ dataset: '\ud800' }, 'invalid_key'],
    [{ clInfo: { deep: ['\ud800'] } }, 'invalid_key'],
    [{ clInfo: 3 }, 'invalid_key'],
    [{ clInfo: 'a', variant: 'b' }, 'invalid_key'],
    [{ experiment_number: 1, experimentNumber: 2 }, 'invalid_key'],
    [{ config: { lr: 1 }, keyFromConfig: ['LR'] }, 'invalid_key'],
    [{ keyFromConfig: ['toString'], config: {} }, 'invalid_key'],
    [{ Seed: 1 }, 'usage'],
    [{ allRanks: true, independent: true }, 'usage'],
  ])('refuses %j: %s', (options, code) => {
    const { create, ledger } = bench();
    expect(() => create(options as RunOptions)).toThrow(expect.objectContaining({ code }));
    expect(eventFiles(ledger)).toEqual([]);
  });

  it('refuses to log from all ranks where the environment says that each has a run', () => {
    const { create } = bench();
    const env = { RANK: '1', RUNFOLD_INDEPENDENT: '1', RUNFOLD_ATTEMPT: 'a' };
    expect(() => create({ allRanks: true }, env)).toThrow(expect.objectContaining({ code: 'usage' }));
    expect(create({ allRanks: true, independent: false }, env).active).toBe(true);
  });

  it('leaves out a config that no line can hold, and says so', () => {
    const { create, events, said } = bench();
    create({ config: { weights: 'x'.repeat(1_040_000), more: 'y'.repeat(20_000) }, notes: 'kept' });
    expect(events()[0]).toMatchObject({ type: 'run_created', notes: 'kept' });
    expect(events()[0]).not.toHaveProperty('config');
    expect(said).toEqual([expect.stringContaining('config makes the line longer')]);
  });
});

describe('log', () => {
  it('puts the names of columns into columns and all others into extra', () => {
    const { create, of } = bench();
    const run = create();
    run.log(
      {
        loss: 1,
        f1: 2,
        fitness: 3,
        behavioral_comparison: 4,
        gpu_memory_mb: 5,
        Loss: 6,
        acc: 7,
        extra: { loss: 8 },
      },
      { epoch: 1, step: 2, elapsed_seconds: 3 },
    );
    run.flush();
    expect(of('metric')).toMatchObject([
      {
        elapsed_seconds: 3,
        epoch: 1,
        step: 2,
        loss: 1,
        f1: 2,
        fitness: 3,
        behavioral_comparison: 4,
        gpu_memory_mb: 5,
        extra: { Loss: 6, acc: 7, loss: 8 },
      },
    ]);
  });

  it('keeps every number as what it is', () => {
    const { create, of } = bench();
    const run = create();
    const values = fc.sample(fc.double(), 500);
    for (const value of values) run.log({ loss: value, odd: value });
    run.log({ loss: 3n as unknown as number });
    run.flush();
    const expected = values.map((value) => (Number.isFinite(value) ? value + 0 : String(value)));
    expect(of('metric').map((event) => event['loss'])).toEqual([...expected, 3]);
    expect(
      of('metric')
        .slice(0, -1)
        .map((event) => event['extra']),
    ).toEqual(expected.map((odd) => ({ odd })));
  });

  it('leaves out what is no number, and says each name once', () => {
    const { create, of, said } = bench();
    const run = create();
    for (let step = 0; step < 3; step += 1) {
      run.log({ loss: 1, f1: null, acc: undefined, name: 'x' as unknown as number, nested: {} }, { step });
    }
    run.log({ f1: null });
    run.flush();
    expect(of('metric')).toHaveLength(3);
    expect(of('metric')[0]).toEqual(expect.not.objectContaining({ extra: expect.anything() }));
    expect(said).toHaveLength(2);
    expect(said[0]).toContain('name');
    expect(said[1]).toContain('nested');
  });

  it('takes a position among the metrics, and keeps one that is no whole number as a metric', () => {
    const { create, of } = bench();
    const run = create();
    run.log({ loss: 1, epoch: 4, step: 5, elapsed_seconds: 6 });
    run.log({ loss: 1, epoch: 4 }, { epoch: 1.5, step: 7n as unknown as number });
    run.flush();
    expect(of('metric')).toMatchObject([
      { epoch: 4, step: 5, elapsed_seconds: 6 },
      { epoch: 4, step: 7, extra: { epoch: 1.5 } },
    ]);
  });

  it('counts the seconds since create', () => {
    const { create, of } = bench();
    const run = create();
    run.log({ loss: 1 });
    run.logSample({ rss_mb: 12, cpu_percent: Number.NaN });
    run.flush();
    const [elapsed] = of('metric').map((event) => Number(event['elapsed_seconds']));
    expect(elapsed).toBeGreaterThanOrEqual(0);
    expect(elapsed).toBeLessThan(30);
    expect(of('resource_sample')[0]).toMatchObject({ rss_mb: 12 });
    expect(of('resource_sample')[0]).not.toHaveProperty('cpu_percent');
  });
});

describe('logError', () => {
  class TrainingError extends Error {}

  it('has type, message and traceback with causes', () => {
    const { create, of } = bench();
    create().logError(new TrainingError('diverged', { cause: new RangeError('lr') }));
    const [error] = of('error');
    expect(error).toMatchObject({ exception_type: 'TrainingError', message: 'diverged' });
    expect(error?.['traceback']).toMatch(/diverged\n +at [^]*\nCaused by: RangeError: lr\n +at/);
  });

  it.each([
    ['text', { exception_type: 'string', message: 'text' }],
    [undefined, { exception_type: 'undefined', message: 'undefined' }],
    [{ code: 3 }, { exception_type: 'object', message: '{"code":3}' }],
    [
      vm.runInNewContext('new TypeError("there")') as unknown,
      { exception_type: 'TypeError', message: 'there' },
    ],
  ])('of %j is %j', (thrown, expected) => {
    const { create, of } = bench();
    create().logError(thrown);
    expect(of('error')[0]).toMatchObject(expected);
  });

  it('keeps the beginning and the end of what is long', () => {
    const { create, of } = bench();
    create().logError(new Error(`begin${'x'.repeat(3_000_000)}end`));
    expect(of('error')[0]?.['message']).toMatch(/^beginx+\n\[… \d+ characters left out …\]\nx+end$/);
  });
});
