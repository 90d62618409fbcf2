// A logger takes from RUNFOLD_KEY what its caller did not give of the key.
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { Env } from '../../src/events/env.ts';
import { inheritedKey, keyVariable, twoRunsNotice } from '../../src/events/inherited-key.ts';
import { removeProcessHooks } from '../../src/events/process-hooks.ts';
import { runId, type RunKey } from '../../src/events/run-id.ts';
import { resolveRun } from '../../src/events/run-options.ts';
import { bench } from './run-bench.ts';

afterEach(removeProcessHooks);

const integer = fc.maxSafeInteger();
const word = fc.string({ unit: 'binary' });
const keys: fc.Arbitrary<RunKey> = fc.record({
  experiment_number: integer,
  dataset: word,
  method: word,
  subject: fc.option(word),
  cl_info: fc.option(word),
  seed: fc.option(integer),
});

const KEY = keyOf('iris');

function keyOf(dataset: string): RunKey {
  return { experiment_number: 1, dataset, method: 'mlp', subject: null, cl_info: null, seed: 1 };
}

function startedAs(key: RunKey, more: Env = {}): Env {
  return { RUNFOLD_RUN_ID: runId(key), RUNFOLD_KEY: keyVariable(key), ...more };
}

describe('RUNFOLD_KEY', () => {
  test('gives each field that is left out, and no other', () => {
    const given = fc.record(
      {
        experiment_number: integer,
        dataset: word,
        method: word,
        subject: fc.option(word),
        seed: fc.option(integer),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(keys, given, (started, options) => {
        const { key } = resolveRun(options, 'train.mjs', inheritedKey(startedAs(started)).key);
        expect(key).toEqual({ ...started, ...options });
      }),
    );
  });

  test('does not become part of a variant', () => {
    const started = { ...KEY, cl_info: '{"lr":0.1}' };
    const of = (options: object): unknown =>
      resolveRun(options, 'train.mjs', inheritedKey(startedAs(started)).key).key.cl_info;
    expect(of({})).toBe('{"lr":0.1}');
    expect(of({ variant: { wd: 1 } })).toBe('{"wd":1}');
    expect(of({ clInfo: null })).toBeNull();
    expect(of({ config: { wd: 1 }, keyFromConfig: ['wd'] })).toBe('{"wd":1}');
    expect(of({ config: { wd: 1 }, keyFromConfig: [] })).toBe('{"lr":0.1}');
  });

  test('of another run, or without a run, is not taken; with any other text it is said', () => {
    expect(inheritedKey({ RUNFOLD_KEY: keyVariable(KEY) })).toEqual({});
    expect(inheritedKey(startedAs(KEY, { RUNFOLD_RUN_ID: '0000000000000000' }))).toEqual({});
    expect(inheritedKey(startedAs(KEY, { RUNFOLD_KEY: '' }))).toEqual({});
    fc.assert(
      fc.property(fc.oneof(word, fc.json(), fc.constant('['.repeat(100_000))), (text) => {
        const { key, problem } = inheritedKey({ RUNFOLD_RUN_ID: runId(KEY), RUNFOLD_KEY: text });
        expect(key).toBeUndefined();
        expect(problem === undefined).toBe(text === '');
      }),
    );
  });

  test('is not passed on where no variable can hold it', () => {
    expect(keyVariable({ ...KEY, cl_info: 'ü'.repeat(31_900) })).toBeDefined();
    expect(keyVariable({ ...KEY, cl_info: 'ü'.repeat(32_000) })).toBeUndefined();
  });
});

describe('another run than the one that a program was started as', () => {
  const other = { key: keyOf('wine'), runId: runId(keyOf('wine')) };

  test('is said with both runs and their keys', () => {
    const notice = twoRunsNotice(startedAs(KEY), other);
    for (const part of [other.runId, runId(KEY), '"wine"', '"iris"']) expect(notice).toContain(part);
    expect(twoRunsNotice(startedAs(KEY), { key: KEY, runId: runId(KEY) })).toBeUndefined();
  });

  test('is not said below a run that a script has begun, nor where nothing is known of the other', () => {
    expect(twoRunsNotice(startedAs(KEY, { RUNFOLD_STARTED: '5.000' }), other)).toBeUndefined();
    expect(twoRunsNotice({ RUNFOLD_RUN_ID: runId(KEY) }, other)).toBeUndefined();
  });

  test('is said once by a logger, and by rank 0 alone', () => {
    const env = { ...startedAs(KEY), RUNFOLD_ATTEMPT: 'a' } as Record<string, string>;
    const rank0 = bench();
    rank0.create({ dataset: 'wine' }, { ...env, RANK: '0' });
    rank0.create({ dataset: 'wine' }, { ...env, RANK: '0' });
    expect(rank0.said).toEqual([expect.stringContaining('these are two runs')]);
    const rank1 = bench();
    rank1.create({ dataset: 'wine', allRanks: true }, { ...env, RANK: '1' });
    rank1.create({ dataset: 'wine' }, { ...env, RANK: '1' });
    expect(rank1.said).toEqual([]);
  });
});
