// runfold failures, as people see it.
import { expect, test } from 'vitest';
import { Desk, ndjson } from './command.ts';

function failed(dataset: string, seed: number, reason: string): object[] {
  const key = { experiment_number: 1, dataset, method: 'mlp', seed };
  return [
    { type: 'run_created', ...key },
    { type: 'status_changed', ...key, status: 'failed', reason },
  ];
}

test('a cause whose runs have nothing in common has nothing there', async () => {
  const desk = await Desk.withLog();
  const runs = [
    ...failed('iris', 1, 'A'),
    ...failed('iris', 2, 'A'),
    ...failed('iris', 3, 'B'),
    ...failed('wine', 4, 'B'),
  ];
  await desk.run(['emit', '-'], { stdin: ndjson(...runs) });
  const { stdout } = await desk.run(['failures']);
  expect(stdout).toContain('in common');
  expect(stdout).toMatch(/^A +2 +all iris /m);
  expect(stdout).toMatch(/^B +2 +- /m);
  const json = await desk.run(['failures', '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject([
    { shared: expect.anything() },
    { shared: expect.anything() },
  ]);
});
