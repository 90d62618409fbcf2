// Keys that have a meaning in JavaScript are data like any other, and duplicate keys have one reading.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { given } from '../helpers/given.ts';
import {
  A,
  RUN,
  at,
  created,
  errorEvent,
  file,
  metric,
  result,
  slurm,
  status,
  text,
  writerFile,
  type Fields,
} from '../helpers/lines.ts';

const POISON = '{"polluted":true,"toString":7,"type":"metric","seq":5,"run_id":"x","attempt":"x","loss":1}';
const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'valueOf',
  '__defineGetter__',
  'toJSON',
  'then',
  'length',
];

const PROTOTYPES = [
  Object.prototype,
  Array.prototype,
  String.prototype,
  Number.prototype,
  Function.prototype,
  Map.prototype,
  Promise.prototype,
];
let before: string[][];

beforeAll(() => {
  before = PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).map(String));
});

/** Nothing that was read has changed what every object inherits. */
afterAll(() => {
  expect(PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).map(String))).toEqual(before);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(String({})).toBe('[object Object]');
});

/** A line with a field that an object literal could not have. */
function withField(event: Fields, name: string, json: string): string {
  return `${text(event).slice(0, -1)},${JSON.stringify(name)}:${json}}\n`;
}

describe.each(NAMES)('%s', (name) => {
  test('as a field of any line is an unknown field', async () => {
    const events = [
      created(0, { seq: 2 }),
      metric(1, { seq: 3 }),
      status(2, 'running', { seq: 4 }),
      slurm(3, 'env', { seq: 5 }),
      result(4, {}, { seq: 6 }),
    ];
    const values = [POISON, 'null', '7', '[]', '"x"'];
    for (const value of values) {
      const outcome = await given(writerFile(A, ...events.map((event) => withField(event, name, value))));
      outcome
        .expectRejected()
        .expectRun({ run_id: RUN, status: 'running', slurm_job_id: '100' })
        .expectResults({ points: 1, best_loss: null });
    }
  });

  test('does not stand in for a field that is missing', async () => {
    const { run_id: _, ...without } = metric(1, { seq: 2 });
    (await given(writerFile(A, withField(without, name, POISON)))).expectRejected('bad_field');
    (await given(writerFile(A, `{${JSON.stringify(name)}:${POISON}}\n`))).expectRejected('bad_type');
  });

  test('is a key like any other in config, results, extra and code', async () => {
    const key = JSON.stringify(name);
    const config = `{${key}:${POISON},"a":1}`;
    const lines = [
      withField(created(0, { seq: 2 }), 'config', config),
      withField({ ...result(1, {}), seq: 3, results: undefined }, 'results', `{${key}:{"x":[${POISON}]}}`),
      withField(metric(2, { seq: 4 }), 'extra', `{${key}:1.5,"b":"NaN"}`),
      withField(metric(3, { seq: 5 }), 'extra', `{${key}:"Infinity"}`),
      withField(created(4, { seq: 6 }), 'code', `{${key}:${POISON},"cwd":"/w"}`),
    ];
    const outcome = await given(writerFile(A, ...lines));
    outcome.expectRejected();
    const [run] = outcome.rows('experiment_runs');
    expect(run).toMatchObject({ config, cwd: '/w', git_commit: null, attempt_count: 1 });
    const [results] = outcome.rows('run_results');
    expect(results).toMatchObject({
      results: `{${key}:{"x":[${POISON}]}}`,
      extra: `{${key}:{"min":1.5,"max":1.5,"final":1.5}}`,
    });
    expect(outcome.rows('run_metrics')).toMatchObject([
      { extra: `{${key}:1.5}`, nonfinite: '{"extra.b":"NaN"}' },
      { extra: null, nonfinite: JSON.stringify({ [`extra.${name}`]: 'Infinity' }) },
    ]);
  });

  test('is a value like any other: an attempt, a job, a file, a state', async () => {
    const path = `events/${name}/${name}.ndjson`;
    const said = slurm(2, 'sacct', { attempt: name, job_id: name, state: name, array_task_id: name });
    const lines = [
      created(0, { attempt: name, tags: [name] }),
      metric(1, { attempt: name, loss: 1 }),
      said,
      errorEvent(3, { exception_type: name }),
    ];
    (await given(file(path, ...lines)))
      .expectRun({ slurm_job_id: name, slurm_array_task_id: name, tags: [name], attempt_count: 1 })
      .expectJobs({ job_id: name, attempt: name, state: name })
      .expectRows('run_errors', [{ writer: `${name}/${name}`, exception_type: name }])
      .expectResults({ best_loss: 1 });
    (await given(writerFile(A, `{"type":${JSON.stringify(name)},"seq":2}\n`))).expectRejected();
  });
});

describe('duplicate keys', () => {
  const twice = (event: Fields, ...fields: string[]): string =>
    `${text(event).slice(0, -1)},${fields.join()}}\n`;

  test('the last wins at every level, and only the last is looked at', async () => {
    const run = twice(
      created(0, { seq: 2 }),
      '"notes":7',
      '"notes":"last"',
      '"config":{"a":1,"a":{"b":1,"b":2}}',
      '"code":{"cwd":1,"cwd":"/w"}',
    );
    const point = twice(
      metric(1, { seq: 3, loss: 'x' }),
      '"loss":2',
      '"extra":{"m":1,"m":3}',
      '"seq":9',
      '"seq":3',
    );
    (await given(writerFile(A, run, point)))
      .expectRejected()
      .expectRun({ notes: 'last', config: { a: { b: 2 } }, cwd: '/w' })
      .expectRows('run_metrics', [{ seq: 3, loss: 2, extra: { m: 3 } }]);
  });

  test('a type or a key that is said twice is the last one', async () => {
    (await given(writerFile(A, `{"type":"metric","seq":2,"type":"later"}\n`))).expectRejected();
    const other = twice(created(0, { seq: 2 }), '"seed":8');
    const same = twice(created(0, { seq: 2, seed: 8 }), '"seed":7');
    (await given(writerFile(A, other, same)))
      .expectRejected('run_id_mismatch')
      .expectRun({ seed: 7, created_at: at(0) });
  });
});
