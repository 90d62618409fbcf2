// From the end of an append to the moment when a query sees the point, with `runfold watch` between them.
import Database from 'better-sqlite3';
import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeLedger, writerLines } from './ledger.mjs';
import { bench, built, cpuSecondsOf, entry, isQuick, quantile, start, table, verdict } from './lib.mjs';

const { createLedger } = await import(entry('runfold'));
const TARGET_P99_MS = 150;
const APPENDS = isQuick ? 30 : 600;
/** How many write at once, and how many finished files lie in the same folder. */
const CASES = [
  { writers: 1, finished: 0 },
  { writers: 20, finished: 0 },
  { writers: 20, finished: isQuick ? 50 : 2_000 },
];
/** A writer waits so long between two lines, at random. */
const GAP_MS = { least: 50, most: 200 };
/** How often the database is asked: what is seen is late by up to this and what the timer adds. */
const POLL_MS = 1;
const PATIENCE_MS = 30_000;

/** A file with its first lines there, and a line to append whenever one is wanted. */
class Writer {
  /** When the lines were appended that no query has seen, by seq. */
  waiting = new Map();

  constructor(ledger, number) {
    const startMs = Date.now() + number;
    const { file, lines, run_id } = writerLines({ number, points: 1, complete: false, startMs });
    this.runId = run_id;
    this.path = path.join(ledger, file);
    this.metric = JSON.parse(lines.pop());
    this.seq = lines.length;
    mkdirSync(path.dirname(this.path), { recursive: true });
    appendFileSync(this.path, `${lines.join('\n')}\n`);
  }

  append() {
    this.seq += 1;
    const line = { ...this.metric, ts: new Date().toISOString(), seq: this.seq, step: this.seq };
    appendFileSync(this.path, `${JSON.stringify(line)}\n`);
    this.waiting.set(this.seq, performance.now());
  }

  async keepAppending(count) {
    for (let done = 0; done < count; done += 1) {
      await sleep(GAP_MS.least + Math.random() * (GAP_MS.most - GAP_MS.least));
      this.append();
    }
  }
}

/** Asks the database again and again what has become visible, as a page that is open does. */
class Reader {
  /** From append to query, in milliseconds. */
  times = [];

  constructor(file, writers) {
    this.db = new Database(file, { readonly: true, fileMustExist: true });
    this.version = this.db.prepare('PRAGMA data_version').pluck();
    this.newest = this.db.prepare('SELECT max(seq) FROM run_metrics WHERE run_id = ?').pluck();
    this.writers = writers;
  }

  look() {
    const version = this.version.get();
    if (version === this.knownVersion) return;
    this.knownVersion = version;
    for (const { runId, waiting } of this.writers) {
      if (waiting.size === 0) continue;
      const newest = this.newest.get(runId) ?? 0;
      const now = performance.now();
      for (const [seq, appendedAt] of waiting) {
        if (seq > newest) break;
        waiting.delete(seq);
        this.times.push(now - appendedAt);
      }
    }
  }

  /** Looks until so many lines have been seen; throws if none comes for long. */
  async lookUntil(count) {
    let seen = this.times.length;
    for (let end = performance.now() + PATIENCE_MS; this.times.length < count; await sleep(POLL_MS)) {
      this.look();
      if (this.times.length > seen) end = performance.now() + PATIENCE_MS;
      seen = this.times.length;
      if (performance.now() > end) throw new Error(`no line became visible in ${PATIENCE_MS} ms`);
    }
  }
}

async function untilThere(file) {
  for (const end = performance.now() + PATIENCE_MS; !existsSync(file); await sleep(50)) {
    if (performance.now() > end) throw new Error(`${file} did not come in ${PATIENCE_MS} ms`);
  }
  // its tables come a moment later, and the watching begins after them
  await sleep(2_000);
}

async function measure(directory, children, { writers: count, finished }) {
  const ledger = path.join(directory, `ledger-${count}-${finished}`);
  const db = path.join(directory, `live-${count}-${finished}.db`);
  createLedger(ledger);
  const writers = Array.from({ length: count }, (_, number) => new Writer(ledger, number));
  makeLedger(ledger, { from: count, writers: finished, points: 2, startsAt: () => Date.now() });
  const args = [built('./cli/main.js'), 'watch', '--quiet', '--ledger', ledger, '--db', db];
  const { child, exited } = start(args, { children, directory });
  // a watch that fails is an error of its own, not a line that does not come
  await Promise.race([untilThere(db), exited]);
  const reader = new Reader(db, writers);
  for (const writer of writers) writer.append();
  await Promise.race([reader.lookUntil(count), exited]);
  reader.times.length = 0;

  const startedAt = performance.now();
  const cpuBefore = cpuSecondsOf(child.pid);
  const each = Math.ceil(APPENDS / count);
  const writing = Promise.all(writers.map((writer) => writer.keepAppending(each)));
  await Promise.race([Promise.all([writing, reader.lookUntil(each * count)]), exited]);
  const busy = (cpuSecondsOf(child.pid) - cpuBefore) / ((performance.now() - startedAt) / 1000);
  reader.db.close();
  child.kill('SIGTERM');
  const { rssMb } = await exited;
  return { count, finished, times: reader.times, busy, rssMb };
}

function nameOf(count, finished) {
  const writers = count === 1 ? '1 writer' : `${count} writers at once`;
  return finished === 0
    ? writers
    : `${writers}, ${finished.toLocaleString('en')} finished files in the folder`;
}

await bench('From an append to a query', async ({ directory, children }) => {
  const results = [];
  for (const one of CASES) results.push(await measure(directory, children, one));
  const rows = results.map(({ count, finished, times, busy, rssMb }) => [
    nameOf(count, finished),
    times.length,
    ...[0.5, 0.9, 0.99, 1].map((fraction) => quantile(times, fraction).toFixed(1)),
    `${(busy * 100).toFixed(1)} %`,
    rssMb.toFixed(0),
  ]);
  const worst = Math.max(...results.map(({ times }) => quantile(times, 0.99)));
  return [
    `Milliseconds from the return of an append to a query that sees the point. Each writer appends a line every ` +
      `${GAP_MS.least} to ${GAP_MS.most} ms; the reader asks every ${POLL_MS} ms. \`runfold watch\` as it is by default.`,
    table(['', 'appends', 'p50', 'p90', 'p99', 'max', 'CPU of watch, of a core', 'peak RSS, MB'], rows),
    `- p99, the worst of these: ${worst.toFixed(1)} ms; target at most ${TARGET_P99_MS} ms: ${verdict(worst <= TARGET_P99_MS)}.`,
  ];
});
