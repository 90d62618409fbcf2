// Hours of what can happen to a log and to who reads it, and then the proof that nothing is missing:
//
//   npm run build && node scripts/soak.mjs --minutes 10 [--writers 2000] [--seed N] [--dir PARENT] [--keep]
//
// Writers: a crowd of appenders, a few processes that each hold hundreds of live files and follow the rules of
// docs/events.md; and short runs of the three clients, real processes. Two `watch` follow the log: one is killed,
// stopped and continued, the other is left alone and measured. Writers are killed; the log is unmounted (as root) or
// renamed away, and comes back. Exit code 1: `verify` has failed, a line is missing that an fsync had returned for, a
// query has failed although the log was there, or a slope is beyond its bound.
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeClients } from './soak/clients.mjs';
import { builtFile, builtModule, Random } from './soak/lib.mjs';
import { missingIn } from './soak/missing.mjs';
import { SoakPlace } from './soak/place.mjs';
import { Probe } from './soak/probe.mjs';
import { Processes } from './soak/processes.mjs';

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    hours: { type: 'string' },
    writers: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    dir: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const DURATION_MS = (flags.hours === undefined ? Number(flags.minutes) : Number(flags.hours) * 60) * 60_000;
const WRITERS = Number(flags.writers);
const WRITERS_OF_A_PROCESS = 125;
/** Slopes are of what comes after this part of the time. */
const WARM_UP = 0.3;
const CLIENTS_AT_ONCE = 3;
/** Mean seconds from one to the next. */
const EVERY = { watchKill: 45, stop: 40, crowdKill: 150, away: 75, clientKill: 20, query: 6 };
const QUERIES = [
  'runs --limit 5',
  'status',
  'errors',
  'leaderboard loss',
  'runs --status running --limit 20',
];
const CROWD = fileURLToPath(new URL('soak/crowd.mjs', import.meta.url));
const CLI = builtFile('cli/main.js');

const random = new Random(Number(flags.seed));
const processes = new Processes();
const place = new SoakPlace(flags.dir);
const acknowledged = {
  crowd: path.join(place.dir, 'crowd.ack'),
  clients: path.join(place.dir, 'clients.ack'),
};
const [live, steadyDb] = ['runs.db', 'steady.db'].map((name) => path.join(place.databases, name));
const counts = { watchKills: 0, stops: 0, writerKills: 0, crowdKills: 0, away: 0, queries: 0, clientRuns: 0 };
const failures = [];
const env = { ...process.env, TMPDIR: place.spool, RUNFOLD_DIR: place.ledger };
for (const name of Object.keys(env)) if (/^(?:SLURM_|RANK$|RUNFOLD_(?!DIR))/.test(name)) delete env[name];

const ending = new AbortController();
// whatever fails, what was started is ended and what was mounted is unmounted
process.on('unhandledRejection', (error) => {
  failures.push(`the soak itself: ${error?.stack ?? error}`);
  ending.abort();
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ending.abort());

const runfold = (args, db) =>
  processes.start(process.execPath, [CLI, ...args, '--db', db], { env, cwd: place.dir });

/** A `watch` that is started again however it ends, as by systemd or a loop in a shell. */
class Watch {
  constructor(db) {
    this.db = db;
    this.start();
  }

  start() {
    this.child = runfold(['watch', '--quiet'], this.db);
    void this.#startAgain(this.child);
  }

  async #startAgain(child) {
    const { code, signal } = await child.ended;
    if (processes.isEnding) return;
    // without the log, or while a query holds the database, it ends with 1 and is tried again
    if (code !== 1 && signal !== 'SIGKILL')
      failures.push(`watch ended with ${code} ${signal}: ${child.said}`);
    await sleep(300);
    if (!processes.isEnding) this.start();
  }
}

const crowds = [];
function startCrowd(writers) {
  const seed = String(random.below(2 ** 31));
  const child = processes.start(
    process.execPath,
    [CROWD, place.ledger, String(writers), seed, acknowledged.crowd],
    { env },
  );
  child.writers = writers;
  crowds.push(child);
  void (async () => {
    const { code, signal } = await child.ended;
    crowds.splice(crowds.indexOf(child), 1);
    if (!processes.isEnding && signal !== 'SIGKILL')
      failures.push(`a crowd ended with ${code}: ${child.said}`);
    if (!processes.isEnding) startCrowd(writers);
  })();
}

const clients = [];
function startClient(commands) {
  const [command, ...args] = commands[random.pick(Object.keys(commands))];
  const run = [String(random.below(2 ** 31)), String(5 + random.below(30)), acknowledged.clients];
  const child = processes.start(command, [...args, ...run], { env, cwd: place.dir });
  counts.clientRuns += 1;
  clients.push(child);
  void (async () => {
    const { code, signal } = await child.ended;
    clients.splice(clients.indexOf(child), 1);
    if (!processes.isEnding && signal !== 'SIGKILL' && code !== 0)
      failures.push(`${command} ended with ${code}: ${child.said}`);
  })();
}

async function query() {
  const since = Date.now();
  const wasAway = place.awaySince !== undefined;
  const words = random.pick(QUERIES).split(' ');
  const child = runfold([...words, '--json'], live);
  counts.queries += 1;
  const { code } = await child.ended;
  const isDisturbed =
    wasAway || place.awaySince !== undefined || (place.backSince ?? 0) >= since || processes.isEnding;
  if (code !== 0 && !isDisturbed)
    failures.push(`runfold ${words.join(' ')} ended with ${code}: ${child.said}`);
}

async function stopForAWhile(child) {
  counts.stops += 1;
  child.kill('SIGSTOP');
  await sleep(1000 + random.below(4000));
  child.kill('SIGCONT');
}

async function awayForAWhile() {
  counts.away += 1;
  place.takeAway(random);
  await sleep(3000 + random.below(5000), undefined, { signal: ending.signal }).catch(() => undefined);
  place.bringBack();
}

/** What may happen in a second. */
function disturb(watch, commands) {
  if (random.happensEvery(EVERY.watchKill)) {
    counts.watchKills += 1;
    watch.child.kill('SIGKILL');
  }
  if (random.happensEvery(EVERY.stop)) void stopForAWhile(random.pick([watch.child, ...crowds, ...clients]));
  if (random.happensEvery(EVERY.crowdKill)) {
    counts.crowdKills += 1;
    random.pick(crowds)?.kill('SIGKILL');
  }
  if (random.happensEvery(EVERY.clientKill) && clients.length > 0) {
    counts.writerKills += 1;
    random.pick(clients).kill('SIGKILL');
  }
  if (place.awaySince === undefined && random.happensEvery(EVERY.away)) void awayForAWhile();
  if (random.happensEvery(EVERY.query)) void query();
  if (clients.length < CLIENTS_AT_ONCE) startClient(commands);
}

function isCalm(since) {
  return place.awaySince === undefined && (place.backSince ?? 0) + 5000 < since;
}

/** Again and again while the soak runs; what cannot be measured just now is measured the next time. */
async function measure(look) {
  while (!processes.isEnding) {
    try {
      await look();
    } catch (error) {
      // the log has just been taken away, or the watch is not up
      if (error.code === undefined) throw error;
    }
    await sleep(2000);
  }
}

async function measureLag(probe) {
  const since = Date.now();
  if (isCalm(since)) await probe.lag(() => isCalm(since));
}

async function finish() {
  await processes.endAll();
  place.bringBack();
  let isFine = true;
  for (const db of [live, steadyDb]) {
    const name = path.basename(db);
    const sync = runfold(['sync', '--thorough'], db);
    const synced = await sync.ended;
    const check = runfold(['verify'], db);
    const verified = await check.ended;
    const { missing, crowd, real, points, files } = missingIn(db, acknowledged);
    console.log(
      `${name}: ${points} points, files ${JSON.stringify(files)}; sync ${synced.code}, verify ${verified.code}: ${check.printed.trim()}`,
    );
    console.log(
      `${name}: ${crowd} lines of the crowd and ${real} of the clients were acknowledged, ${missing.length} of them are missing ${missing.slice(0, 3).join('; ')}`,
    );
    isFine &&= synced.code === 0 && verified.code === 0 && missing.length === 0 && crowd > 0 && real > 0;
  }
  return isFine;
}

async function main() {
  const { createLedger } = await builtModule('events/ledger.js');
  createLedger(place.ledger);
  console.log(
    `seed ${flags.seed}, ${WRITERS} live files, ${DURATION_MS / 60_000} min, ${place.isMounted ? 'unmounts and renames' : 'renames'}; ${place.dir}`,
  );
  console.log(
    `${os.cpus().length} × ${os.cpus()[0]?.model ?? 'unknown'}, Node ${process.version}, load ${os.loadavg()[0].toFixed(1)}`,
  );
  const commands = writeClients(place.dir);
  const steady = new Watch(steadyDb);
  const watch = new Watch(live);
  for (let left = WRITERS; left > 0; left -= WRITERS_OF_A_PROCESS)
    startCrowd(Math.min(left, WRITERS_OF_A_PROCESS));
  const probe = new Probe(steadyDb, place.ledger);
  const startMs = Date.now();
  const measuring = Promise.all([
    measure(() => probe.look(steady.child.pid)),
    measure(() => measureLag(probe)),
  ]);
  for (let second = 1; Date.now() - startMs < DURATION_MS && !ending.signal.aborted; second += 1) {
    disturb(watch, commands);
    await sleep(Math.max(0, startMs + second * 1000 - Date.now()), undefined, {
      signal: ending.signal,
    }).catch(() => undefined);
    if (second % 30 === 0) {
      const [rss, lag] = ['RSS', 'lag'].map((name) => probe.samples[name].at(-1)?.[1].toFixed(2) ?? '–');
      console.log(
        `${second} s: ${JSON.stringify(counts)}, RSS ${rss} MB, lag ${lag} s, ${failures.length} failures, load ${os.loadavg()[0].toFixed(1)}`,
      );
    }
  }
  const isProven = await finish();
  await measuring;
  probe.close();
  if (probe.late > 0)
    failures.push(`${probe.late} lines were not visible within a minute, though the log was there`);
  const { lines, isFine } = probe.report(startMs + DURATION_MS * WARM_UP);
  console.log(
    `${lines.join('\n')}\nlongest lag in calm: ${(probe.longestLagMs / 1000).toFixed(2)} s; load ${os.loadavg()[0].toFixed(1)}`,
  );
  for (const failure of failures) console.log(`FAILED: ${failure}`);
  const isAll = isProven && isFine && failures.length === 0;
  console.log(isAll ? 'all is well' : 'NOT all is well');
  return isAll ? 0 : 1;
}

try {
  process.exitCode = await main();
} finally {
  processes.killAll();
  if (flags.keep) console.log(`kept: ${place.dir}`);
  else place.remove();
}
