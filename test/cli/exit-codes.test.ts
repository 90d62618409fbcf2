// What finds nothing is no failure, a run that is not there is one, a wrong question is wrong usage.
import { expect, test } from 'vitest';
import { runId } from '../../src/events/run-id.ts';
import { Desk, ndjson } from './command.ts';

const KEY = { experiment_number: 1, dataset: 'iris', method: 'mlp', subject: null, cl_info: null };
const MLP = runId({ ...KEY, seed: 1 });
const SILENT = runId({ ...KEY, seed: 3 });

/** Commands that answer about many runs. */
const ANSWERS = [
  ['runs'],
  ['runs', '--active'],
  ['errors'],
  ['leaderboard', 'loss'],
  ['leaderboard', 'acc', '--goal', 'max'],
  ['plot', 'acc'],
];

/** One run that is over, one that failed, one that says nothing any more. */
async function desk(): Promise<Desk> {
  const made = await Desk.withLog();
  const point = { type: 'metric', elapsed_seconds: 1, epoch: 1, loss: 0.5 };
  const status = (word: string): object => ({ type: 'status_changed', status: word });
  const run = (seed: number, ...events: object[]): object[] => [
    { type: 'run_created', dataset: 'iris', method: 'mlp', seed },
    ...events,
  ];
  const events = [
    ...run(1, point, status('completed')),
    ...run(2, point, status('failed')),
    ...run(3, status('running')),
  ];
  expect((await made.run(['emit', '-'], { stdin: ndjson(...events) })).code).toBe(0);
  return made;
}

test('on an empty log', async () => {
  const empty = await Desk.withLog();
  for (const args of ANSWERS) {
    const { code, stdout, stderr } = await empty.run(args);
    expect({ args, code, stdout }).toEqual({ args, code: 0, stdout: '' });
    expect(stderr).toMatch(
      /^as of .*\nno runs yet: a job makes one with RunLogger, or with runfold emit .*\n$/,
    );
    expect(await empty.run([...args, '--json'])).toMatchObject({ code: 0, stdout: '[]\n' });
  }
});

test('where no run matches, or none has logged a metric', async () => {
  const at = await desk();
  for (const args of ANSWERS) {
    const { code, stdout, stderr } = await at.run([...args, '--seed', '77']);
    expect({ args, code, stdout }).toEqual({ args, code: 0, stdout: '' });
    expect(stderr).toContain('no run matches; there are 3 in all\n');
  }
  const silent = await at.run(['plot', 'loss', '--seed', '3']);
  expect(silent).toMatchObject({ code: 0, stdout: '' });
  expect(silent.stderr).toContain('the run has logged no metric yet\n');
  expect((await at.run(['plot', 'loss', '--seed', '2'])).stderr).toContain(
    '; --status says which are drawn\n',
  );
  const noPoints = await at.run(['metrics', SILENT, '--name', 'loss']);
  expect(noPoints).toMatchObject({ code: 0, stdout: '' });
  expect(noPoints.stderr).toContain(`run ${SILENT} has no metrics\n`);
});

test.each([['show'], ['metrics'], ['errors'], ['compare', MLP], ['tag', '--remove', 'x'], ['hide']])(
  '%j of a run that is not there',
  async (...args) => {
    for (const [log, run] of [
      [await Desk.withLog(), '@last'],
      [await desk(), 'zzzz'],
    ] as const)
      expect(await log.run([...args.flat(), run])).toMatchObject({ code: 1, stdout: '' });
  },
);

test('a metric that no run has, where there are others', async () => {
  const at = await desk();
  for (const args of [
    ['plot', 'acc'],
    ['leaderboard', 'acc', '--goal', 'max'],
    ['metrics', MLP, '--name', 'acc'],
  ])
    expect(await at.run(args)).toMatchObject({ code: 2, stdout: '' });
});
