import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 120_000,
    // many tests wait for processes: three at once also where there are two processors
    maxWorkers: Math.max(3, availableParallelism() - 1),
  },
});
