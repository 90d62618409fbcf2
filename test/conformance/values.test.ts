// The cases of single values, held against the sources that they must agree with.
import { describe, expect, it } from 'vitest';
import { runId, type RunKey } from '../../src/events/run-id.ts';
import { resolveRun, type RunOptions } from '../../src/events/run-options.ts';
import { slurmInfoFromEnv } from '../../src/slurm/env.ts';
import { casesOf, type ClInfoCase, type HostileCase, type KeyCase, type SlurmEnvCase } from './cases.ts';
import { ordered } from './normalise.ts';

describe('keys.json', () => {
  it.each(casesOf<KeyCase>('keys.json'))('$name', ({ key, run_id, error }) => {
    const [experiment_number, dataset, method, subject, cl_info, seed] = key;
    const given = { experiment_number, dataset, method, subject, cl_info, seed } as RunKey;
    if (error) expect(() => runId(given)).toThrow();
    else expect(runId(given)).toBe(run_id);
  });
});

describe('cl-info.json', () => {
  it.each(casesOf<ClInfoCase>('cl-info.json'))(
    '$name',
    ({ variant, config, key_from_config, cl_info, error }) => {
      const options = { variant, config, keyFromConfig: key_from_config } as RunOptions;
      if (error) expect(() => resolveRun(options, 'train.mjs')).toThrow();
      else expect(resolveRun(options, 'train.mjs').key.cl_info).toBe(cl_info);
    },
  );
});

describe('hostile.json', () => {
  it.each(casesOf<HostileCase>('hostile.json'))('$name', ({ text, json, lone }) => {
    expect(JSON.stringify(text.toWellFormed())).toBe(json);
    expect(text.isWellFormed()).toBe(lone !== true);
  });
});

describe('slurm-env.json', () => {
  it.each(casesOf<SlurmEnvCase>('slurm-env.json'))('$name', ({ env, slurm_info }) => {
    const info = slurmInfoFromEnv(env);
    // as it stands in a line: without what is undefined
    expect(ordered(info === undefined ? null : JSON.parse(JSON.stringify(info)))).toBe(ordered(slurm_info));
  });
});
