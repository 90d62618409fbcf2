// A rebuild of a whole ledger, against the least that it could cost and against DuckDB.
import Database from 'better-sqlite3';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { makeLedger } from './ledger.mjs';
import { bench, isQuick, median, part, quantile, rotated, runfold, table, verdict } from './lib.mjs';
import { waits } from './parts/asking.mjs';

const WRITERS = isQuick ? 10 : 100;
const POINTS = isQuick ? 1_000 : 10_000;
const ROUNDS = isQuick ? 2 : 5;
const QUIET_MS = isQuick ? 200 : 2000;
const TARGET_RATIO = 0.9;
const TARGET_RSS_MB = 250;

/** Names and what they do; each gives seconds, cpuSeconds and rssMb. */
const VARIANTS = {
  rebuild: { name: '`runfold sync --rebuild`, no database before', run: rebuild },
  again: { name: '`runfold sync --rebuild` over the finished database', run: rebuild, keeps: true },
  bare: { name: 'inserts alone, pragmas of a rebuild', run: insert, args: { mode: 'building' } },
  wal: { name: 'inserts alone, pragmas of the live database', run: insert, args: { mode: 'live' } },
  parse: {
    name: 'JSON.parse and inserts, pragmas of a rebuild',
    run: insert,
    args: { mode: 'building', isParsing: true },
  },
  duckdb: { name: 'DuckDB `read_ndjson`, threads by default', run: duckdb, args: {} },
  duckdb1: { name: 'DuckDB `read_ndjson`, 1 thread', run: duckdb, args: { threads: 1 } },
};

async function rebuild({ ledger, db, options }) {
  return await runfold(['sync', '--rebuild', '--ledger', ledger, '--db', db], options);
}

async function insert({ ledger, db, options, args }) {
  return await part('insert.mjs', { ledger, db, ...args }, options);
}

async function duckdb({ ledger, db, options, args }) {
  return await part('duckdb.mjs', { ledger, db, ...args }, options);
}

/** What a page of runs needs. */
const QUESTION = 'SELECT r.*, s.* FROM experiment_runs r LEFT JOIN run_results s USING (run_id) LIMIT 50';

/** Waits for answers from the live database in this process: with nothing else going on, and during a rebuild. */
async function askMeanwhile(run, db) {
  const live = new Database(db, { readonly: true });
  try {
    const question = live.prepare(QUESTION);
    const ask = () => question.all();
    const until = performance.now() + QUIET_MS;
    const quiet = await waits(ask, () => performance.now() >= until);
    let isOver = false;
    const ended = run().finally(() => (isOver = true));
    const meanwhile = await waits(ask, () => isOver);
    await ended;
    return { quiet, meanwhile };
  } finally {
    live.close();
  }
}

function contentOf(file) {
  const db = new Database(file, { readonly: true });
  try {
    return db
      .prepare(
        `SELECT count(*) AS points, count(DISTINCT writer) AS writers, sum(seq) AS seqs, sum(loss) AS loss
         FROM run_metrics`,
      )
      .get();
  } finally {
    db.close();
  }
}

/** A figure of something that did another job would be worth nothing. */
function assertWhole(key, { points, writers, seqs, loss }, expected) {
  const same = points === WRITERS * POINTS && writers === WRITERS && seqs === expected.seqs;
  // sums of doubles depend on their order
  if (!same || Math.abs(loss - expected.loss) > 1e-6 * Math.abs(expected.loss)) {
    throw new Error(`${key} made another table: ${JSON.stringify({ points, writers, seqs, loss })}`);
  }
}

function removeDatabases(directory) {
  for (const name of ['live.db', 'other.db']) {
    for (const suffix of ['', '-wal', '-shm', '-journal', '.lock', '.wal']) {
      rmSync(path.join(directory, name + suffix), { force: true });
    }
  }
}

await bench('Rebuilding a ledger', async ({ directory, children }) => {
  const ledger = path.join(directory, 'ledger');
  const bytes = makeLedger(ledger, { writers: WRITERS, points: POINTS });
  const options = { directory, children };
  const figures = Object.fromEntries(Object.keys(VARIANTS).map((key) => [key, []]));
  let expected;
  // one of each whose time does not count: caches of the disk and of the program files
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const key of rotated(['rebuild', 'bare', 'wal', 'parse', 'duckdb', 'duckdb1'], Math.max(0, round))) {
      if (round === -1 && key !== 'rebuild' && key !== 'bare') continue;
      for (const step of key === 'rebuild' ? ['rebuild', 'again'] : [key]) {
        const variant = VARIANTS[step];
        if (!variant.keeps) removeDatabases(directory);
        const db = path.join(directory, step === 'rebuild' || step === 'again' ? 'live.db' : 'other.db');
        const figure = await variant.run({ ledger, db, options, args: variant.args });
        const content = figure.content ?? contentOf(db);
        expected ??= content;
        assertWhole(step, content, expected);
        if (round >= 0) figures[step].push(figure);
      }
      removeDatabases(directory);
    }
  }
  const db = path.join(directory, 'live.db');
  await rebuild({ ledger, db, options });
  const asked = await askMeanwhile(() => rebuild({ ledger, db, options }), db);
  const inside = await part('sync-inside.mjs', { ledger, db: path.join(directory, 'other.db') }, options);
  return [...report(figures, bytes), ...reportWaits({ ...asked, inside: inside.waits })];
});

function reportWaits({ quiet, meanwhile, inside }) {
  const rows = [
    ['nothing else going on', quiet],
    ['during `runfold sync --rebuild` over the database', meanwhile],
    ['in the process itself that syncs all of it for the first time (`ExperimentDB`)', inside],
  ].map(([name, all]) => [
    name,
    all.length,
    ...[0.5, 0.99, 1].map((fraction) => quantile(all, fraction).toFixed(1)),
  ]);
  return [
    'Milliseconds from when a question was due, one every 10 ms, to its answer: a page of 50 runs with their results.',
    table(['', 'questions', 'p50', 'p99', 'max'], rows),
  ];
}

function report(figures, bytes) {
  const of = (key, field) => figures[key].map((figure) => figure[field]);
  // pair by pair, so that a busy moment of the machine does not decide
  const ratios = (key, field) =>
    figures[key].map((figure, round) => figure[field] / figures.rebuild[round][field]);
  const rows = Object.entries(VARIANTS).map(([key, { name }]) => [
    name,
    median(of(key, 'seconds')).toFixed(2),
    Math.min(...of(key, 'seconds')).toFixed(2),
    median(of(key, 'cpuSeconds')).toFixed(2),
    Math.round((WRITERS * POINTS) / median(of(key, 'seconds'))).toLocaleString('en'),
    median(ratios(key, 'seconds')).toFixed(2),
    Math.max(...of(key, 'rssMb')).toFixed(0),
  ]);
  const head = ['', 'seconds (median)', 'best', 'CPU seconds', 'points/s', 'time / rebuild', 'peak RSS, MB'];
  const wall = ratios('bare', 'seconds');
  const cpu = ratios('bare', 'cpuSeconds');
  const rss = Math.max(...of('rebuild', 'rssMb'), ...of('again', 'rssMb'));
  const points = (WRITERS * POINTS).toLocaleString('en');
  return [
    `${points} metric events of ${WRITERS} writers, ${(bytes / 1e6).toFixed(0)} MB; ${ROUNDS} rounds, in turn.`,
    table(head, rows),
    [
      `- Inserts alone / rebuild: ${spread(wall)} of the time, ${spread(cpu)} of the CPU time; target at least`,
      `  ${TARGET_RATIO}: ${verdict(median(wall) >= TARGET_RATIO)}.`,
      `- Peak RSS of a rebuild: ${rss.toFixed(0)} MB; target below ${TARGET_RSS_MB} MB: ${verdict(rss < TARGET_RSS_MB)}.`,
      `- Each rebuild ends with an fsync of the database, the others do not; for inserts alone it would have been`,
      `  ${median(of('bare', 'syncSeconds')).toFixed(2)} s more.`,
    ].join('\n'),
  ];
}

function spread(values) {
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`;
}
