// What a metric is called where it could be taken for another.
import { expect, test } from 'vitest';
import { Desk, ndjson } from './command.ts';

test('a metric named as a column is keeps its name', async () => {
  const at = await Desk.withLog();
  const metric = { type: 'metric', elapsed_seconds: 1, loss: 0.5, extra: { loss: 7 } };
  const created = { type: 'run_created', dataset: 'iris', method: 'mlp' };
  const events = [1, 2].flatMap((seed) => [
    { ...created, seed },
    { ...metric, extra: { loss: 6 + seed } },
    { type: 'status_changed', status: 'completed' },
  ]);
  await at.run(['emit', '-'], { stdin: ndjson(...events) });
  expect((await at.run(['runs'])).stdout).toMatch(/ loss +extra\.loss\n/);
  const [newest = ''] = await ids(at);
  expect((await at.run(['show', newest])).stdout).toMatch(/^ {2}loss .*\n {2}extra\.loss .*final [78],/m);
  const board = await at.run(['leaderboard', 'extra.loss', '--goal', 'min']);
  expect(board.stdout).toContain('extra.loss, final value, by method and dataset');
  const compared = JSON.parse(
    (await at.run(['compare', ...(await ids(at)), '--diff', '--json'])).stdout,
  ) as object[];
  expect(compared).toContainEqual(expect.objectContaining({ field: 'final.extra.loss' }));
});

async function ids(at: Desk): Promise<string[]> {
  const { stdout } = await at.run(['runs', '--select', 'run_id', '--json']);
  return (JSON.parse(stdout) as { run_id: string }[]).map(({ run_id }) => run_id);
}
