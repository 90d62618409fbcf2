// The projector in a simulated world that lies, fails, hangs and dies: the tables are those of the durable lines.
import { expect, test } from 'vitest';
import { seedOfThisRun } from '../process/random.ts';
import { simulate } from './simulate.ts';

/** More of them: npm run simulate. */
const HISTORIES = 500;
const SEED = seedOfThisRun();

test(`incremental = another projector's = rebuilt = model, over ${HISTORIES} histories (seed ${SEED})`, async () => {
  const coverage = await simulate({ histories: HISTORIES, seed: SEED });
  // what did not happen was not tested
  expect(coverage.missed).toEqual([]);
}, 600_000);
