// The projector in a simulated world that lies, fails, hangs and dies: the tables are those of the durable lines.
import { expect, test } from 'vitest';
import { seedOfThisRun } from '../process/random.ts';
import { simulate } from './simulate.ts';

/** `npm run simulate` asks for more of them, or for one again. */
const HISTORIES = Number(process.env['RUNFOLD_HISTORIES'] ?? 500);
const HISTORY_PATH = process.env['RUNFOLD_HISTORY_PATH'];
const SEED = seedOfThisRun();
/** So many that everything must have happened; in a tenth of them the rarest few may not have. */
const ENOUGH = 5000;
const RAREST = 3;

test(
  `incremental = another projector's = rebuilt = model, over ${HISTORIES} histories (seed ${SEED})`,
  async () => {
    const coverage = await simulate({
      histories: HISTORIES,
      seed: SEED,
      path: HISTORY_PATH,
      onProgress: (done, nextSeed) => {
        if (process.env['RUNFOLD_PROGRESS'] === undefined) return;
        const { user, system } = process.cpuUsage();
        const seconds = Math.round((user + system) / 1e6);
        process.stderr.write(
          `${done} of ${HISTORIES} histories hold, ${seconds} s of CPU; next seed ${nextSeed}\n`,
        );
      },
    });
    // what did not happen was not tested
    if (HISTORY_PATH !== undefined) return;
    if (HISTORIES >= ENOUGH) expect(coverage.missed).toEqual([]);
    else if (HISTORIES >= ENOUGH / 10) expect(coverage.missed.slice(RAREST)).toEqual([]);
  },
  24 * 60 * 60_000,
);
