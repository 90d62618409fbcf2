// Many live files at once, each growing at a steady pace: whether `runfold watch` keeps up, and how late a line is.
import Database from 'better-sqlite3';
import { closeSync, existsSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeLedger } from './ledger.mjs';
import { bench, built, cpuSecondsOf, here, isQuick, quantile, start, table, verdict } from './lib.mjs';

const FILES = Number(process.env.RUNFOLD_BENCH_FILES ?? (isQuick ? 200 : 10_000));
/** Each file gets a line so often. */
const GAP_MS = 1_000;
const SETTLE_MS = isQuick ? 3_000 : 20_000;
const SECONDS = isQuick ? 5 : 30;
/** So many files are followed line by line. */
const SAMPLED = Math.min(FILES, 500);
const POLL_MS = 20;
/** In each file before its header is counted: that the run was made, runs, and a first point. */
const EVENTS_BEFORE = 3;
const PATIENCE_MS = 60_000;

/** When the newest lines of the sampled files become visible, and which of them have. */
class Reader {
  /** From append to query, in milliseconds. */
  times = [];

  constructor(file, runs) {
    this.db = new Database(file, { readonly: true, fileMustExist: true });
    this.version = this.db.prepare('PRAGMA data_version').pluck();
    this.newest = this.db.prepare('SELECT seq, ts FROM run_metrics WHERE run_id = ? AND seq > ?');
    this.total = this.db.prepare('SELECT sum(events) FROM _files').pluck();
    this.seen = new Map(runs.map((run) => [run, 0]));
  }

  look(isCounted) {
    const version = this.version.get();
    if (version === this.knownVersion) return;
    this.knownVersion = version;
    for (const [run, seen] of this.seen) {
      let newest = seen;
      for (const { seq, ts } of this.newest.iterate(run, seen)) {
        newest = Math.max(newest, seq);
        if (isCounted) this.times.push(Date.now() - Date.parse(ts));
      }
      this.seen.set(run, newest);
    }
  }

  async lookFor(ms, isCounted) {
    for (const end = performance.now() + ms; performance.now() < end; await sleep(POLL_MS))
      this.look(isCounted);
  }
}

/** The least that a program without any memory of the files would do for each second: open, stat, read, close. */
function bareLoop(paths) {
  const bytes = Buffer.allocUnsafe(64);
  const before = process.cpuUsage();
  for (const file of paths) {
    const descriptor = openSync(file, 'r');
    const { size } = fstatSync(descriptor);
    readSync(descriptor, bytes, 0, bytes.length, Math.max(0, size - bytes.length));
    closeSync(descriptor);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

await bench('Many files that grow', async ({ directory, children }) => {
  const ledger = path.join(directory, 'ledger');
  const db = path.join(directory, 'live.db');
  const files = [];
  const options = { writers: FILES, points: 1, complete: false, onFile: (file) => files.push(file) };
  makeLedger(ledger, { ...options, startsAt: () => Date.now() });
  const place = ['--ledger', ledger, '--db', db];
  const watch = start([built('./cli/main.js'), 'watch', '--quiet', ...place], { children, directory });
  await Promise.race([untilAll(db, FILES), watch.exited]);

  const list = path.join(directory, 'files.json');
  writeFileSync(list, JSON.stringify(files));
  const appender = start([here('./parts/append.mjs'), JSON.stringify({ ledger, list, gapMs: GAP_MS })], {
    children,
    directory,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const reader = new Reader(
    db,
    files.filter((_, index) => index % Math.ceil(FILES / SAMPLED) === 0).map(({ run_id }) => run_id),
  );
  await Promise.race([reader.lookFor(SETTLE_MS, false), watch.exited, appender.exited]);
  const from = performance.now();
  const cpuBefore = cpuSecondsOf(watch.child.pid);
  const appenderBefore = cpuSecondsOf(appender.child.pid);
  const rowsBefore = reader.total.get();
  await Promise.race([reader.lookFor(SECONDS * 1000, true), watch.exited, appender.exited]);
  const seconds = (performance.now() - from) / 1000;
  const cpu = (cpuSecondsOf(watch.child.pid) - cpuBefore) / seconds;
  const appending = (cpuSecondsOf(appender.child.pid) - appenderBefore) / seconds;
  const rows = (reader.total.get() - rowsBefore) / seconds;

  // what it is behind by when the last line is written
  appender.child.stdin.end();
  const { stdout } = await appender.exited;
  const appended = JSON.parse(stdout).lines;
  const stoppedAt = performance.now();
  await Promise.race([untilCounted(reader, appended + EVENTS_BEFORE * FILES), watch.exited]);
  const behind = (performance.now() - stoppedAt) / 1000;
  reader.db.close();
  watch.child.kill('SIGTERM');
  const { rssMb } = await watch.exited;
  const bare = bareLoop(files.map(({ file }) => path.join(ledger, file)));
  return report({ times: reader.times, cpu, appending, rows, behind, rssMb, bare });
});

async function untilAll(db, count) {
  for (const end = performance.now() + PATIENCE_MS * 5; ; await sleep(200)) {
    if (existsSync(db) && filesIn(db) === count) return;
    if (performance.now() > end) throw new Error('the files were not read');
  }
}

function filesIn(file) {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare('SELECT count(*) FROM _files WHERE offset > 0').pluck().get();
  } catch {
    // its tables come in a moment
    return 0;
  } finally {
    db.close();
  }
}

async function untilCounted(reader, events) {
  for (const end = performance.now() + PATIENCE_MS; reader.total.get() < events; await sleep(POLL_MS)) {
    if (performance.now() > end) throw new Error(`${reader.total.get()} of ${events} events came`);
  }
}

function report({ times, cpu, appending, rows, behind, rssMb, bare }) {
  const [p50, p90, p99, max] = [0.5, 0.9, 0.99, 1].map((fraction) =>
    (quantile(times, fraction) / 1000).toFixed(2),
  );
  return [
    `${FILES.toLocaleString('en')} files, to each of which one process appends a line every ${GAP_MS / 1000} s, for ` +
      `${SECONDS} s after ${SETTLE_MS / 1000} s. \`runfold watch\` as it is by default. Seconds from the \`ts\` of a line, ` +
      `just before its append, to a query that sees it, of ${SAMPLED} of the files.`,
    table(
      ['', 'lines/s', 'p50', 'p90', 'p99', 'max', 'CPU, of a core', 'peak RSS, MB'],
      [
        [
          '`runfold watch`',
          rows.toFixed(0),
          p50,
          p90,
          p99,
          max,
          `${(cpu * 100).toFixed(0)} %`,
          rssMb.toFixed(0),
        ],
        [
          'appending, for comparison',
          (FILES / (GAP_MS / 1000)).toFixed(0),
          '',
          '',
          '',
          '',
          `${(appending * 100).toFixed(0)} %`,
          '',
        ],
        [
          'open, stat, read, close of each file once a second',
          '',
          '',
          '',
          '',
          '',
          `${(bare * 100).toFixed(0)} %`,
          '',
        ],
      ],
    ),
    `- All was applied ${behind.toFixed(1)} s after the last append; keeps up on one core: ${verdict(behind < 10 && cpu <= 1)}.`,
  ];
}
