// What one log() costs a training program in Python, and what importing the client does.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { bench, entry, here, isQuick, median, rotated, table, verdict } from './lib.mjs';

const { createLedger } = await import(entry('runfold'));
const NAME = process.env.RUNFOLD_BENCH_PYTHON ?? 'python3';
/** The program itself: what bears its name may be a script that looks for it. */
const PYTHON =
  spawnSync(NAME, ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).stdout?.trim() || NAME;
const CLIENT = here('../clients/python');
const ROUNDS = isQuick ? 1 : 5;
const STARTS = isQuick ? 3 : 25;
const TARGET_US = 15;
const TARGET_IMPORT_MS = 40;

/** Calls that count and calls before them, of each way. */
const WAYS = {
  log: { name: '`run.log()`', calls: 50_000, warmUp: 5_000 },
  paced: { name: '`run.log()`, one every 2 ms', calls: 2_000, warmUp: 200 },
  logging: { name: '`logging` to a file', calls: 50_000, warmUp: 5_000 },
  dumps: { name: '`json.dumps` alone', calls: 50_000, warmUp: 5_000 },
};

/** Compiled modules are kept where they go away again, as those of an installed package are kept beside it. */
function environment(directory) {
  const { PYTHONDONTWRITEBYTECODE: _, ...env } = process.env;
  for (const name of ['RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK']) delete env[name];
  return {
    ...env,
    PYTHONPYCACHEPREFIX: path.join(directory, 'pycache'),
    RUNFOLD_DIR: path.join(directory, 'ledger'),
    TMPDIR: directory,
  };
}

function python(args, env, cwd) {
  const from = performance.now();
  const { status, stdout, stderr, error } = spawnSync(PYTHON, args, { encoding: 'utf8', env, cwd });
  if (status !== 0) throw error ?? new Error(`${PYTHON} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return { ms: performance.now() - from, stdout };
}

await bench('Logging from Python', async ({ directory }) => {
  createLedger(path.join(directory, 'ledger'));
  const env = environment(directory);
  const version = python(['--version'], env, directory).stdout.trim();
  const figures = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const way of rotated(Object.keys(WAYS), round)) {
      const { calls, warmUp } = WAYS[way];
      const sizes = [calls, warmUp].map((size) => String(isQuick ? size / 20 : size));
      const args = [here('./parts/python_log.py'), way, ...sizes, directory, CLIENT];
      figures[way].push(JSON.parse(python(args, env, directory).stdout));
    }
  }
  return [...callReport(figures, version), ...importReport(env, directory)];
});

function callReport(figures, version) {
  const of = (way, field) => median(figures[way].map((figure) => figure[field]));
  const rows = Object.entries(WAYS).map(([way, { name }]) => [
    name,
    ...['median', 'p99', 'max', 'mean'].map((field) => of(way, field).toFixed(of(way, field) < 100 ? 2 : 0)),
  ]);
  const typical = of('log', 'median');
  const least = Math.min(...figures.log.map((figure) => figure.median));
  return [
    `${version}. Microseconds of one call with five metrics and a step, less the timer’s own; median of ${ROUNDS} ` +
      `processes each.`,
    table(['', 'median', 'p99', 'max', 'mean'], rows),
    `- Median of \`run.log()\`: ${typical.toFixed(2)} µs (best process ${least.toFixed(2)}), ` +
      `${(typical / of('logging', 'median')).toFixed(2)} of \`logging\`, ` +
      `${(typical / of('dumps', 'median')).toFixed(2)} of \`json.dumps\`; ` +
      `target at most ${TARGET_US} µs: ${verdict(typical <= TARGET_US)}.`,
  ];
}

function importReport(env, directory) {
  const withClient = { ...env, PYTHONPATH: CLIENT };
  const pairs = [];
  for (let index = -1; index < STARTS; index += 1) {
    const bare = python(['-c', 'pass'], withClient, directory).ms;
    const imported = python(['-c', 'import runfold'], withClient, directory).ms;
    const logged = python(
      ['-c', 'import runfold; runfold.init(dataset="d").log({"x": 1})'],
      withClient,
      directory,
    ).ms;
    // the first one compiles
    if (index >= 0) pairs.push({ bare, imported, logged });
  }
  const of = (name) => median(pairs.map((pair) => pair[name])).toFixed(1);
  const more = median(pairs.map(({ bare, imported }) => imported - bare));
  return [
    `A whole process, milliseconds, median of ${STARTS}, in turn:`,
    table(
      ['a whole process', 'ms'],
      [
        ['`python3 -c pass`', of('bare')],
        ["`python3 -c 'import runfold'`", of('imported')],
        ['import, `init`, `log`, and the end: all on the disk', of('logged')],
      ],
    ),
    `- More than \`python3 -c pass\`, pair by pair: ${more.toFixed(1)} ms; ` +
      `target at most ${TARGET_IMPORT_MS} ms: ${verdict(more <= TARGET_IMPORT_MS)}.`,
  ];
}
