// Asks a database in a process of its own: for each question the first time, and the times after it.
import Database from 'better-sqlite3';
import { entry, partArguments } from '../lib.mjs';

const query = await import(entry('runfold/query'));
const { db: file, runs, longRun, longPoints, rounds } = partArguments();
const db = query.openQuery(file);
const bare = new Database(file, { readonly: true });

const NEWEST = { limit: 50 };
const groups = bare.prepare(
  `SELECT method, dataset, avg(final_f1), count(*) FROM experiment_runs JOIN run_results USING (run_id)
   WHERE status = 'completed' GROUP BY 1, 2`,
);
const rows = bare.prepare('SELECT * FROM experiment_runs LIMIT 50');
const scan = bare.prepare('SELECT count(*), min(loss), max(loss) FROM run_metrics WHERE run_id = ?');

/** What is asked, and how many rows or cells the answer must have, lest something else is measured. */
const QUESTIONS = {
  rows: () => rows.all(),
  page: () => query.getAllRuns(db, NEWEST),
  filtered: () => query.getAllRuns(db, { ...NEWEST, dataset: 'dataset-1', status: 'completed' }),
  middle: () => query.getAllRuns(db, { ...NEWEST, offset: Math.floor(runs / 2) }),
  config: () => query.getAllRuns(db, { ...NEWEST, where: ['config.lr<0.005'] }),
  sorted: () => query.getAllRuns(db, { ...NEWEST, sort: ['-final.f1'] }),
  counted: () => [query.countRuns(db, { status: 'failed' })],
  active: () => query.getActiveRuns(db, { where: ['status=running'] }),
  errors: () => query.getErrorGroups(db),
  places: () => query.getErrorGroups(db, { by: 'place' }),
  groups: () => groups.all(),
  board: () => query.leaderboard(db, { metric: 'f1' }).cells.flat(),
  extra: () => query.leaderboard(db, { metric: 'val/acc', goal: 'max' }).cells.flat(),
  result: () => query.leaderboard(db, { metric: 'test_acc', goal: 'max' }).cells.flat(),
  chosen: () =>
    query
      .leaderboard(db, {
        metric: 'test/acc',
        goal: 'max',
        at: { metric: 'val/acc' },
        dataset: 'dataset-0',
        method: 'method-0',
      })
      .cells.flat(),
  scan: () => scan.all(longRun),
  thinned: () => query.getRunMetrics(db, longRun, { points: 1000 }),
  named: () => query.getRunMetrics(db, longRun, { points: 1000, names: ['loss'] }),
};
const LONG = new Set(['scan', 'thinned', 'named']);

const figures = {};
for (const [name, ask] of Object.entries(QUESTIONS)) {
  if (LONG.has(name) && longPoints === 0) continue;
  const times = [];
  let answer;
  for (let round = 0; round < rounds; round += 1) {
    const from = performance.now();
    answer = ask();
    times.push(performance.now() - from);
  }
  if (answer.length === 0) throw new Error(`${name}: no answer`);
  const [first, ...rest] = times;
  figures[name] = { first, times: rest };
}
console.log(JSON.stringify({ figures }));
