// One object is the whole system: what its writing methods append, sync applies, and its reading methods answer.
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLedger } from '../src/events/ledger.ts';
import { ExperimentDB } from '../src/experiment-db.ts';
import { OpenProjector, locate } from '../src/projector/open.ts';
import { tempDir } from './events/temp-dir.ts';

let place: { ledger: string; db: string };
let db: ExperimentDB;

beforeEach(async () => {
  const root = tempDir();
  place = { ledger: path.join(root, 'log'), db: path.join(root, 'runs.db') };
  createLedger(place.ledger);
  db = await ExperimentDB.open(place);
});

afterEach(() => db.close());

/** Three seeds of two methods, one of which fails. */
async function logRuns(): Promise<string[]> {
  const ids: string[] = [];
  for (const [index, method] of ['mlp', 'mlp', 'forest'].entries()) {
    const id = db.createRun({ dataset: 'iris', method, seed: index, config: { lr: 0.1 * (index + 1) } });
    ids.push(id);
    db.updateRunStatus(id, 'running');
    for (const epoch of [1, 2])
      db.logMetrics(id, { loss: 1 / epoch, f1: 0.5 + index / 10, acc: index }, { epoch });
    db.logResults(id, { test: { acc: 0.9 - index / 10 } });
    if (method === 'forest') db.logError(id, new RangeError('too deep'));
    db.updateRunStatus(id, method === 'forest' ? 'failed' : 'completed', {
      exitCode: method === 'forest' ? 1 : 0,
    });
  }
  await db.sync();
  return ids;
}

describe('what was written is read after the next sync', () => {
  test('runs, in the ways that they can be asked for', async () => {
    const [one = '', two = '', three = ''] = await logRuns();
    expect(db.getAllRuns({ sort: ['seed'] }).map(({ run_id }) => run_id)).toEqual([one, two, three]);
    expect(db.getRun(one.slice(0, 8))).toMatchObject({
      run_id: one,
      status: 'completed',
      config: { lr: 0.1 },
    });
    expect(db.getRun(one).command).toMatch(/node/);
    expect(db.getRun(one).cwd).toBe(process.cwd());
    expect(db.countRuns({ where: ['config.lr>0.15'] })).toBe(2);
    expect(
      db.selectRuns(['seed', 'final.acc', 'results.test.acc'], { status: 'completed', sort: ['-seed'] }),
    ).toEqual([
      [1, 1, 0.8],
      [0, 0, 0.9],
    ]);
    expect(db.getActiveRuns()).toEqual([]);
  });

  test('curves, results, errors and comparisons', async () => {
    const [one = '', two = '', three = ''] = await logRuns();
    expect(db.getRunMetrics(one, { names: ['loss'] }).map(({ epoch, loss }) => [epoch, loss])).toEqual([
      [1, 1],
      [2, 0.5],
    ]);
    expect(db.getRunResults(one)).toMatchObject({ best_loss: 0.5, final_f1: 0.5, points: 2 });
    expect(db.getRunErrors(three)).toMatchObject([{ exception_type: 'RangeError', message: 'too deep' }]);
    expect(db.getErrorGroups()).toMatchObject([{ exception_type: 'RangeError', run_ids: [three] }]);
    const differing = db.compareRuns([one, two]).fields.filter(({ differs }) => differs);
    expect(differing.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['seed', 'config.lr', 'results.test.acc']),
    );
    const [cell] = db.leaderboard({ metric: 'f1' }).cells.flat();
    expect(cell).toMatchObject({ n: 0, seen: 1 });
    expect(db.getCurves('loss').curves).toMatchObject([
      {
        points: [
          { mean: 1, n: 2 },
          { mean: 0.5, n: 2 },
        ],
      },
    ]);
  });

  test('what SLURM and people say', async () => {
    const [one = ''] = await logRuns();
    db.logSlurmInfo(one, { job_id: '100', source: 'env', partition: 'gpu' });
    db.annotateRun(one, { tags: ['best'], notes: 'keep', hidden: true });
    expect(db.getRun(one).hidden).toBe(false);
    await db.sync();
    expect(db.getRun(one)).toMatchObject({
      tags: ['best'],
      notes: 'keep',
      hidden: true,
      slurm_job_id: '100',
    });
    expect(db.getSlurmJobs(one)).toMatchObject([{ job_id: '100', partition: 'gpu' }]);
    expect(db.countRuns({ tags: 'best' })).toBe(0);
    expect(db.countRuns({ tags: 'best', includeHidden: true })).toBe(1);
  });
});

test('the same run again is another attempt, which takes the place of the one before', async () => {
  const [one = ''] = await logRuns();
  expect(db.createRun({ dataset: 'iris', method: 'mlp', seed: 0 })).toBe(one);
  await db.sync();
  expect(db.getRun(one)).toMatchObject({ attempt_count: 2, status: 'pending' });
  expect(db.getRunMetrics(one)).toEqual([]);
  expect(db.getRunMetrics(one, { view: 'all' })).toHaveLength(2);
  expect(db.getActiveRuns().map(({ run_id }) => run_id)).toEqual([one]);
});

test('somebody else who keeps the database is named, and does the reading', async () => {
  const other = OpenProjector.open(await locate(place), 'watch');
  const id = db.createRun({ seed: 1 });
  expect(await db.sync()).toMatchObject({ heldBy: { purpose: 'watch', pid: process.pid } });
  await other.projector.pass();
  expect(db.getRun(id).seed).toBe(1);
  other.close();
  expect(await db.sync()).toMatchObject({ heldBy: undefined });
});

test('a run is found by the beginning of its id, or as the last one, whatever is asked of it', async () => {
  const [one = '', , three = ''] = await logRuns();
  db.logSlurmInfo(three, { source: 'env', job_id: '4711' });
  await db.sync();
  for (const id of [three, three.toUpperCase(), three.slice(0, 8), '@last']) {
    expect(db.getRun(id).run_id).toBe(three);
    expect(db.getRunMetrics(id)).toHaveLength(2);
    expect(db.getRunErrors(id)).toMatchObject([{ exception_type: 'RangeError' }]);
    expect(db.getRunResults(id)).toMatchObject({ run_id: three, points: 2 });
    expect(db.getSlurmJobs(id)).toMatchObject([{ job_id: '4711' }]);
  }
  expect(db.getRunErrors(one)).toEqual([]);
  for (const id of ['', 'no run', 'zzzz', 'z'.repeat(16), "' OR 1=1 --"]) {
    const found = [db.getRunMetrics(id), db.getRunErrors(id), db.getRunResults(id), db.getSlurmJobs(id)];
    expect(found, id).toEqual([[], [], null, []]);
  }
});

test('the beginning of several ids is refused', async () => {
  const ids = Array.from({ length: 33 }, (_, seed) => db.createRun({ seed }));
  await db.sync();
  // there are 32 first characters
  const first = ids.map((id) => id.slice(0, 1)).find((each, index, all) => all.indexOf(each) < index) ?? '';
  for (const ask of ['getRun', 'getRunMetrics', 'getRunErrors', 'getRunResults', 'getSlurmJobs'] as const)
    expect(() => db[ask](first), ask).toThrow(expect.objectContaining({ code: 'run_not_found' }));
});

test('what cannot be logged is refused', () => {
  const id = db.createRun({ seed: 1 });
  expect(() => db.logMetrics(id, { loss: 'high' as unknown as number })).toThrow(
    expect.objectContaining({ code: 'usage' }),
  );
  expect(() => db.createRun({ seed: 1.5 })).toThrow(expect.objectContaining({ code: 'invalid_key' }));
  expect(() => db.getAllRuns()).toThrow(
    expect.objectContaining({
      code: 'database_missing',
      hint: expect.stringContaining('await db.sync()') as string,
    }),
  );
});
