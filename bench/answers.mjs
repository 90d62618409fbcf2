// How long answers take on very many runs, and how that grows.
import { mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { entry, bench, built, here, isQuick, median, part, runfold, start, table, verdict } from './lib.mjs';
import { makeLongRun, makeRuns } from './runs.mjs';

const { createLedger } = await import(entry('runfold'));

/** The last is the one that the targets are about. */
const SIZES = isQuick ? [100, 300] : [1_000, 10_000, 100_000];
const POINTS = isQuick ? 20 : 200;
const LONG_POINTS = isQuick ? 20_000 : 1_000_000;
const ROUNDS = isQuick ? 4 : 16;
const PROCESS_ROUNDS = isQuick ? 2 : 11;
const TARGETS_MS = { page: 50, board: 200, thinned: 50, process: 300 };

const NAMES = {
  rows: '`SELECT * … LIMIT 50`, in no order',
  page: 'the newest 50',
  filtered: 'the newest 50 of a data set that are completed',
  middle: '50 from the middle on',
  config: 'the newest 50 with `config.lr<0.005`',
  sorted: 'the 50 with the best final f1',
  counted: 'how many have failed',
  active: 'those that are running, with their newest line',
  errors: 'errors by type',
  places: 'errors by place',
  groups: '`avg(final_f1) … GROUP BY method, dataset`',
  board: 'leaderboard of f1',
  extra: 'leaderboard of `val/acc`',
  result: 'leaderboard of a result',
  chosen: '`test/acc` at the best `val/acc`, of a hundredth of the runs',
  scan: '`count, min, max` of its points in SQL',
  thinned: '1,000 points, all metrics',
  named: '1,000 points, one metric',
};
const HEAD = ['', 'ms (median)', 'best', 'first time', 'of the first line'];
const count = (number) => number.toLocaleString('en');
const ms = (value) => value.toFixed(value < 10 ? 1 : 0);
const size = (bytes) => (bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);

async function makeDatabase(runs, isLast, { directory, children }) {
  const ledger = path.join(directory, `ledger-${runs}`);
  const db = path.join(directory, `${runs}.db`);
  mkdirSync(ledger, { recursive: true });
  createLedger(ledger);
  const from = performance.now();
  const bytes = makeRuns(ledger, {
    runs,
    points: POINTS,
    onFile: (done) =>
      process.stderr.isTTY && process.stderr.write(`\r${count(done)} of ${count(runs)} runs `),
  });
  const long = isLast ? makeLongRun(ledger, { points: LONG_POINTS }) : { bytes: 0, runId: '' };
  const making = (performance.now() - from) / 1000;
  console.error(`answers: ${count(runs)} runs made in ${making.toFixed(0)} s`);
  const sync = await runfold(['sync', '--ledger', ledger, '--db', db], { directory, children });
  console.error(`answers: read in ${sync.seconds.toFixed(0)} s`);
  return { ledger, db, runs, making, reading: sync.seconds, bytes: bytes + long.bytes, longRun: long.runId };
}

async function ask({ db, runs, longRun }, options) {
  const longPoints = longRun === '' ? 0 : LONG_POINTS;
  const { figures } = await part('answers.mjs', { db, runs, longRun, longPoints, rounds: ROUNDS }, options);
  return figures;
}

async function processes({ ledger, db }, { directory, children }) {
  const place = ['--ledger', ledger, '--db', db];
  const cli = built('./cli/main.js');
  const commands = {
    '`node` with an empty program': [here('./parts/empty.mjs')],
    '`runfold runs --limit 50 --no-sync`': [cli, 'runs', '--limit', '50', '--no-sync', ...place],
    '`runfold runs --limit 50`, nothing new': [cli, 'runs', '--limit', '50', ...place],
    '`runfold leaderboard f1 --no-sync`': [cli, 'leaderboard', 'f1', '--no-sync', ...place],
    '`runfold errors --no-sync`': [cli, 'errors', '--no-sync', ...place],
  };
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let round = 0; round < PROCESS_ROUNDS; round += 1) {
    for (const [name, args] of Object.entries(commands)) {
      times[name].push((await start(args, { directory, children }).exited).seconds * 1000);
    }
  }
  return times;
}

await bench('Answers', async ({ directory, children }) => {
  const options = { directory, children };
  const databases = [];
  for (const [index, runs] of SIZES.entries()) {
    const made = await makeDatabase(runs, index === SIZES.length - 1, options);
    const databaseBytes = statSync(made.db).size;
    const figures = await ask(made, options);
    const isLast = index === SIZES.length - 1;
    const times = isLast ? await processes(made, options) : undefined;
    databases.push({ ...made, databaseBytes, figures, times });
    for (const suffix of ['', '-wal', '-shm']) rmSync(made.db + suffix, { force: true });
    rmSync(made.ledger, { recursive: true });
  }
  return report(databases);
});

function shown({ times }) {
  return ms(median(times));
}

function target(what, value, limit) {
  return `- ${what}: ${ms(value)} ms; target below ${limit} ms: ${verdict(value < limit)}.`;
}

function report(databases) {
  const last = databases.at(-1);
  const row = (name, base) => {
    const { first, times } = last.figures[name];
    const ratio = base === undefined ? '' : (median(times) / median(last.figures[base].times)).toFixed(1);
    return [NAMES[name], ms(median(times)), ms(Math.min(...times)), ms(first), ratio];
  };
  const growing = ['page', 'filtered', 'sorted', 'counted', 'active', 'errors', 'board', 'extra'];
  const processRows = Object.entries(last.times).map(([name, times]) => [
    name,
    ms(median(times)),
    ms(Math.min(...times)),
  ]);
  const [, runsProcess] = Object.values(last.times);
  return [
    databases
      .map(
        ({ runs, bytes, databaseBytes, making, reading }) =>
          `${count(runs)} runs of ${POINTS} points: ${size(bytes)} of log, made in ${making.toFixed(0)} s, ` +
          `read by \`runfold sync\` in ${reading.toFixed(0)} s, ${size(databaseBytes)} of database.`,
      )
      .join(' ') +
      ` The largest has one run more, of ${count(LONG_POINTS)} points. ${ROUNDS - 1} times each, after a first one.`,
    `Of ${count(last.runs)} runs:`,
    table(HEAD, [
      row('rows'),
      ...['page', 'filtered', 'middle', 'config', 'sorted', 'counted', 'active', 'errors', 'places'].map(
        (name) => row(name, 'rows'),
      ),
    ]),
    table(HEAD, [
      row('groups'),
      ...['board', 'extra', 'result', 'chosen'].map((name) => row(name, 'groups')),
    ]),
    `One run of ${count(LONG_POINTS)} points:`,
    table(HEAD, [row('scan'), ...['thinned', 'named'].map((name) => row(name, 'scan'))]),
    'How it grows, in ms (median):',
    table(
      ['', ...databases.map(({ runs }) => `${count(runs)} runs`)],
      growing.map((name) => [NAMES[name], ...databases.map(({ figures }) => shown(figures[name]))]),
    ),
    `Whole processes, from the start to the end, on ${count(last.runs)} runs:`,
    table(['', 'ms (median)', 'best'], processRows),
    [
      target('A page of the run table', median(last.figures.page.times), TARGETS_MS.page),
      target('The leaderboard', median(last.figures.board.times), TARGETS_MS.board),
      target(
        `${count(LONG_POINTS)} points thinned to 1,000`,
        median(last.figures.thinned.times),
        TARGETS_MS.thinned,
      ),
      target('The command line, from its start to the table', median(runsProcess), TARGETS_MS.process),
    ].join('\n'),
  ];
}
