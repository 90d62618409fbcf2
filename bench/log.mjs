// What one log() costs a training program, and what the first one does.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { bench, entry, here, isQuick, median, part, rotated, table, verdict } from './lib.mjs';

const { createLedger } = await import(entry('runfold'));
const ROUNDS = isQuick ? 1 : 5;
const STARTS = isQuick ? 3 : 25;
const TARGET_US = 5;
const TARGET_START_MS = 30;

/** Calls that count and calls before them, of each way. */
const WAYS = {
  buffered: { name: '`log()`', calls: 100_000, warmUp: 20_000, logs: true },
  paced: { name: '`log()`, one every 2 ms', calls: 2_000, warmUp: 200, logs: true },
  appendFileSync: { name: 'JSON.stringify and `fs.appendFileSync`', calls: 50_000, warmUp: 5_000 },
  pinoSync: { name: 'pino to a file, `sync: true`', calls: 50_000, warmUp: 5_000 },
  pinoAsync: { name: 'pino to a file, `sync: false`, `minLength: 4096`', calls: 100_000, warmUp: 20_000 },
  flushed: { name: '`log()` and `flush()`: fsync each', calls: 1_000, warmUp: 50, logs: true },
  fsync: { name: 'JSON.stringify, `fs.writeSync` and `fs.fsyncSync` each', calls: 1_000, warmUp: 50 },
};

await bench('Logging', async ({ directory, children }) => {
  const ledger = path.join(directory, 'ledger');
  createLedger(ledger);
  const figures = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const way of rotated(Object.keys(WAYS), round)) {
      const { calls, warmUp, logs } = WAYS[way];
      const size = isQuick ? { calls: calls / 20, warmUp: warmUp / 20 } : { calls, warmUp };
      const args = { way, ...size, directory, ledger: logs === true ? ledger : undefined };
      figures[way].push(await part('log.mjs', args, { directory, children }));
    }
  }
  const starts = startUps(ledger);
  return [...callReport(figures), ...startReport(starts, nativeLibraries(ledger))];
});

function callReport(figures) {
  const of = (way, field) => figures[way].map((figure) => figure[field]);
  const rows = Object.entries(WAYS).map(([way, { name }]) => [
    name,
    ...['median', 'p99', 'max', 'mean', 'firstHundred'].map((field) => microseconds(median(of(way, field)))),
  ]);
  const best = Math.min(...of('buffered', 'median'));
  const typical = median(of('buffered', 'median'));
  return [
    `Microseconds of one call with five metrics, epoch and step (a line of about 290 bytes), less the timer's own ` +
      `${microseconds(median(of('buffered', 'timer')))}; median of ${ROUNDS} processes each.`,
    table(['', 'median', 'p99', 'max', 'mean', 'median of the first 100'], rows),
    `- Median of a buffered \`log()\`: ${microseconds(typical)} µs (best process ${microseconds(best)}); ` +
      `target at most ${TARGET_US} µs: ${verdict(typical <= TARGET_US)}.`,
  ];
}

function microseconds(value) {
  return value.toFixed(value < 100 ? 2 : 0);
}

function run(args) {
  const from = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return { ms: performance.now() - from, stdout };
}

function firstEvent(ledger, wants = 'nothing') {
  return run([here('./parts/first-event.mjs'), entry('runfold/logger'), ledger, wants]);
}

function startUps(ledger) {
  const starts = [];
  for (let index = -1; index < STARTS; index += 1) {
    const bare = run(['-e', '0']).ms;
    const empty = run([here('./parts/empty.mjs')]).ms;
    const event = firstEvent(ledger).ms;
    const inside = JSON.parse(firstEvent(ledger, 'times').stdout);
    if (index >= 0) starts.push({ bare, empty, event, inside });
  }
  return starts;
}

/** What a program with the logger has loaded that a bare one has not. */
function nativeLibraries(ledger) {
  const bare = new Set(
    JSON.parse(run(['-p', 'JSON.stringify(process.report.getReport().sharedObjects)']).stdout),
  );
  const loaded = JSON.parse(firstEvent(ledger, 'libraries').stdout);
  return loaded.filter((library) => !bare.has(library));
}

function startReport(starts, libraries) {
  const of = (pick) => median(starts.map(pick)).toFixed(1);
  const more = median(starts.map(({ bare, event }) => event - bare));
  const rows = [
    ['`node -e 0`', of(({ bare }) => bare)],
    ['an empty ES module', of(({ empty }) => empty)],
    ['import `runfold/logger`, create, first event on the disk, end', of(({ event }) => event)],
    ['… of it the import', of(({ inside }) => inside.import)],
    ['… of it `create`, `log` and `flush`', of(({ inside }) => inside.event)],
  ];
  const found =
    libraries.length === 0 ? 'none' : libraries.map((library) => path.basename(library)).join(', ');
  return [
    `Start-up, milliseconds, median of ${STARTS}, in turn:`,
    table(['a whole process', 'ms'], rows),
    `- More than \`node -e 0\`, pair by pair: ${more.toFixed(1)} ms; target below ${TARGET_START_MS} ms: ` +
      `${verdict(more < TARGET_START_MS)}.\n` +
      `- Shared libraries that it loads and \`node -e 0\` does not: ${found}; target none: ` +
      `${verdict(libraries.length === 0)}.`,
  ];
}
