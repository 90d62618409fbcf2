// `emit -`: a stream of events from a program in any language, good ones and bad ones.
import fc from 'fast-check';
import * as fs from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { runId } from '../../src/events/run-id.ts';
import { eventFiles } from '../events/read-lines.ts';
import { A, at, closed, created, header, metric, numbered, result, status, B } from '../helpers/lines.ts';
import { startCli } from '../process/cli-process.ts';
import { until } from '../process/until.ts';
import { Desk, ndjson } from './command.ts';

const KEY = { dataset: 'd', method: 'm', seed: 1 };
const CREATED = { type: 'run_created', ...KEY };
const RUN = runId({ experiment_number: 1, subject: null, cl_info: null, ...KEY });
const POINT = { type: 'metric', loss: 0.5 };

function losses(desk: Desk): unknown[] {
  return desk.logged().map((event) => (event.type === 'metric' ? event.loss : event.type));
}

test('empty input writes nothing, not even a file', async () => {
  for (const stdin of ['', '\n', '\n\r\n\n']) {
    const desk = await Desk.withLog();
    expect(await desk.run(['emit', '-'], { stdin })).toEqual({
      code: 0,
      stdout: '',
      stderr: '0 events written\n',
    });
    expect(eventFiles(desk.ledger)).toEqual([]);
  }
});

test('events go into one file, in order, about the run before', async () => {
  const desk = await Desk.withLog();
  const stdin = ndjson(
    CREATED,
    POINT,
    { ...POINT, loss: 0.25 },
    { type: 'status_changed', status: 'completed' },
  );
  expect(await desk.run(['emit', '-'], { stdin })).toEqual({
    code: 0,
    stdout: '',
    stderr: '4 events written\n',
  });
  expect(eventFiles(desk.ledger)).toHaveLength(1);
  expect(desk.events().map(({ type, seq }) => [type, seq])).toEqual([
    ['writer_opened', 1], ['run_created', 2], ['metric', 3], ['metric', 4], ['status_changed', 5], ['writer_closed', 6],
  ]); // prettier-ignore
  expect(new Set(desk.logged().map(({ run_id }) => run_id))).toEqual(new Set([RUN]));
});

test('whatever the chunks, the events are the same', async () => {
  const text = Buffer.from(
    ndjson(CREATED, { ...POINT, extra: { 'é€😀': 1 } }, null, { type: 'result', results: { note: 'ß' } }),
  );
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat({ max: text.length })), fc.boolean(), async (cuts, endsInLf) => {
      const desk = await Desk.withLog();
      const stdin = new PassThrough();
      const whole = endsInLf ? text : text.subarray(0, -1);
      let from = 0;
      for (const cut of [...cuts.toSorted((a, b) => a - b), whole.length]) {
        stdin.write(whole.subarray(from, cut));
        from = Math.max(from, cut);
      }
      stdin.end();
      const { code, stderr } = await desk.run(['emit', '-'], { stdin });
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: 'record 3: not a JSON object\n3 events written, 1 refused\n',
      });
      expect(desk.logged()).toMatchObject([CREATED, { extra: { 'é€😀': 1 } }, { results: { note: 'ß' } }]);
    }),
    { numRuns: 30 },
  );
});

const GOOD = fc.double({ min: 0, max: 1, noNaN: true }).map((loss) => ({ ...POINT, loss }));
const BAD = fc.constantFrom(
  'null', '1', '"x"', '[]', '[{"type":"metric","loss":1}]', '{', 'nope', '{}', '{"type":"metrik"}', '{"type":7}',
  '{"type":"metric","loss":"high"}', '{"type":"metric","loss":1e400}', '{"type":"metric","loss":1,"run_id":"x"}',
  '{"type":"metric","loss":1,"ts":"yesterday"}', '{"type":"status_changed","status":"done"}',
  '{"type":"run_created","seed":1.5}', `{"type":"result","results":${'['.repeat(70)}${']'.repeat(70)}}`,
  `{"type":"result","results":{"x":"${'y'.repeat(1_048_600)}"}}`, '\u001b[31mred', '{"type":"\u202edetrevni"}',
); // prettier-ignore

test.each([
  { type: 'run_created', dataset: 'b', seed: 'two' },
  { type: 'run_created', dataset: '\ud800' },
  { type: 'run_created', dataset: 'b', config: 7 },
  '{"type":"run_created","dataset":"b","config":{"lr":NaN}}',
])('what follows a refused run_created does not become part of the run before: %j', async (refused) => {
  const desk = await Desk.withLog();
  const other = { type: 'run_created', dataset: 'c' };
  const stdin = [CREATED, POINT, refused, POINT, { type: 'status_changed', status: 'failed' }, other, POINT]
    .map((each) => `${typeof each === 'string' ? each : JSON.stringify(each)}\n`)
    .join('');
  const { code, stderr } = await desk.run(['emit', '-'], { stdin });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^record 3: .*\nrecord 4: which run .*\nrecord 5: which run .*\n4 events written, 3 refused\n$/,
  );
  expect(desk.logged().map(({ type, run_id }) => [type, run_id === RUN])).toEqual([
    ['run_created', true], ['metric', true], ['run_created', false], ['metric', false],
  ]); // prettier-ignore
});

test('bad records are refused with their number; all others are written, and the exit code is 1', async () => {
  const records = fc.array(fc.oneof(GOOD, GOOD, BAD), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(records, fc.boolean(), async (given, endsInLf) => {
      const desk = await Desk.withLog();
      const text = given.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n');
      const args = ['emit', '-', '--dataset', 'd', '--method', 'm', '--seed', '1'];
      const { code, stderr } = await desk.run(args, {
        stdin: endsInLf && given.length > 0 ? `${text}\n` : text,
      });
      const lost = given.findIndex((each) => typeof each === 'string' && each.includes('run_created'));
      const isGood = (each: (typeof given)[number], index: number): boolean =>
        typeof each !== 'string' && (lost === -1 || index < lost);
      const good = given.filter(isGood) as { loss: number }[];
      expect(losses(desk)).toEqual(good.map(({ loss }) => loss));
      const numbers = [...stderr.matchAll(/^record (\d+): /gm)].map(([, number]) => Number(number));
      expect(numbers).toEqual(given.flatMap((each, index) => (isGood(each, index) ? [] : [index + 1])));
      expect(code).toBe(numbers.length > 0 ? 1 : 0);
      expect(stderr).toContain(`${good.length} event`);
      expect(new Set(desk.logged().map(({ run_id }) => run_id)).size).toBeLessThanOrEqual(1);
    }),
    { numRuns: 60 },
  );
});

test('a record that is larger than anything that may be kept is refused once, and the rest goes on', async () => {
  const desk = await Desk.withLog();
  const stdin = new PassThrough();
  const ran = desk.run(['emit', '-'], { stdin });
  stdin.write(ndjson(CREATED, POINT));
  const huge = Buffer.alloc(1_048_576, 'x');
  for (let nth = 0; nth < 40; nth += 1) {
    if (!stdin.write(huge)) await new Promise((resolve) => void stdin.once('drain', resolve));
  }
  stdin.write(`\n${ndjson({ ...POINT, loss: 0.25 })}`);
  for (let nth = 0; nth < 20; nth += 1) {
    if (!stdin.write(huge)) await new Promise((resolve) => void stdin.once('drain', resolve));
  }
  stdin.end();
  const { code, stderr } = await ran;
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^record 3: .*longer than.*\nrecord 5: .*longer than.*\n3 events written, 2 refused\n$/,
  );
  expect(losses(desk)).toEqual(['run_created', 0.5, 0.25]);
});

test('a run id that was refused is not that of the records after it', async () => {
  const desk = await Desk.withLog();
  const stdin = ndjson(CREATED, { ...POINT, run_id: 'no run id' }, { ...POINT, loss: 0.75 });
  expect(await desk.run(['emit', '-'], { stdin })).toMatchObject({ code: 1 });
  expect(desk.logged()).toMatchObject([{ run_id: RUN }, { run_id: RUN, loss: 0.75 }]);
});

test('a record that names another run changes the run for those after it', async () => {
  const desk = await Desk.withLog();
  const other = runId({
    experiment_number: 1,
    dataset: 'default',
    method: 'default',
    subject: null,
    cl_info: null,
    seed: 9,
  });
  const stdin = ndjson(
    CREATED,
    POINT,
    { type: 'run_created', seed: 9 },
    POINT,
    { ...POINT, run_id: RUN },
    POINT,
  );
  expect(await desk.run(['emit', '-'], { stdin })).toMatchObject({ code: 0 });
  expect(desk.logged().map(({ run_id }) => run_id)).toEqual([RUN, RUN, other, other, RUN, RUN]);
});

test('what SLURM says needs an attempt: that of the record, of --attempt, of RUNFOLD_ATTEMPT', async () => {
  const said = { type: 'slurm_info', source: 'sacct', job_id: '7' };
  const desk = await Desk.withLog();
  const args = ['emit', '-', '--seed', '1'];
  expect(await desk.run(args, { stdin: ndjson(said) })).toMatchObject({ code: 1 });
  expect(await desk.run(args, { stdin: ndjson({ ...said, attempt: 'a' }) })).toMatchObject({ code: 0 });
  expect(await desk.run([...args, '--attempt', 'b'], { stdin: ndjson(said) })).toMatchObject({ code: 0 });
  expect(await desk.run(args, { stdin: ndjson(said), env: { RUNFOLD_ATTEMPT: 'c' } })).toMatchObject({
    code: 0,
  });
  expect(
    desk
      .logged()
      .map(({ attempt }) => attempt)
      .toSorted(),
  ).toEqual(['a', 'b', 'c']);
});

/** Two executions of one run, the second going on from the first, as they stand in two files. */
const FIRST = ndjson(
  header(A),
  ...numbered([
    created(0, { config: { lr: 1 } }),
    status(0, 'running'),
    metric(1, { step: 1, loss: 3 }),
    metric(2, { step: 2, loss: 2 }),
  ]),
);
const SECOND = ndjson(
  header(B, { attempt: 'second' }),
  ...numbered([
    created(5, { resume: true }),
    metric(6, { step: 2, loss: 1 }),
    result(7, { acc: 1 }),
    status(8, 'completed'),
    closed(9, 5),
  ]),
);
const RUN_COLUMNS =
  'experiment_number, dataset, seed, status, config, attempt_count, created_at, started_at, finished_at';
const RESULT_COLUMNS = 'best_loss, final_loss, points, total_elapsed_seconds, results';

interface Rows {
  runs: unknown[];
  results: Record<string, unknown>[];
}

async function rowsOf(desk: Desk): Promise<Rows> {
  const { default: Database } = await import('better-sqlite3');
  expect(await desk.run(['sync'])).toMatchObject({ code: 0 });
  const db = new Database(desk.db, { readonly: true });
  const runs = db.prepare(`SELECT ${RUN_COLUMNS} FROM experiment_runs`).all();
  const results = db.prepare(`SELECT ${RESULT_COLUMNS} FROM run_results`).all() as Record<string, unknown>[];
  db.close();
  return { runs, results };
}

test('event files piped through it come to the rows of the files themselves: attempts stay what they were', async () => {
  const original = await Desk.withLog();
  for (const [id, text] of [
    [A, FIRST],
    [B, SECOND],
  ] as const) {
    const file = path.join(original.ledger, 'events/2026-11-23', `${id}-h-1.ndjson`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
  const expected = await rowsOf(original);
  expect(expected).toMatchObject({
    runs: [{ attempt_count: 2, status: 'completed' }],
    results: [{ points: 2, best_loss: 1 }],
  });

  for (const inputs of [[FIRST + SECOND], [SECOND, FIRST], [SECOND + FIRST]]) {
    const copy = await Desk.withLog();
    for (const stdin of inputs) expect(await copy.run(['emit', '-'], { stdin })).toMatchObject({ code: 0 });
    expect(await rowsOf(copy)).toEqual(expected);
  }
});

test('piping a file again makes no further attempt, and no other status, best or last value', async () => {
  const desk = await Desk.withLog();
  await desk.run(['emit', '-'], { stdin: FIRST + SECOND });
  const once = await rowsOf(desk);
  await desk.run(['emit', '-'], { stdin: FIRST + SECOND });
  const twice = await rowsOf(desk);
  expect(twice.runs).toEqual(once.runs);
  const withoutPoints = ({ results }: Rows): unknown => results.map((row) => ({ ...row, points: undefined }));
  expect(withoutPoints(twice)).toEqual(withoutPoints(once));
});

test('without a log events go to a spool file; stderr says where, and how to bring them in, and it returns 1', async () => {
  const desk = new Desk();
  for (const [args, stdin] of [
    [['emit', '-'], ndjson(CREATED, POINT)],
    [['emit', 'metric', '--loss', '1', '--seed', '1'], ''],
  ] as const) {
    const { code, stderr } = await desk.run(args, { stdin });
    expect(code).toBe(1);
    expect(stderr).toMatch(/no log at .*\.runfold/);
    expect(stderr).toContain('runfold init');
    const [, mend = ''] = /(mkdir -p .* >> \S+)\n/.exec(stderr) ?? [];
    expect(mend).toContain('runfold-spool-');
    expect(fs.existsSync(desk.ledger)).toBe(false);
  }
});

test('what stderr says brings the spooled events in', async () => {
  const desk = new Desk();
  const { stderr } = await desk.run(['emit', '-'], { stdin: ndjson(CREATED, POINT) });
  await desk.run(['init']);
  const { execFileSync } = await import('node:child_process');
  const mends = [...stderr.matchAll(/(mkdir -p .* >> \S+)\n/g)].map(([, mend = '']) => mend);
  execFileSync('sh', ['-c', mends.at(-1) ?? '']);
  expect(await desk.run(['sync'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^2 new events/) as string,
  });
  expect(await desk.run(['doctor'])).toMatchObject({ code: 0 });
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s while it waits for more: what came is written, and the file is ended',
  async (signal) => {
    const desk = await Desk.withLog();
    const emit = startCli(['emit', '-'], { cwd: desk.cwd, env: { TMPDIR: desk.cwd } });
    emit.child.stdin?.write(
      ndjson(CREATED, { type: 'status_changed', status: 'running' }, POINT, { ...POINT, loss: 0.25 }),
    );
    emit.child.stdin?.write('{"type":"metric","lo');
    await until('the first is there', () => desk.logged().length > 0);
    emit.kill(signal);
    const { code, stderr } = await emit.ended;
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('4 events written') as string,
    });
    expect(losses(desk)).toEqual(['run_created', 'status_changed', 0.5, 0.25]);
    expect(desk.events().at(-1)?.type).toBe('writer_closed');
  },
);

test('a reader that goes away, and input that ends in the middle of a line, are no catastrophe', async () => {
  const desk = await Desk.withLog();
  const { code, stderr } = await desk.run(['emit', '-'], { stdin: `${ndjson(CREATED)}{"type":"metr` });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^record 2: .*\n1 event written, 1 refused\n$/);
  expect(desk.logged()).toMatchObject([{ type: 'run_created' }]);
  expect(at(0)).toContain('2026');
});
