import { describe, expect, it } from 'vitest';
import { runId } from '../../src/events/run-id.ts';
import { failureCause, type FailureClues } from '../../src/query/failure-cause.ts';
import { getFailures } from '../../src/query/index.ts';
import { created, keyOf, of, TestLedger, type Fields } from './ledger.ts';

async function ledgerOf(...fields: readonly Fields[]): Promise<TestLedger> {
  const built = new TestLedger();
  await built.add(fields.map((each) => ({ file: 0, fields: each })));
  return built;
}

interface Given {
  node?: string;
  dataset?: string;
  status?: string;
  reason?: string;
  exit_code?: number;
  error?: Fields;
  memory?: Fields;
  at?: number;
  attempt?: string;
}

function run(seed: number, given: Given): Fields[] {
  const { node, dataset = 'iris', status = 'failed', reason, exit_code, error, memory, at = 0 } = given;
  const key = keyOf(seed, { dataset });
  const attempt = given.attempt ?? `a${seed}`;
  return [
    created(key, at, { attempt }),
    ...(node === undefined
      ? []
      : [
          of(key, 'slurm_info', at, {
            job_id: String(seed),
            node_list: node,
            source: 'sacct',
            attempt,
            ...memory,
          }),
        ]),
    ...(error === undefined ? [] : [of(key, 'error', at + 1, { attempt, message: 'm', ...error })]),
    of(key, 'status_changed', at + 2, { status, reason, exit_code, attempt, source: 'slurm' }),
  ];
}

const NOTHING: FailureClues = {
  status: 'failed',
  status_reason: null,
  exit_code: null,
  exception_type: null,
  job_state: null,
  signal: null,
};

describe('failureCause', () => {
  it.each<[string, Partial<FailureClues>]>([
    ['OUT_OF_MEMORY', { status_reason: 'OUT_OF_MEMORY', exception_type: 'MemoryError', exit_code: 1 }],
    ['TIMEOUT', { status: 'timeout', exception_type: 'KeyboardInterrupt' }],
    ['ValueError', { status_reason: 'SIGABRT', exception_type: 'ValueError', exit_code: 134 }],
    ['SIGSEGV', { status_reason: 'SIGSEGV', exit_code: 139 }],
    ['not found', { status_reason: 'not found', exit_code: 127 }],
    ['NODE_FAIL', { job_state: 'NODE_FAIL', exit_code: 1 }],
    ['SIGKILL', { job_state: 'FAILED', signal: 9 }],
    ['SIGSEGV', { exit_code: 139 }],
    ['exit code 3', { exit_code: 3, signal: 0, status_reason: ' ' }],
    ['exit code 255', { exit_code: 255 }],
    ['unknown', { exit_code: 0 }],
    ['unknown', {}],
  ])('%s', (cause, clues) => expect(failureCause({ ...NOTHING, ...clues })).toBe(cause));
});

describe('getFailures', () => {
  it('groups by cause, with the nodes that stand out and what all share', async () => {
    const { db } = await ledgerOf(
      ...run(1, {
        reason: 'OUT_OF_MEMORY',
        node: 'node17',
        dataset: 'digits',
        memory: { memory_mb: 4096, max_rss_mb: 4000 },
      }),
      ...run(2, { reason: 'OUT_OF_MEMORY', node: 'node[17-18]', dataset: 'digits' }),
      ...run(3, { error: { exception_type: 'ValueError', message: 'bad shape' }, node: 'node1' }),
      ...[4, 5, 6, 7, 8].flatMap((seed) => run(seed, { status: 'completed', node: `node${seed}` })),
      ...run(9, { status: 'timeout', at: 5 }),
    );
    expect(getFailures(db)).toMatchObject([
      {
        cause: 'OUT_OF_MEMORY',
        attempts: 2,
        run_ids: expect.objectContaining({ length: 2 }),
        shared: { dataset: 'digits' },
        nodes: [
          { node: 'node17', failures: 2, of_failures: 2, executions: 2, of_executions: 8, stands_out: true },
          { node: 'node18', failures: 1, stands_out: false },
        ],
        memory_mb: 4096,
        max_rss_mb: 4000,
      },
      { cause: 'TIMEOUT', nodes: [], shared: {} },
      { cause: 'ValueError', message: 'bad shape', shared: {} },
    ]);
    expect(getFailures(db, { dataset: 'digits' })).toHaveLength(1);
    expect(getFailures(db, { dataset: 'digits' })[0]?.shared).toEqual({});
    expect(() => getFailures(db, { allAttempts: 1 as unknown as boolean })).toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
  });

  it('leaves out what a later attempt mended or waits to, unless asked for all attempts', async () => {
    const waiting = keyOf(2);
    const { db } = await ledgerOf(
      ...run(1, { reason: 'NODE_FAIL', node: 'node3', attempt: 'a' }),
      ...run(1, { status: 'completed', at: 10, attempt: 'b' }),
      ...run(2, { reason: 'PREEMPTED', node: 'node4' }),
      of(waiting, 'slurm_info', 9, {
        job_id: '2',
        restart_count: 1,
        state: 'PENDING',
        source: 'squeue',
        attempt: 'a2',
      }),
    );
    expect(getFailures(db)).toEqual([]);
    expect(getFailures(db, { allAttempts: true })).toMatchObject([
      { cause: 'PREEMPTED', run_ids: [runId(waiting)], nodes: [{ node: 'node4' }] },
      { cause: 'NODE_FAIL', run_ids: [runId(keyOf(1))], nodes: [{ node: 'node3' }] },
    ]);
  });

  it('takes the last error of the attempt that failed, and a node list that makes no sense for a name', async () => {
    const { db } = await ledgerOf(
      ...run(1, { error: { exception_type: 'Old', message: 'x' }, attempt: 'a' }),
      ...run(1, { at: 10, attempt: 'b', exit_code: 3, node: 'n[1-999999999]' }),
    );
    expect(getFailures(db)).toMatchObject([
      { cause: 'exit code 3', message: null, nodes: [{ node: 'n[1-999999999]', failures: 1 }] },
    ]);
  });
});
