import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runId, type RunKey } from '../../src/events/run-id.ts';
import {
  getAllRuns,
  getAttempts,
  getRunErrors,
  getRunResults,
  getSlurmJobs,
  openQuery,
} from '../../src/query/index.ts';
import { created, HAND_MADE, keyOf, of, TestLedger, type Entry, type Fields } from './ledger.ts';

const KEY = keyOf(1);
const RUN = runId(KEY);
const OTHER = keyOf(2);
const HOSTILE = ['', '%', "' OR 1=1 --", '0000000000000000', '\0'] as const;

function entry(fields: Fields, file = 0): Entry {
  return { file, fields };
}

async function ledger(entries: readonly Entry[]): Promise<TestLedger> {
  const built = new TestLedger();
  await built.add(entries);
  return built;
}

function error(key: RunKey, at: number, message: string, attempt?: string): Fields {
  return of(key, 'error', at, { exception_type: 'E', message, attempt });
}

describe('getRunErrors', () => {
  it('orders those of a run by attempt, then by time, and those of all runs by time', async () => {
    const built = await ledger([
      entry(error(KEY, 3, 'of none', 'lost')),
      entry(error(KEY, 4, 'second', 'b')),
      entry(error(KEY, 7, 'first, later', 'a'), 1),
      entry(error(KEY, 5, 'first', 'a'), HAND_MADE),
      entry(error(OTHER, 6, 'other run')),
      entry(created(KEY, 2, { attempt: 'b' })),
      entry(created(KEY, 1, { attempt: 'a' })),
    ]);
    expect(getRunErrors(built.db, RUN).map(({ message }) => message)).toEqual([
      'first',
      'first, later',
      'second',
      'of none',
    ]);
    const all = getRunErrors(built.db);
    expect(all.map(({ message }) => message)).toEqual([
      'of none',
      'second',
      'first',
      'other run',
      'first, later',
    ]);
    expect(all).toHaveLength(built.tables().run_errors.length);
    expect(built.tables().run_errors).toEqual(expect.arrayContaining(all));
    for (const id of HOSTILE) expect(getRunErrors(built.db, id)).toEqual([]);
  });
});

describe('getRunResults', () => {
  it('gives the row, parsed, or null', async () => {
    const built = await ledger([
      entry(created(KEY, 0)),
      entry(of(KEY, 'metric', 1, { elapsed_seconds: 2, epoch: 3, loss: 0.5, extra: { acc: 1 } })),
      entry(of(KEY, 'metric', 2, { elapsed_seconds: 3, epoch: 4, loss: 'NaN', extra: { acc: 2 } })),
      entry(of(KEY, 'result', 2, { results: JSON.parse('{"auc":null,"__proto__":{"a":[1]}}') as unknown })),
      entry(created(OTHER, 0)),
    ]);
    const found = getRunResults(built.db, RUN);
    expect(found).toMatchObject({
      run_id: RUN,
      best_loss: 0.5,
      best_loss_epoch: 3,
      final_loss: 0.5,
      best_f1: null,
      last_epoch: 4,
      points: 2,
      extra: { acc: { min: 1, max: 2, final: 2 } },
    });
    expect(Object.entries(found?.results ?? {})).toEqual([
      ['auc', null],
      ['__proto__', { a: [1] }],
    ]);
    expect([
      { ...found, extra: JSON.stringify(found?.extra), results: JSON.stringify(found?.results) },
    ]).toEqual(built.tables().run_results);
    for (const id of [runId(OTHER), ...HOSTILE]) expect(getRunResults(built.db, id)).toBeNull();
  });

  it('has null where nothing was logged', async () => {
    const { db } = await ledger([
      entry(created(KEY, 0)),
      entry(of(KEY, 'metric', 1, { elapsed_seconds: 2 })),
    ]);
    expect(getRunResults(db, RUN)).toMatchObject({ extra: null, results: null, last_epoch: null, points: 1 });
  });
});

describe('getSlurmJobs', () => {
  it('gives the rows of a run or of all, in the order in which SLURM counted', async () => {
    const job = (key: RunKey, job_id: string, restart_count: number): Entry =>
      entry(of(key, 'slurm_info', 1, { job_id, restart_count, source: 'env', node_list: 'n1', cpus: 4 }));
    const built = await ledger([
      job(KEY, '10', 0),
      job(KEY, '9', 1),
      job(KEY, '9', 0),
      job(OTHER, '9', 2),
      entry(created(KEY, 0)),
      entry(created(OTHER, 0)),
      job(keyOf(3), '1', 0),
    ]);
    const jobs = getSlurmJobs(built.db, RUN);
    expect(jobs.map((row) => [row.job_id, row.restart_count])).toEqual([
      ['9', 0],
      ['9', 1],
      ['10', 0],
    ]);
    const all = getSlurmJobs(built.db);
    expect(all.map((row) => [row.job_id, row.restart_count])).toEqual([
      ['9', 0],
      ['9', 1],
      ['9', 2],
      ['10', 0],
    ]);
    expect(built.tables().slurm_jobs).toEqual(expect.arrayContaining(all));
    for (const id of HOSTILE) expect(getSlurmJobs(built.db, id)).toEqual([]);
  });
});

describe('getAttempts', () => {
  it('gives the attempts in order, with what is in the view', async () => {
    const status = (at: number, word: string, attempt: string): Entry =>
      entry(
        of(KEY, 'status_changed', at, {
          status: word,
          attempt,
          exit_code: word === 'failed' ? 1 : undefined,
        }),
      );
    const { db } = await ledger([
      entry(created(KEY, 3, { attempt: 'c', resume: true, config: { lr: 2 } })),
      entry(created(KEY, 1, { attempt: 'a' })),
      entry(created(KEY, 2, { attempt: 'b', config: { lr: 1 } })),
      status(4, 'running', 'b'),
      status(5, 'failed', 'b'),
    ]);
    const attempts = getAttempts(db, RUN);
    expect(
      attempts.map(({ attempt, position, resume, in_view }) => [attempt, position, resume, in_view]),
    ).toEqual([
      ['a', 0, false, false],
      ['b', 1, false, true],
      ['c', 2, true, true],
    ]);
    expect(attempts[1]).toMatchObject({
      run_id: RUN,
      status: 'failed',
      exit_code: 1,
      config: { lr: 1 },
      created_at: '2026-11-23T10:02:00.000Z',
      started_at: '2026-11-23T10:04:00.000Z',
      finished_at: '2026-11-23T10:05:00.000Z',
    });
    expect(attempts[2]).toMatchObject({ status: 'pending', started_at: null, exit_code: null });
    for (const id of HOSTILE) expect(getAttempts(db, id)).toEqual([]);
  });
});

describe('openQuery', () => {
  it('reads while another writes, and cannot write', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'runfold-query-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'x.db');
    expect(() => openQuery(file)).toThrow(expect.objectContaining({ code: 'database_missing' }));
    const writing = new TestLedger([], file);
    const db = openQuery(file);
    expect(getAllRuns(db)).toEqual([]);
    await writing.add([entry(created(KEY, 0))]);
    expect(getAllRuns(db)).toHaveLength(1);
    expect(() => db.exec('DELETE FROM experiment_runs')).toThrow(/readonly/);
    db.close();
    writing.db.close();
  });
});
