// What `runfold slurm refresh` costs where very many jobs are live: its calls of SLURM, and its own CPU time.
import path from 'node:path';
import { FakeSlurm, makeLog, someJobs } from './fake-slurm.mjs';
import { bench, built, isQuick, median, start, table, verdict } from './lib.mjs';

const JOBS = isQuick ? 50 : 1000;
const ROUNDS = isQuick ? 1 : 5;
const TARGET_CALLS = 3;
const TARGET_CPU_SECONDS = 2;

const WAYS = {
  node: '`node -e 0`',
  read: '`runfold sync`: the log is new',
  first: '`runfold slurm refresh`: all of it is new',
  idleSync: '`runfold sync`: nothing new',
  idle: '`runfold slurm refresh`: nothing new',
};

await bench('Asking SLURM', async ({ directory, children }) => {
  const figures = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    const once = await measure(path.join(directory, String(round)), { directory, children });
    for (const way of Object.keys(WAYS)) figures[way].push(once[way]);
  }
  return report(figures);
});

async function measure(home, options) {
  const jobs = someJobs(JOBS, Date.now());
  const ledger = path.join(home, 'ledger');
  makeLog(ledger, jobs);
  const slurm = new FakeSlurm(path.join(home, 'bin'));
  slurm.answer(jobs);
  const place = ['--json', '--ledger', ledger, '--db', path.join(home, 'live.db')];
  const run = async (args) => {
    const { stdout, ...usage } = await start(args, {
      ...options,
      env: slurm.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).exited;
    return { ...usage, stdout };
  };
  const runfold = async (...words) => {
    const { stdout, ...usage } = await run([built('./cli/main.js'), ...words, ...place]);
    return { ...usage, said: JSON.parse(stdout) };
  };

  const node = await run(['-e', '0']);
  const read = await runfold('sync');
  const first = await runfold('slurm', 'refresh');
  const firstCalls = slurm.takeCalls(jobs);
  const idleSync = await runfold('sync');
  const live = jobs.filter(({ end }) => end === undefined);
  slurm.answer(live);
  const idle = await runfold('slurm', 'refresh', '--force');
  const idleCalls = slurm.takeCalls(live);

  assertEqual(
    'jobs that have ended',
    first.said.jobs.filter((job) => job.has_ended).length,
    jobs.length - live.length,
  );
  assertEqual('jobs of the first refresh', first.said.jobs.length, jobs.length);
  assertEqual('jobs of the second refresh', idle.said.jobs.length, live.length);
  assertEqual('events where there is nothing new', idle.said.events + idleSync.said.events, 0);
  return {
    node,
    read: { ...read, events: read.said.events },
    first: { ...first, events: first.said.events, calls: firstCalls },
    idleSync: { ...idleSync, events: 0 },
    idle: { ...idle, events: 0, calls: idleCalls },
  };
}

function assertEqual(what, is, due) {
  if (is !== due) throw new Error(`${what}: ${is} instead of ${due}`);
}

function report(figures) {
  const medianOf = (way, field) => median(figures[way].map((figure) => figure[field]));
  const callsOf = (way) => {
    const { calls } = figures[way][0];
    return calls === undefined ? '' : String(calls.squeue + calls.sacct);
  };
  const calls = Math.max(
    ...[...figures.first, ...figures.idle].map(({ calls: { squeue, sacct } }) => squeue + sacct),
  );
  const cpu = Math.max(medianOf('first', 'cpuSeconds'), medianOf('idle', 'cpuSeconds'));
  return [
    `${JOBS.toLocaleString('en')} jobs whose end the log does not know, one tenth of them tasks of an array; about one in ` +
      'twenty has ended. `squeue` and `sacct` are scripts that print what SLURM would. Processes of their own, Node’s ' +
      `start included, the scripts’ CPU time not; median of ${ROUNDS}, each with a log of its own.`,
    table(
      ['', 'CPU seconds', 'best', 'seconds', 'peak RSS, MB', 'events', 'calls of SLURM'],
      Object.entries(WAYS).map(([way, name]) => [
        name,
        medianOf(way, 'cpuSeconds').toFixed(2),
        Math.min(...figures[way].map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
        medianOf(way, 'seconds').toFixed(2),
        Math.max(...figures[way].map(({ rssMb }) => rssMb)).toFixed(0),
        figures[way][0].events === undefined ? '' : figures[way][0].events.toLocaleString('en'),
        callsOf(way),
      ]),
    ),
    `- A refresh: ${calls} calls of SLURM; target at most ${TARGET_CALLS}: ${verdict(calls <= TARGET_CALLS)}. ` +
      `${cpu.toFixed(2)} s of CPU, the dearer of both; target below ${TARGET_CPU_SECONDS} s: ` +
      `${verdict(cpu < TARGET_CPU_SECONDS)}.`,
  ];
}
