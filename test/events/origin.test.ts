import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOrigin } from '../../src/events/layout.ts';
import { originOf, userName } from '../../src/events/origin.ts';

const place = { host: 'node-1.cluster', pid: 4711 };

describe('originOf', () => {
  it('is always one that a file name may have', () => {
    const env = fc.record(
      {
        SLURM_JOB_ID: fc.string(),
        SLURM_ARRAY_JOB_ID: fc.string(),
        SLURM_ARRAY_TASK_ID: fc.string(),
        SLURM_RESTART_COUNT: fc.string(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(env, fc.string({ unit: 'binary', maxLength: 200 }), fc.nat(), (one, host, pid) => {
        expect(isOrigin(originOf({ env: one, host, pid }))).toBe(true);
      }),
    );
  });

  it.each([
    [{}, 'node-1.cluster-4711'],
    [{ SLURM_JOB_ID: '12' }, 'slurm12'],
    [{ SLURM_JOB_ID: '12', SLURM_RESTART_COUNT: '0' }, 'slurm12'],
    [{ SLURM_JOB_ID: '12', SLURM_RESTART_COUNT: '2' }, 'slurm12r2'],
    [{ SLURM_JOB_ID: '14', SLURM_ARRAY_JOB_ID: '11', SLURM_ARRAY_TASK_ID: '7' }, 'slurm11_7'],
    [
      { SLURM_JOB_ID: '14', SLURM_ARRAY_JOB_ID: '11', SLURM_ARRAY_TASK_ID: '7', SLURM_RESTART_COUNT: '1' },
      'slurm11_7r1',
    ],
    [{ SLURM_JOB_ID: '' }, 'node-1.cluster-4711'],
  ])('in %j is %s', (env, origin) => {
    expect(originOf({ env, ...place })).toBe(origin);
  });

  it('keeps the pid of a host with a long name', () => {
    const origin = originOf({ env: {}, host: 'h'.repeat(100), pid: 4711 });
    expect(origin).toHaveLength(64);
    expect(origin.endsWith('h-4711')).toBe(true);
  });

  it('has - for what a file name may not have', () => {
    expect(originOf({ env: {}, host: 'a/b c', pid: 1 })).toBe('a-b-c-1');
  });
});

describe('userName', () => {
  it('is that of the environment, else of the system', () => {
    expect(userName({ USER: 'ada' })).toBe('ada');
    expect(userName({ SLURM_JOB_USER: 'eve' })).toBe('eve');
    expect(userName({})).not.toBe('');
  });
});
