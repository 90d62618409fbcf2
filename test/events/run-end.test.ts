import { afterEach, describe, expect, it } from 'vitest';
import { removeProcessHooks } from '../../src/events/process-hooks.ts';
import { RunLogger } from '../../src/run-logger.ts';
import type { RunOptions } from '../../src/events/run-options.ts';
import { eventFiles, readOnlyFile } from './read-lines.ts';
import { bench, freshSeed, useWith, type Bench } from './run-bench.ts';

afterEach(removeProcessHooks);

describe('the end', () => {
  function statuses({ of }: Bench): unknown[] {
    return of('status_changed').map(({ status, exit_code, reason }) =>
      [status, exit_code, reason].filter((part) => part !== undefined).join(' '),
    );
  }

  it.each<[string, Parameters<RunLogger['close']>[0], string[]]>([
    ['nothing', undefined, ['completed']],
    ['an exit code', { exitCode: 3 }, ['failed 3']],
    ['exit code 0', { exitCode: 0 }, ['completed 0']],
    ['status and reason', { status: 'timeout', reason: 'walltime' }, ['timeout walltime']],
  ])('said by close with %s', async (_, outcome, expected) => {
    const one = bench();
    const run = one.create();
    await run.close(outcome);
    await run.close({ status: 'failed' });
    expect(statuses(one)).toEqual(['running', ...expected]);
  });

  it('said by setStatus stays, unless close says another one', async () => {
    const one = bench();
    const first = one.create();
    first.setStatus('failed', { exitCode: 2, reason: 'bad data' });
    await first.close();
    const second = one.create();
    second.setStatus('failed');
    await second.close({ status: 'completed' });
    expect(statuses(one)).toEqual(['running', 'failed 2 bad data', 'running', 'failed', 'completed']);
  });

  it('comes after the results', async () => {
    const one = bench();
    await one.create().close({ results: { best: Number.POSITIVE_INFINITY, at: new Map([['epoch', 3]]) } });
    expect(one.events().map(({ type }) => type)).toEqual([
      'run_created',
      'status_changed',
      'result',
      'status_changed',
    ]);
    expect(one.of('result')[0]).toMatchObject({ results: { best: 'Infinity', at: { epoch: 3 } } });
  });

  it('is not guessed from an unknown status', async () => {
    const one = bench();
    await one.create().close({ status: 'complete' as 'completed' });
    expect(statuses(one)).toEqual(['running']);
    expect(one.said).toEqual([expect.stringContaining('"complete"')]);
  });

  it('closes the run to what comes later, which is said', async () => {
    const one = bench();
    const run = one.create();
    await run.close();
    run.log({ loss: 1 });
    run.log({ loss: 1 });
    expect(one.events()).toHaveLength(3);
    expect(one.said).toHaveLength(1);
  });

  it('is left open by await using', async () => {
    const one = bench();
    const run = one.create();
    run.log({ loss: 1 });
    await run[Symbol.asyncDispose]();
    expect(one.of('metric')).toHaveLength(1);
    expect(statuses(one)).toEqual(['running']);
  });
});

describe('RunLogger.run', () => {
  function withEnv(one: Bench): RunOptions {
    return { ledger: one.ledger, seed: freshSeed() };
  }

  it('records completed and gives what the body gives', async () => {
    const one = bench();
    expect(await RunLogger.run(withEnv(one), async (run) => run.runId)).toHaveLength(16);
    expect(one.events().at(-1)).toMatchObject({ status: 'completed' });
  });

  it('records error and failed, and throws the error on', async () => {
    const one = bench();
    const error = new Error('no data');
    await expect(
      RunLogger.run(withEnv(one), () => {
        throw error;
      }),
    ).rejects.toBe(error);
    expect(one.events().slice(-2)).toMatchObject([
      { type: 'error', message: 'no data' },
      { status: 'failed' },
    ]);
  });
});

describe('the attempt', () => {
  it('is that of the file at first, then a fresh one on each line', async () => {
    const { create, events, ledger } = bench();
    const seed = freshSeed();
    const first = create({ seed });
    await first.close();
    const second = create({ seed });
    second.log({ loss: 1 });
    await second.close();
    const header = readOnlyFile(ledger).events[0];
    expect(header).toMatchObject({ writer: first.attempt });
    expect(second.attempt).toMatch(/^[0-9A-Z]{26}$/);
    expect(second.attempt).not.toBe(first.attempt);
    expect(events().map(({ type, ...rest }) => [type, 'attempt' in rest ? rest.attempt : undefined])).toEqual(
      [
        ['run_created', undefined],
        ['status_changed', undefined],
        ['status_changed', undefined],
        ...['run_created', 'status_changed', 'metric', 'status_changed'].map((type) => [
          type,
          second.attempt,
        ]),
      ],
    );
  });

  it('of the environment is for the first execution, and stands in the header', async () => {
    const { create, events, ledger } = bench();
    const seed = freshSeed();
    const env = { RUNFOLD_ATTEMPT: 'from-exec' };
    const first = create({ seed }, env);
    await first.close();
    const second = create({ seed }, env);
    expect(first.attempt).toBe('from-exec');
    expect(readOnlyFile(ledger).events[0]).toMatchObject({ attempt: 'from-exec' });
    expect(second.attempt).not.toBe('from-exec');
    expect(events().at(-1)).toMatchObject({ attempt: second.attempt });
  });

  it('given by the caller is taken', () => {
    const { create, events } = bench();
    expect(create({ attempt: 'mine' }).attempt).toBe('mine');
    expect(events()[0]).toMatchObject({ attempt: 'mine' });
  });

  it('of two runs in a process is written to one file', () => {
    const { create, of } = bench();
    const runs = [create(), create()];
    expect(of('run_created').map((event) => event['run_id'])).toEqual(runs.map((run) => run.runId));
  });
});

describe('ranks', () => {
  it('above 0 make no file, and do nothing', async () => {
    const { create, ledger } = bench();
    const run = create({}, { RANK: '1' });
    expect([run.active, run.attempt, run.runId.length]).toEqual([false, '', 16]);
    useWith(run, 1);
    await run.close();
    expect(eventFiles(ledger)).toEqual([]);
  });

  it('above 0 that may log write points only, with the shared attempt in the header', async () => {
    const { create, events, ledger } = bench();
    const run = create({ allRanks: true }, { RANK: '1', RUNFOLD_ATTEMPT: 'shared' });
    run.log({ loss: 1 });
    run.logError(new Error('e'));
    run.setStatus('failed');
    await run.close({ status: 'completed' });
    expect(events().map(({ type }) => type)).toEqual(['metric', 'error']);
    expect(readOnlyFile(ledger).events[0]).toMatchObject({ attempt: 'shared' });
  });

  it('without anything to share say what to set', () => {
    const { create, said } = bench();
    expect(create({ allRanks: true }, { RANK: '1' }).active).toBe(false);
    expect(said).toEqual([expect.stringContaining('RUNFOLD_ATTEMPT')]);
  });
});
