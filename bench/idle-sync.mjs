// What it costs to find that there is nothing new: by `runfold sync`, as cron would run it, and by `runfold watch`.
import Database from 'better-sqlite3';
import { execFileSync } from 'node:child_process';
import { readdirSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeLedger } from './ledger.mjs';
import { bench, built, cpuSecondsOf, here, isQuick, median, runfold, start, table, verdict } from './lib.mjs';

const COMPLETE = isQuick ? 500 : 100_000;
const LIVE = isQuick ? 5 : 1_000;
const POINTS = 10;
const FILES_A_DAY = 200;
const DAY_MS = 86_400_000;
const ROUNDS = isQuick ? 2 : 7;
const SWEEPS = isQuick ? 1 : 3;
const IDLE_MS = isQuick ? 3_000 : 20_000;
const TARGET_CPU_SECONDS = 0.5;
const TARGET_RSS_MB = 120;
const TARGET_WATCH = { busy: 0.01, rssMb: 150, startSeconds: 5 };
/** The longest time between two looks at a silent file: the live files have been silent for as long as it takes to come to it. */
const SILENT_MS = 30 * 60_000;
/** The processes live so much later than the making of the folders, whose ctime tells when they last changed. */
const LATER_MS = 20 * 60_000;
const LATER = ['--import', here('./parts/later.mjs')];

/** Finished files in the folders of many past days, live ones in today's. */
function makeFiles(ledger, now) {
  const days = Math.ceil(COMPLETE / FILES_A_DAY);
  const startsAt = (number) => {
    const day = now - (days - Math.floor(number / FILES_A_DAY)) * DAY_MS;
    return day - (day % DAY_MS) + (number % FILES_A_DAY) * 60_000;
  };
  const bytes = makeLedger(ledger, { writers: COMPLETE, points: POINTS, startsAt });
  const live = { from: COMPLETE, writers: LIVE, points: POINTS, complete: false };
  return bytes + makeLedger(ledger, { ...live, startsAt: () => now });
}

/** The slow sweep comes once an hour: makes it come with the next pass. */
function makeSweepDue(file) {
  const db = new Database(file);
  db.prepare('UPDATE _projection SET slow_sweep_due_at = NULL').run();
  db.close();
}

/** As if the live files had been written to then; just now is when they are looked at most often. */
function touchLive(ledger, day, ms) {
  const folder = path.join(ledger, 'events', new Date(day).toISOString().slice(0, 10));
  for (const name of readdirSync(folder)) utimesSync(path.join(folder, name), ms / 1000, ms / 1000);
}

/** What a program that remembers nothing would do: CPU seconds, of two processes at most. */
function find(ledger) {
  const startedAt = performance.now();
  const usage = execFileSync('bash', ['-c', 'find "$0" -type f -printf "%s\\n" >/dev/null; times', ledger], {
    encoding: 'utf8',
  });
  const cpuSeconds = [...usage.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + minutes * 60 + Number(seconds),
    0,
  );
  return { cpuSeconds, seconds: (performance.now() - startedAt) / 1000, rssMb: 0 };
}

function lastPassOf(file) {
  const db = new Database(file, { readonly: true });
  try {
    return Date.parse(db.prepare('SELECT last_pass_at FROM _projection').pluck().get());
  } finally {
    db.close();
  }
}

async function sync(place, options) {
  const { stdout, ...usage } = await start([built('./cli/main.js'), 'sync', '--json', ...place], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).exited;
  return { ...usage, ...JSON.parse(stdout) };
}

async function idleWatch(place, db, options) {
  const startedAt = performance.now();
  const before = lastPassOf(db);
  const { child, exited } = start([built('./cli/main.js'), 'watch', '--quiet', ...place], options);
  const firstPass = async () => {
    while (lastPassOf(db) === before) await sleep(20);
  };
  await Promise.race([firstPass(), exited]);
  // the pass is dated when it begins, and ends with that transaction
  const startSeconds = (performance.now() - startedAt) / 1000;
  // the setting up of the hints
  await Promise.race([sleep(isQuick ? 2_000 : 6_000), exited]);
  const startCpuSeconds = cpuSecondsOf(child.pid);
  const from = performance.now();
  await Promise.race([sleep(IDLE_MS), exited]);
  const seconds = (performance.now() - from) / 1000;
  const busy = (cpuSecondsOf(child.pid) - startCpuSeconds) / seconds;
  child.kill('SIGTERM');
  const { rssMb } = await exited;
  return { busy, seconds, startSeconds, startCpuSeconds, rssMb };
}

function assertNothingNew({ events, thorough }, isSweep) {
  if (events !== 0) throw new Error(`${events} new events where there are none`);
  if (thorough !== isSweep) throw new Error(`the slow sweep ${thorough ? 'came' : 'did not come'}`);
}

await bench('Nothing new', async ({ directory, children }) => {
  const ledger = path.join(directory, 'ledger');
  const db = path.join(directory, 'live.db');
  const now = Date.now();
  const bytes = makeFiles(ledger, now);
  const place = ['--ledger', ledger, '--db', db];
  const options = { directory, children, nodeArgs: LATER };
  const first = await sync(place, options);
  if (first.files !== COMPLETE + LIVE) throw new Error(`the first sync read ${first.files} files`);

  const bare = [];
  const found = [];
  const idle = [];
  const sweeps = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(await runfold(['--version'], options));
    found.push(find(ledger));
    idle.push(await sync(place, options));
    assertNothingNew(idle.at(-1), false);
  }
  for (let round = 0; round < SWEEPS; round += 1) {
    makeSweepDue(db);
    sweeps.push(await sync(place, options));
    assertNothingNew(sweeps.at(-1), true);
  }
  touchLive(ledger, now, Date.now() + LATER_MS - SILENT_MS);
  const silent = await idleWatch(place, db, options);
  touchLive(ledger, now, Date.now() + LATER_MS);
  const busiest = await idleWatch(place, db, options);
  return report({ first, bare, found, idle, sweeps, silent, busiest, bytes });
});

function percentOf({ busy }) {
  return `${(busy * 100).toFixed(2)} %`;
}

function medianOf(figures, field) {
  return median(figures.map((figure) => figure[field]));
}

function report({ first, bare, found, idle, sweeps, silent, busiest, bytes }) {
  const row = (name, figures) => [
    name,
    medianOf(figures, 'cpuSeconds').toFixed(2),
    Math.min(...figures.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
    medianOf(figures, 'seconds').toFixed(2),
    Math.max(...figures.map(({ rssMb }) => rssMb)).toFixed(0),
  ];
  const cpu = medianOf(idle, 'cpuSeconds');
  const rss = Math.max(...idle.map(({ rssMb }) => rssMb));
  const files = (COMPLETE + LIVE).toLocaleString('en');
  return [
    `${COMPLETE.toLocaleString('en')} complete files in ${Math.ceil(COMPLETE / FILES_A_DAY)} folders and ${LIVE} live ` +
      `ones in today’s, ${(bytes / 1e6).toFixed(0)} MB in all; processes of their own, Node’s start included.`,
    table(
      ['', 'CPU seconds (median)', 'best', 'seconds', 'peak RSS, MB'],
      [
        row('`runfold --version`, for comparison', bare),
        row('`find -printf %s` of all files, for comparison', found),
        row(`\`runfold sync\`, nothing new (${ROUNDS} times)`, idle),
        row(`\`runfold sync\`, nothing new, slow sweep due (${SWEEPS} times)`, sweeps),
        row(`the first \`runfold sync\`: all ${files} files are new`, [first]),
      ],
    ),
    [
      `- \`runfold sync\` with nothing new: ${cpu.toFixed(2)} s of CPU; target below ${TARGET_CPU_SECONDS} s: ` +
        `${verdict(cpu < TARGET_CPU_SECONDS)}. Peak RSS ${rss.toFixed(0)} MB; target below ${TARGET_RSS_MB} MB: ` +
        `${verdict(rss < TARGET_RSS_MB)}.`,
      `- \`runfold watch\` over ${silent.seconds.toFixed(0)} s in which nothing came, the live files silent for ` +
        `${SILENT_MS / 60_000} min: ${percentOf(silent)} of a core; target below ${TARGET_WATCH.busy * 100} %: ` +
        `${verdict(silent.busy < TARGET_WATCH.busy)}. Peak RSS ${silent.rssMb.toFixed(0)} MB; target below ` +
        `${TARGET_WATCH.rssMb} MB: ${verdict(silent.rssMb < TARGET_WATCH.rssMb)}. Its first look at everything was done ` +
        `${silent.startSeconds.toFixed(1)} s after its start; target below ${TARGET_WATCH.startSeconds} s: ` +
        `${verdict(silent.startSeconds < TARGET_WATCH.startSeconds)}.`,
      `- The same just after all live files were written to: ${percentOf(busiest)} of a core, peak RSS ` +
        `${busiest.rssMb.toFixed(0)} MB, after ${busiest.startCpuSeconds.toFixed(2)} s of CPU to begin with.`,
    ].join('\n'),
  ];
}
