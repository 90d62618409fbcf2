import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIndependent, nthAttempt, rankOf, roleOf, type RoleOptions } from '../../src/events/ranks.ts';

const base = { host: 'node1', allRanks: true, readProc: () => undefined, parentPid: 100 };

function role(env: Record<string, string>, more: Partial<RoleOptions> = {}): ReturnType<typeof roleOf> {
  return roleOf({ ...base, env, ...more });
}

/** Processes as /proc shows them: pid -> parent, start time, environment. */
function procOf(
  processes: Readonly<Record<number, { parent: number; start: number; env?: string }>>,
  boot = 'boot-1',
): (file: string) => string | undefined {
  return (file) => {
    if (file.endsWith('boot_id')) return `${boot}\n`;
    const [, pid = '', what] = /^\/proc\/(\d+)\/(\w+)$/.exec(file) ?? [];
    const one = processes[Number(pid)];
    if (one === undefined) return undefined;
    if (what === 'environ') return one.env ?? 'PATH=/bin\0';
    return `${pid} (odd) name) S ${one.parent} ${'0 '.repeat(17)}${one.start} 0`;
  };
}

describe('rank', () => {
  it('is the highest that a launcher gave', () => {
    expect(rankOf({})).toBeUndefined();
    expect(rankOf({ RANK: '' })).toBeUndefined();
    expect(rankOf({ RANK: '-1' })).toBeUndefined();
    expect(rankOf({ RANK: '0', SLURM_PROCID: '1' })).toBe(1);
    expect(rankOf({ OMPI_COMM_WORLD_RANK: '12' })).toBe(12);
  });

  it('above 0 writes nothing, unless asked for', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'),
        fc.nat(10_000),
        fc.boolean(),
        (name, rank, allRanks) => {
          const env = { [name]: String(rank), RUNFOLD_ATTEMPT: 'a1' };
          const { writes, attempt } = role(env, { allRanks });
          expect(writes).toBe(rank === 0 ? 'all' : allRanks ? 'points' : 'nothing');
          expect(attempt).toBe(allRanks ? 'a1' : undefined);
        },
      ),
    );
  });

  it('is nothing where the processes of a launch have a run each', () => {
    const env = { SLURM_PROCID: '3', SLURM_JOB_ID: '7', SLURM_STEP_ID: '0', RUNFOLD_ATTEMPT: 'a1' };
    expect(role(env, { allRanks: false, independent: true })).toMatchObject({
      writes: 'all',
      attempt: undefined,
    });
    const said = ['1', 'yes', 'false', '00', ' '].map((text) => isIndependent({ RUNFOLD_INDEPENDENT: text }));
    expect(said).toEqual([true, true, true, true, true]);
    const notSaid = ['0', '', undefined].map((text) => isIndependent({ RUNFOLD_INDEPENDENT: text }));
    expect(notSaid).toEqual([false, false, false]);
  });

  it('alone needs no shared attempt', () => {
    expect(role({ SLURM_JOB_ID: '7', SLURM_STEP_ID: '0' })).toEqual({
      writes: 'all',
      attempt: undefined,
      problem: undefined,
    });
  });
});

describe('the shared attempt', () => {
  const step = {
    SLURM_JOB_ID: '10',
    SLURM_STEP_ID: '0',
    SLURM_STEP_NUM_TASKS: '4',
    SLURM_CLUSTER_NAME: 'lab',
  };
  const torch = {
    TORCHELASTIC_RUN_ID: 'none',
    TORCHELASTIC_RESTART_COUNT: '0',
    LOCAL_WORLD_SIZE: '2',
    WORLD_SIZE: '2',
    MASTER_PORT: '29500',
  };
  const agent = { 100: { parent: 1, start: 555 } };

  it('is the same on all ranks of a SLURM step, and another one for every other step, job and restart', () => {
    const ranks = ['0', '1', '3'].map((rank) => role({ ...step, SLURM_PROCID: rank }).attempt);
    expect(new Set(ranks).size).toBe(1);
    expect(ranks[0]).toMatch(/^[0-9a-f]{32}$/);
    const others = [
      { SLURM_JOB_ID: '11' },
      { SLURM_STEP_ID: '1' },
      { SLURM_RESTART_COUNT: '1' },
      { SLURM_CLUSTER_NAME: 'other' },
    ].map((change) => role({ ...step, ...change, SLURM_PROCID: '0' }).attempt);
    expect(new Set([...others, ranks[0]]).size).toBe(5);
    expect(role({ ...step, SLURM_PROCID: '0', SLURM_RESTART_COUNT: '0' }).attempt).toBe(ranks[0]);
  });

  it('does not depend on what differs between the tasks of a step', () => {
    // as SLURM 22.05 sets it on two nodes with two tasks each
    const tasks = [
      {
        SLURM_PROCID: '0',
        SLURM_LOCALID: '0',
        SLURM_NODEID: '0',
        SLURM_GTIDS: '0,1',
        SLURM_TASK_PID: '30633',
      },
      {
        SLURM_PROCID: '1',
        SLURM_LOCALID: '1',
        SLURM_NODEID: '0',
        SLURM_GTIDS: '0,1',
        SLURM_TASK_PID: '30634',
      },
      {
        SLURM_PROCID: '2',
        SLURM_LOCALID: '0',
        SLURM_NODEID: '1',
        SLURM_GTIDS: '2,3',
        SLURM_TASK_PID: '30635',
      },
    ];
    const roles = tasks.map((task, at) => role({ ...step, ...task }, { host: `node${at}`, parentPid: at }));
    expect(roles.map(({ writes }) => writes)).toEqual(['all', 'points', 'points']);
    expect(new Set(roles.map(({ attempt }) => attempt)).size).toBe(1);
  });

  it('is that of the agent under torchrun on one node', () => {
    const readProc = procOf(agent);
    const of = (more: Record<string, string>, options: Partial<RoleOptions> = {}): string | undefined =>
      role({ ...torch, ...more }, { readProc, ...options }).attempt;
    const first = of({ RANK: '0' });
    expect(first).toBeDefined();
    expect(of({ RANK: '1' })).toBe(first);
    const others = [
      of({ RANK: '0', TORCHELASTIC_RESTART_COUNT: '1' }),
      of({ RANK: '0' }, { host: 'node2' }),
      of({ RANK: '0' }, { readProc: procOf({ 100: { parent: 1, start: 556 } }) }),
      of({ RANK: '0' }, { readProc: procOf(agent, 'boot-2') }),
    ];
    expect(new Set([first, ...others]).size).toBe(5);
  });

  it('sees through a wrapper that each rank has for itself', () => {
    const processes = {
      ...agent,
      200: { parent: 100, start: 600, env: 'RANK=0\0A=b\0' },
      201: { parent: 100, start: 601, env: 'A=b\0RANK=1\0' },
    };
    const readProc = procOf(processes);
    const one = role({ ...torch, RANK: '0' }, { readProc, parentPid: 200 }).attempt;
    expect(one).toBeDefined();
    expect(role({ ...torch, RANK: '1' }, { readProc, parentPid: 201 }).attempt).toBe(one);
  });

  it('under torchrun on several nodes is that of the step, and does not depend on the restart count', () => {
    const env = { ...step, ...torch, WORLD_SIZE: '4' };
    const first = role({ ...env, RANK: '0', SLURM_PROCID: '0' }).attempt;
    expect(first).toBeDefined();
    expect(role({ ...env, RANK: '3', SLURM_PROCID: '1', TORCHELASTIC_RESTART_COUNT: '1' }).attempt).toBe(
      first,
    );
    expect(role({ ...env, RANK: '0', SLURM_PROCID: '0', MASTER_PORT: '29501' }).attempt).not.toBe(first);
  });

  it('is that of mpirun', () => {
    const env = {
      OMPI_COMM_WORLD_SIZE: '4',
      OMPI_COMM_WORLD_LOCAL_SIZE: '2',
      PMIX_NAMESPACE: 'prterun-node1-77@1',
    };
    const first = role({ ...env, OMPI_COMM_WORLD_RANK: '0' }).attempt;
    expect(first).toBeDefined();
    // mpirun starts its remote daemons as steps of their own
    expect(role({ ...env, OMPI_COMM_WORLD_RANK: '3', SLURM_STEP_ID: '2' }).attempt).toBe(first);
    expect(
      role({ ...env, OMPI_COMM_WORLD_RANK: '0', PMIX_NAMESPACE: 'prterun-node1-78@1' }).attempt,
    ).not.toBe(first);
  });

  it.each([
    ['a fixed port', { RANK: '1', WORLD_SIZE: '2', MASTER_PORT: '29500', MASTER_ADDR: 'node1' }],
    ['a job without a step', { RANK: '1', SLURM_JOB_ID: '10', SLURM_PROCID: '0' }],
    ['a step of one task', { RANK: '1', ...step, SLURM_STEP_NUM_TASKS: '1', SLURM_PROCID: '0' }],
    ['torchrun on several nodes by hand', { ...torch, WORLD_SIZE: '4', RANK: '3' }],
  ])('is nowhere in %s: then a rank above 0 says what to set', (_, env) => {
    const { writes, attempt, problem } = role(env);
    expect([writes, attempt]).toEqual(['nothing', undefined]);
    expect(problem).toContain('RUNFOLD_ATTEMPT');
    expect(role({ ...env, RANK: '0' })).toEqual({ writes: 'all', attempt: undefined, problem: undefined });
  });

  it('of later executions in one process is the same on all ranks too', () => {
    expect(nthAttempt('a', 0)).toBe('a');
    expect(nthAttempt('a', 1)).toBe(nthAttempt('a', 1));
    expect(new Set([0, 1, 2].map((n) => nthAttempt('a', n))).size).toBe(3);
  });
});
