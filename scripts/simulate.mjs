// Simulated histories of a log on NFS, thousands of them: npm run simulate -- --histories 10000 --seed 1
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    histories: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    // of a failure: that history alone
    path: { type: 'string' },
  },
});
const { histories, seed, path } = values;
if (!/^\d+$/.test(histories) || !/^\d+$/.test(seed)) {
  console.error('--histories and --seed are whole numbers');
  process.exit(2);
}
console.error(
  path === undefined ? `${histories} histories from seed ${seed}` : `history ${path} of seed ${seed}`,
);
const vitest = spawn(
  'npx',
  ['vitest', 'run', 'test/simulation/simulation.test.ts', '--disable-console-intercept'],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      RUNFOLD_HISTORIES: histories,
      RUNFOLD_SEED: seed,
      RUNFOLD_PROGRESS: '1',
      ...(path !== undefined && { RUNFOLD_HISTORY_PATH: path }),
    },
  },
);
vitest.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
