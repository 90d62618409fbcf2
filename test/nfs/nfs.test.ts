// All that needs real NFS, one after the other: they share the machines.
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { describeExec } from './exec.ts';
import { describeFire } from './fire.ts';
import { describeSilence } from './silence.ts';
import { Lab, whyNoLab } from './lab.ts';

const reason = whyNoLab();

describe.skipIf(reason !== undefined)(`on real NFS${reason === undefined ? '' : `: ${reason}`}`, () => {
  const lab = new Lab();
  beforeAll(() => lab.start(), 300_000);
  afterAll(() => lab.stop(), 60_000);

  // each waits for minutes for what does not come, and they follow each other
  let hasFailed = false;
  beforeEach(({ skip, onTestFailed }) => {
    skip(hasFailed, 'a test before it has failed');
    onTestFailed(() => void (hasFailed = true));
  });

  describeSilence(lab);
  describeExec(lab);
  describeFire(lab);
});
