import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Begun last, the longest would be waited for when all else is done. */
const FIRST = [
  'test/nfs/nfs.test.ts',
  'test/slurm/slurm.test.ts',
  'test/process/python-client.test.ts',
  'test/conformance/calls.test.ts',
  'test/process/projector-kill.test.ts',
  'test/faults/sql.test.ts',
  'test/simulation/simulation.test.ts',
  'test/law/law.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = FIRST.findIndex((name) => moduleId.endsWith(name));
      return at === -1 ? FIRST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 120_000,
    // many tests wait for processes, and one file for a cluster: three at once also where there are two processors
    maxWorkers: Math.max(3, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
  },
});
