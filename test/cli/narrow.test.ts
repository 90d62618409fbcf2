// runfold runs in a narrow terminal, as a command.
import { expect, test } from 'vitest';
import { Desk, ndjson } from './command.ts';

async function desk(): Promise<Desk> {
  const made = await Desk.withLog();
  const events = ['mlp', 'forest'].flatMap((method) => [
    { type: 'run_created', dataset: 'iris', method, seed: 1, tags: ['base'] },
    { type: 'status_changed', status: 'running' },
    { type: 'metric', elapsed_seconds: 1, epoch: 1, loss: 0.5, f1: 0.8, extra: { 'val/acc': 0.7 } },
    { type: 'result', results: { test_acc: 0.75 } },
    { type: 'status_changed', status: 'completed' },
  ]);
  await made.run(['emit', '-'], { stdin: ndjson(...events) });
  return made;
}

test('fits the terminal, and says which columns have no room in it', async () => {
  const at = await desk();
  for (const columns of [80, 60, 40]) {
    const { stdout, stderr } = await at.run(['runs'], { columns });
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
    expect(stdout).toContain('forest');
    expect(stderr).toMatch(
      /^\d+ columns left out \(.*results\.test_acc.*\): --select or a wider terminal shows them$/m,
    );
  }
  for (const columns of [undefined, 200]) {
    const { stderr } = await at.run(['runs'], columns === undefined ? {} : { columns });
    expect(stderr).not.toContain('left out');
  }
  expect((await at.run(['runs', '--json'], { columns: 40 })).stderr).not.toContain('left out');
});

test('no number is cut, whatever is selected', async () => {
  const at = await Desk.withLog();
  const losses = [123_456_789.5, 0.000_001_25, 1.5e-30, 0.036_123_4];
  const events = losses.flatMap((loss, seed) => [
    { type: 'run_created', dataset: 'a-long-name-of-a-data-set', seed },
    { type: 'metric', elapsed_seconds: 1, loss, extra: { loss: -loss, acc: loss } },
  ]);
  await at.run(['emit', '-'], { stdin: ndjson(...events) });
  for (const columns of [100, 60, 45, 36]) {
    const fields = ['seed', 'dataset', 'final.loss', 'final.extra.loss', 'final.acc'];
    const { stdout } = await at.run(['runs', '--sort', 'seed', '--select', fields.join(',')], { columns });
    const blocks = stdout
      .trimEnd()
      .split('\n\n')
      .map((block) => block.split('\n'));
    for (const [heading = '', ...rows] of blocks) {
      expect(Math.max(...[heading, ...rows].map((line) => line.length))).toBeLessThanOrEqual(columns);
      // after the seed, and the data set in the first block
      for (const [seed, row] of rows.entries()) {
        const numbers = row
          .trim()
          .split(/ {2,}/)
          .slice(1)
          .filter((word) => !word.startsWith('a-'));
        for (const number of numbers)
          expect(Math.abs(Number(number)) / (losses[seed] ?? 0)).toBeCloseTo(1, 0);
      }
    }
  }
});
