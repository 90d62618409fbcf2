// Runs all benchmarks and puts what they say into docs/benchmarks.md. With --quick it prints it only.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { here, isQuick, load, machine } from './lib.mjs';

const NAMES = [
  'rebuild',
  'log',
  'python',
  'exec',
  'slurm-refresh',
  'visible',
  'idle-sync',
  'live-files',
  'memory',
  'job-hours',
  'answers',
];
const DOCUMENT = here('../docs/benchmarks.md');
const BEGIN = '<!-- figures: written by bench/run-all.mjs -->';
const END = '<!-- end of figures -->';
/** Others' work on the machine is waited for, up to a point: the load is printed with the figures. */
const CALM_MS = isQuick ? 0 : 5 * 60_000;

function isBusy() {
  return os.loadavg()[0] > os.cpus().length / 4;
}

async function calm() {
  for (const end = Date.now() + CALM_MS; isBusy() && Date.now() < end; await sleep(5_000));
}

function run(name) {
  const args = [here(`./${name}.mjs`), ...(isQuick ? ['--quick'] : [])];
  const env = { ...process.env, RUNFOLD_BENCH_ALL: '1' };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(text.trimEnd());
      else reject(new Error(`${name} could not measure`));
    });
  });
}

/** The tables' headings are one step below that of the document's section. */
async function figures() {
  const parts = [
    `Measured on ${new Date().toISOString().slice(0, 10)} with \`node bench/run-all.mjs\`: ${machine()}`,
  ];
  for (const name of NAMES) {
    console.error(`${name}: waiting for a calm machine (load average ${load()})`);
    await calm();
    console.error(`${name}: running`);
    const text = await run(name);
    parts.push(text.replace('## ', '### ').replace('\n', `\n\n\`node bench/${name}.mjs\`\n`));
  }
  return parts.join('\n\n');
}

function put(text) {
  const document = readFileSync(DOCUMENT, 'utf8');
  const from = document.indexOf(BEGIN);
  const to = document.indexOf(END);
  if (from === -1 || to < from)
    throw new Error(`${DOCUMENT} has no place for the figures: ${BEGIN} … ${END}`);
  writeFileSync(DOCUMENT, `${document.slice(0, from)}${BEGIN}\n\n${text}\n\n${document.slice(to)}`);
}

try {
  const text = await figures();
  console.log(text);
  if (!isQuick) put(text);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
