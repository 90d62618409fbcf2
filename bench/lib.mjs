// What the benchmarks share: where the build is, child processes and what they used, tables, the machine.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Another build than dist/, for those who work on the sources at the same time. */
const BUILD = process.env.RUNFOLD_BENCH_BUILD;
/** Where ledgers and databases are made; the system's temporary directory may be in memory. */
const PARENT = process.env.RUNFOLD_BENCH_DIR ?? os.tmpdir();
const USAGE = new URL('./parts/usage.mjs', import.meta.url).href;
const ENTRIES = {
  runfold: 'index.js',
  'runfold/logger': 'logger.js',
  'runfold/projector': 'projector/index.js',
  'runfold/query': 'query/index.js',
};

export const isQuick = process.argv.includes('--quick');

/** The URL of `runfold`, `runfold/logger` or `runfold/projector`. */
export function entry(name) {
  return BUILD === undefined
    ? import.meta.resolve(name)
    : pathToFileURL(path.resolve(BUILD, ENTRIES[name])).href;
}

/** The file of a module of the build that is no entry. */
export function built(file) {
  return fileURLToPath(new URL(file, entry('runfold')));
}

/** A path beside the benchmarks. */
export function here(file) {
  return fileURLToPath(new URL(file, import.meta.url));
}

/** Runs a benchmark, and removes its files whatever happens. Exit code 1: it could not measure. */
export async function bench(title, measure) {
  const directory = mkdtempSync(path.join(PARENT, 'runfold-bench-'));
  const children = new Set();
  const end = () => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  const cutOff = () => {
    end();
    process.exit(1);
  };
  process.once('SIGINT', cutOff).once('SIGTERM', cutOff);
  try {
    const before = load();
    const parts = await measure({ directory, children });
    const calm = `Load average before ${before}, after ${load()}.`;
    const machineLine = process.env.RUNFOLD_BENCH_ALL === undefined ? `${machine()} ` : '';
    console.log([`## ${title}`, ...parts, `${machineLine}${calm}`].join('\n\n') + '\n');
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    end();
  }
}

export function load() {
  return os
    .loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
}

export function machine() {
  const cpus = os.cpus();
  const gigabytes = (os.totalmem() / 2 ** 30).toFixed(0);
  const cores = cpus.length === 1 ? '1 core' : `${cpus.length} cores`;
  return `${cpus[0]?.model.trim() ?? 'unknown CPU'}, ${cores}, ${gigabytes} GB, Node ${process.version}, ${os.type()} ${os.release()}.`;
}

/** Starts a program of Node that will say what it used; `exited` gives that. */
export function start(
  args,
  { children, directory, env = {}, stdio = ['ignore', 'ignore', 'pipe'], nodeArgs = [] },
) {
  const usageFile = path.join(directory, `usage-${process.hrtime.bigint()}.json`);
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...nodeArgs, '--import', USAGE, ...args], {
    stdio,
    env: { ...process.env, ...env, RUNFOLD_BENCH_USAGE: usageFile },
  });
  children?.add(child);
  let stderr = '';
  let stdout = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text));
  child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
  const exited = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const seconds = (performance.now() - startedAt) / 1000;
      children?.delete(child);
      if (code !== 0) return reject(new Error(`${args.join(' ')} ended with ${signal ?? code}: ${stderr}`));
      resolve({ seconds, stdout, stderr, ...JSON.parse(readFileSync(usageFile, 'utf8')) });
    });
  });
  return { child, exited };
}

/** Runs the command line of the build to its end: seconds, cpuSeconds, rssMb. */
export function runfold(args, options) {
  return start([built('./cli/main.js'), ...args], options).exited;
}

/** Runs a part in a process of its own; its standard output is JSON. */
export async function part(file, args, options) {
  const { stdout, ...usage } = await start([here(`./parts/${file}`), JSON.stringify(args)], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).exited;
  return { ...usage, ...JSON.parse(stdout) };
}

/** The CPU time that a process has used so far, to a hundredth of a second; of Linux. */
export function cpuSecondsOf(pid) {
  // the name, in parentheses, may hold spaces
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const [user, system] = [fields[11], fields[12]].map(Number);
  return (user + system) / 100;
}

export const partArguments = () => JSON.parse(process.argv[2] ?? '{}');

/** Nearest rank: a value that did occur. */
export function quantile(values, fraction) {
  const order = Float64Array.from(values).toSorted();
  return order[Math.min(order.length - 1, Math.max(0, Math.ceil(fraction * order.length) - 1))];
}

export function median(values) {
  return quantile(values, 0.5);
}

function tableRow(cells) {
  return `| ${cells.join(' | ')} |`;
}

export function table(head, rows) {
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [tableRow(head), tableRow(rule), ...rows.map(tableRow)].join('\n');
}

/** Whether a target was met, as it is printed. */
export function verdict(isMet) {
  if (isQuick) return 'not judged with --quick';
  return isMet ? 'met' : '**missed**';
}

/** So that no variant always comes first. */
export function rotated(items, by) {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
