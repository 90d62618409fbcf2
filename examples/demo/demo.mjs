// The demo: trains for real on five public data sets, job by job as a cluster would, while `runfold watch` follows.
// Of the jobs one is killed, one throws, one diverges, one is requeued and resumes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createLedger, ExperimentDB, readLedger, RunfoldError } from 'runfold';
import { epochOfLine, jobArguments, jobs } from './jobs.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OUTPUT = join(ROOT, 'demo-output');
const LEDGER = join(OUTPUT, '.runfold');
const CHECKPOINTS = join(OUTPUT, 'checkpoints');
const CLI = join(ROOT, 'dist/cli/main.js');
const AT_ONCE = Math.max(2, availableParallelism());
const NEXT = [
  'show @last',
  "runs --dataset wine -w 'max.val/acc>=0.99' --sort -results.test_accuracy",
  'leaderboard test_accuracy --goal max --scale 100 --digits 1 --format latex',
  'plot f1 --dataset vehicle',
  "sql 'SELECT method, avg(final_f1) FROM experiment_runs JOIN run_results USING (run_id) GROUP BY 1'",
  'status',
  'verify',
];

await removeLastDemo();
mkdirSync(CHECKPOINTS, { recursive: true });
createLedger(LEDGER);
const env = { ...process.env, RUNFOLD_DIR: LEDGER };
const startedAt = Date.now();
say(`${jobs.length} jobs, ${AT_ONCE} at once; each logs into ${relative(process.cwd(), LEDGER)}`);

const watcher = spawn(process.execPath, [CLI, 'watch'], {
  env,
  stdio: ['ignore', 'ignore', 'pipe'],
});
const watcherSays = createInterface({ input: watcher.stderr });
await once(watcherSays, 'line');

let ended = 0;
const waiting = [...jobs];
await Promise.all(Array.from({ length: AT_ONCE }, work));
progress('');

watcher.kill('SIGTERM');
if (watcher.exitCode === null) await once(watcher, 'exit');
await report();

async function work() {
  for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
    await runJob(job);
    ended += 1;
    progress(`${ended} of ${jobs.length} jobs ended, ${Math.round((Date.now() - startedAt) / 1000)} s`);
  }
}

/** @param {import('./jobs.mjs').Job} job */
async function runJob(job) {
  await runOnce(job, job.kill);
  if (job.restart) await runOnce(job, undefined);
}

/**
 * @param {import('./jobs.mjs').Job} job
 * @param {import('./jobs.mjs').Job['kill']} kill
 */
async function runOnce(job, kill) {
  const child = spawn(process.execPath, jobArguments(job, CHECKPOINTS), {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (kill && epochOfLine(line) === kill.atEpoch) child.kill(kill.signal);
  });
  await once(child, 'exit');
}

/** The commands that somebody would type now, with what they print. */
async function report() {
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  say(`${jobs.length} jobs have ended after ${seconds} s. What has become of them:`);
  await show('runs', '--limit', '8');
  await show('runs', '--status', 'failed,running');
  await show('errors');
  await show('leaderboard', 'test_accuracy', '--goal', 'max');
  await show('plot', 'val/loss', '--dataset', 'digits', '--log', '--height', '12');
  say(`\nGo on with:\n  export RUNFOLD_DIR=${LEDGER}`);
  for (const command of NEXT) say(`  npx runfold ${command}`);
}

/** @param {string[]} args */
async function show(...args) {
  const [before, after] =
    process.stdout.isTTY && !process.env['NO_COLOR'] ? ['\u001b[1m', '\u001b[0m'] : ['', ''];
  say(`\n${before}$ runfold ${args.join(' ')}${after}`);
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) process.exitCode = 1;
}

/** The log of the last demo and the database that was made of it. */
async function removeLastDemo() {
  if (!existsSync(OUTPUT)) return;
  try {
    const { file } = await ExperimentDB.open({ ledger: readLedger(LEDGER).path });
    for (const suffix of ['', '-wal', '-shm', '.lock']) rmSync(file + suffix, { force: true });
  } catch (error) {
    // a demo that was cut off before it had made its ledger
    if (!(error instanceof RunfoldError)) throw error;
  }
  rmSync(OUTPUT, { recursive: true });
}

/** @param {string} line */
function say(line) {
  process.stdout.write(`${line}\n`);
}

/** @param {string} line */
function progress(line) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
}
