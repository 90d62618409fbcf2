// Fills a database with runs and their jobs, and asks it.
import { pathToFileURL } from 'node:url';
import { ulidOf } from '../ledger.mjs';
import { built, entry, partArguments } from '../lib.mjs';

const { openForWriting } = await import(pathToFileURL(built('./db/open.js')));
const query = await import(entry('runfold/query'));
const { db: file, runs, rounds } = partArguments();

const NOW = Date.UTC(2026, 10, 23);
const ARRAY = 500;
const ENDS = [
  ...Array.from({ length: 88 }, () => ['COMPLETED', 'completed']),
  ...Array.from({ length: 4 }, () => ['FAILED', 'failed']),
  ...Array.from({ length: 3 }, () => ['OUT_OF_MEMORY', 'failed']),
  ['TIMEOUT', 'timeout'],
  // nobody has asked SLURM
  ['RUNNING', 'completed'],
  ['RUNNING', 'running'],
  ['PENDING', 'pending'],
  ['CANCELLED by 1001', 'running'],
];
const timeOf = (ms) => new Date(ms).toISOString();

function fill(db) {
  const insert = (name, row) => {
    const columns = Object.keys(row);
    const text = `INSERT INTO ${name} (${columns.join()}) VALUES (${columns.map((column) => `@${column}`).join()})`;
    (statements[text] ??= db.prepare(text)).run(row);
  };
  const statements = {};
  db.transaction(() => {
    for (let number = 0; number < runs; number += 1)
      for (const [name, row] of rowsOf(number)) insert(name, row);
  })();
}

function* rowsOf(number) {
  const run_id = `r${String(number).padStart(15, '0')}`;
  const [state, status] = ENDS[number % ENDS.length];
  const created = NOW - (runs - number) * 1000;
  const isOver = status !== 'running' && status !== 'pending';
  const started_at = status === 'pending' ? null : timeOf(created);
  const finished_at = isOver ? timeOf(created + 3_600_000) : null;
  yield ['experiment_runs', { run_id, experiment_number: 1, dataset: `d${number % 5}`, method: `m${number % 20}`, seed: number, status, config: '{}', tags: '[]', hidden: 0, attempt_count: 1, created_at: timeOf(created), started_at, finished_at }]; // prettier-ignore
  const isTwice = number % 100 === 50;
  const isInArray = number % 3 !== 0;
  // the second of two runs of one job has the number after that of the first
  const isShared = number % 100 === 20 || number % 100 === 21;
  const jobNumber = isShared ? number - (number % 100) + 20 : number;
  const job = { run_id, job_id: String(1_000_000 + jobNumber), array_job_id: null, array_task_id: null };
  if (isInArray && !isShared) {
    job.array_job_id = String(9_000_000 + Math.floor(number / ARRAY));
    job.array_task_id = String(number % ARRAY);
  }
  for (const restart_count of isTwice ? [0, 1] : [0]) {
    const attempt = ulidOf(created, number * 2 + restart_count);
    const isLast = restart_count === 1 || !isTwice;
    yield ['_attempts', { run_id, position: restart_count, attempt, resume: 0, in_view: 1, created_at: timeOf(created), status: isLast ? status : 'failed', started_at, finished_at, config: '{}' }]; // prettier-ignore
    const isEnded = state !== 'RUNNING' && state !== 'PENDING';
    yield ['slurm_jobs', { ...job, restart_count, attempt, state: isLast ? state : 'REQUEUED', partition: 'gpu', node_list: `node${number % 64}`, cpus: 8, gpus: 1, memory_mb: 32_768, max_rss_mb: isEnded ? 20_000 : null, cpu_seconds: isEnded ? 20_000 : null, time_limit_seconds: 86_400, submitted_at: timeOf(created - 60_000), started_at, ended_at: isEnded || !isLast ? timeOf(created + 3_600_000) : null }]; // prettier-ignore
  }
}

const writing = openForWriting(file);
fill(writing);
const jobs = writing
  .prepare('SELECT count(DISTINCT ifnull(array_job_id, job_id)) FROM slurm_jobs')
  .pluck()
  .get();
writing.close();

const db = query.openQuery(file);
const bare = db.prepare(
  `SELECT count(*), sum(j.cpus) FROM experiment_runs r JOIN slurm_jobs j ON j.run_id = r.run_id
   LEFT JOIN _attempts a ON a.run_id = j.run_id AND a.attempt = j.attempt GROUP BY j.state, a.status`,
);
const QUESTIONS = {
  bare: () => bare.all(),
  hours: () => query.getJobHours(db, { now: NOW }),
  filtered: () => query.getJobHours(db, { now: NOW, method: 'm3' }),
  page: () => query.getJobs(db, { now: NOW, limit: 50 }),
  all: () => query.getJobs(db, { now: NOW }),
};
const figures = {};
for (const [name, ask] of Object.entries(QUESTIONS)) {
  figures[name] = [];
  for (let round = -1; round < rounds; round += 1) {
    const from = performance.now();
    const answer = ask();
    if (answer.length === 0) throw new Error(`${name}: no answer`);
    if (round >= 0) figures[name].push(performance.now() - from);
  }
}
console.log(JSON.stringify({ figures, jobs }));
