// All that needs a real cluster, one after the other: they share it.
import { afterAll, beforeAll, describe } from 'vitest';
import { describeEnds } from './ends.ts';
import { Lab, whyNoLab } from './lab.ts';
import { describeOutages } from './outages.ts';
import { describeSweeps } from './sweeps.ts';

const reason = whyNoLab();

describe.skipIf(reason !== undefined)(
  `on a real SLURM cluster${reason === undefined ? '' : `: ${reason}`}`,
  () => {
    const lab = new Lab();
    beforeAll(() => lab.start(), 180_000);
    afterAll(() => lab.stop(), 120_000);

    describeEnds(lab);
    describeOutages(lab);
    describeSweeps(lab);
  },
);
