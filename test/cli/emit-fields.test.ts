// `emit <type>`: an option for every field of every type, and what is given is what is written.
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { fieldsOf, type EmittedType } from '../../src/cli/event-fields.ts';
import { EMITTED } from '../../src/cli/program.ts';
import { eventSchemas } from '../../src/events/event-schemas.ts';
import { runId } from '../../src/events/run-id.ts';
import { Desk } from './command.ts';

const TYPES = Object.keys(EMITTED) as EmittedType[];
const SEED_1 = runId({
  experiment_number: 1,
  dataset: 'default',
  method: 'default',
  subject: null,
  cl_info: null,
  seed: 1,
});

// what a shell can hand on: no NUL, well-formed, not to be taken for the next option in a list of values
const word = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((text) => text.isWellFormed() && !text.includes('\0'));
const name = word.filter((text) => text !== '' && !/^[-{]|=/.test(text));
const integer = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -3, max: 200 }));
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const measure = fc.oneof(finite, fc.constantFrom('NaN', 'Infinity', '-Infinity'));
const json = fc
  .jsonValue({ maxDepth: 2, noUnicodeString: true } as never)
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const time = fc
  .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());

/** By what the schema accepts, which is all that the command goes by too. */
function valueOf(type: EmittedType, field: string, schema: z.ZodType): fc.Arbitrary<unknown> {
  const takes = (value: unknown): boolean => schema.safeParse(value).success;
  if (field.endsWith('_at')) return time;
  if (field === 'code')
    return fc.record({ git_commit: word, git_dirty: fc.boolean(), command: word }, { requiredKeys: [] });
  if (field === 'extra') return fc.dictionary(name, measure, { maxKeys: 4, minKeys: 1 });
  if (takes({})) return fc.dictionary(name, json, { maxKeys: 4, minKeys: 1 });
  if (takes([])) return fc.array(word, { minLength: 1, maxLength: 3 });
  if (takes(true)) return fc.boolean();
  if (takes('NaN') && !takes('x')) return measure;
  if (field === 'status') return fc.constantFrom('pending', 'running', 'completed', 'failed', 'timeout');
  if (field === 'source')
    return fc.constantFrom(...['job', 'wrapper', 'env', 'slurm', 'squeue', 'sacct'].filter(takes));
  if (takes('x')) return word;
  if (takes(0.5)) return finite;
  if (takes(1)) return integer;
  throw new Error(`no value for ${type}.${field}`);
}

/** Objects as JSON or, where their values are plain, as name=value. */
function argsOf(flag: string, value: unknown, asPairs: boolean): string[] {
  if (typeof value === 'string') return [flag, value];
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [flag, JSON.stringify(value)];
  const entries = Object.entries(value as object);
  const isPlain =
    entries.length > 0 && entries.every(([, each]) => typeof each === 'number' || typeof each === 'boolean');
  return [
    flag,
    ...(asPairs && isPlain
      ? entries.map(([key, each]) => `${key}=${String(each)}`)
      : [JSON.stringify(value)]),
  ];
}

test.each(TYPES)('%s has an option for each of its fields, and writes what it is given', async (type) => {
  const fields = fieldsOf(type);
  expect(fields.map(({ name: field }) => field).toSorted()).toEqual(
    Object.keys(eventSchemas()[type].shape)
      .filter((field) => !['type', 'ts', 'seq', 'run_id', 'attempt'].includes(field))
      .filter(
        (field) => !['experiment_number', 'dataset', 'method', 'subject', 'cl_info', 'seed'].includes(field),
      )
      .toSorted(),
  );
  const optional = new Set(
    fields.filter(({ schema }) => schema.safeParse(undefined).success).map(({ name: field }) => field),
  );
  const event = fc.record(
    Object.fromEntries(fields.map(({ name: field, schema }) => [field, valueOf(type, field, schema)])),
    // a metric without any value is refused
    {
      requiredKeys: fields
        .map(({ name: field }) => field)
        .filter((field) => !optional.has(field) || field === 'loss'),
    },
  );
  await fc.assert(
    fc.asyncProperty(event, fc.boolean(), async (values, asPairs) => {
      const desk = await Desk.withLog();
      const given = Object.entries(values).flatMap(([field, value]) =>
        argsOf(`--${field.replaceAll('_', '-')}`, value, asPairs),
      );
      const ran = await desk.run([
        'emit',
        type.replaceAll('_', '-'),
        '--seed',
        '1',
        '--attempt',
        'a1',
        ...given,
      ]);
      expect(ran, given.join(' ')).toMatchObject({ code: 0, stderr: '' });
      const [written] = desk.logged();
      expect(written).toMatchObject({ type, run_id: SEED_1 });
      // __proto__ and the like are names as any other
      const kept = Object.fromEntries(Object.keys(values).map((field) => [field, written?.[field as never]]));
      expect(JSON.stringify(kept)).toBe(JSON.stringify(values));
    }),
    { numRuns: 25 },
  );
});

test('the key, the time and the attempt are those of the options', async () => {
  const desk = await Desk.withLog();
  const key = [
    '--exp',
    '3',
    '--dataset',
    'd',
    '--method',
    'm',
    '--subject',
    's',
    '--variant',
    'v',
    '--seed',
    '-7',
  ];
  const ts = '2026-11-23T11:00:00.5+01:00';
  expect(await desk.run(['emit', 'run-created', ...key, '--ts', ts, '--attempt', 'first'])).toMatchObject({
    code: 0,
  });
  expect(await desk.run(['emit', 'metric', '--loss', '1', ...key, '--ts', ts])).toMatchObject({
    code: 0,
    stdout: '',
  });
  const fields = { experiment_number: 3, dataset: 'd', method: 'm', subject: 's', cl_info: 'v', seed: -7 };
  const run_id = runId(fields);
  expect(desk.logged()).toMatchObject([
    { type: 'run_created', run_id, ts: '2026-11-23T10:00:00.500Z', ...fields },
    { type: 'metric', run_id, ts: '2026-11-23T10:00:00.500Z', loss: 1 },
  ]);
  expect(desk.events()[0]).toMatchObject({ type: 'writer_opened', attempt: 'first' });
});

test('run-created records the job of SLURM that it is called in', async () => {
  const env = { SLURM_JOB_ID: '4711', SLURM_JOB_PARTITION: 'gpu', RUNFOLD_ATTEMPT: 'first' };
  const desk = await Desk.withLog();
  expect(await desk.run(['emit', 'run-created', '--seed', '1'], { env })).toMatchObject({ code: 0 });
  expect(desk.logged()).toMatchObject([
    { type: 'run_created', run_id: SEED_1 },
    { type: 'slurm_info', run_id: SEED_1, job_id: '4711', partition: 'gpu', source: 'env' },
  ]);
  expect(desk.events().filter((event) => event.type === 'writer_opened')).toHaveLength(1);
});

test('run-created records the job in an independent task of srun too', async () => {
  const desk = await Desk.withLog();
  const env = { SLURM_JOB_ID: '4711', SLURM_PROCID: '1', RUNFOLD_INDEPENDENT: '1' };
  await desk.run(['emit', 'run-created', '--seed', '1'], { env });
  expect(desk.logged().map((event) => event.type)).toEqual(['run_created', 'slurm_info']);
});

test.each([
  ['about another time', ['--ts', '2026-11-23T10:00:00Z'], {}],
  ['in a rank above 0', [], { SLURM_PROCID: '1' }],
])('run-created says nothing of the job: %s', async (_, options, env) => {
  const desk = await Desk.withLog();
  await desk.run(['emit', 'run-created', '--seed', '1', ...options], {
    env: { SLURM_JOB_ID: '4711', ...env },
  });
  expect(desk.logged().map((event) => event.type)).toEqual(['run_created']);
});

test('elapsed_seconds counts from RUNFOLD_STARTED', async () => {
  const desk = await Desk.withLog();
  const clock = { now: () => 1_700_000_012_500 };
  await desk.run(['emit', 'metric', '--loss', '1', '--seed', '1'], {
    clock,
    env: { RUNFOLD_STARTED: '1700000000' },
  });
  expect(desk.logged()).toMatchObject([
    { elapsed_seconds: 12.5, ts: new Date(1_700_000_012_500).toISOString() },
  ]);
});

test.each(['a1', 'two words', "it's", '$(touch pwned); `touch pwned`', 'a\nb', '-n', ''])(
  'what run-created prints can be evaluated by a shell, with the attempt %j',
  async (attempt) => {
    const desk = await Desk.withLog();
    const { stdout } = await desk.run(['emit', 'run-created', '--seed', '1'], {
      env: { RUNFOLD_ATTEMPT: attempt },
    });
    const script = `${stdout}printf '%s|%s|%s' "$RUNFOLD_RUN_ID" "$RUNFOLD_ATTEMPT" "$RUNFOLD_STARTED"`;
    const shell = spawnSync('sh', ['-euc', script], { cwd: desk.cwd, encoding: 'utf8' });
    expect(shell.stderr).toBe('');
    const [run, evaluated, started] = shell.stdout.split('|');
    const [header] = desk.events();
    expect(run).toBe(SEED_1);
    expect(evaluated).toBe(attempt === '' && header?.type === 'writer_opened' ? header.writer : attempt);
    expect(Math.abs(Number(started) - Date.now() / 1000)).toBeLessThan(60);
    expect(fs.readdirSync(desk.cwd)).not.toContain('pwned');
  },
);

test.each([
  ['--loss', '1e400'],
  ['--extra', 'x=1e400'],
  ['--loss', '-1e999', '--f1', '1'],
])('a number that overflows is refused, not left out: %s %s', async (...args) => {
  const desk = await Desk.withLog();
  const ran = await desk.run(['emit', 'metric', '--seed', '1', ...args.filter((arg) => arg !== undefined)]);
  expect(ran).toMatchObject({ code: 2, stdout: '' });
  expect(desk.events()).toEqual([]);
});

test('run-created begins an attempt each time, in a shell that has begun one before, too', async () => {
  const desk = await Desk.withLog();
  const emit = ['emit', 'run-created', '--seed', '1'];
  const env = { RUNFOLD_RUN_ID: SEED_1, RUNFOLD_ATTEMPT: 'first', RUNFOLD_STARTED: '1700000000' };
  const { stdout } = await desk.run(emit, { env });
  expect(stdout).not.toContain('RUNFOLD_ATTEMPT=first');
  const [header] = desk.events();
  expect(stdout).toContain(`RUNFOLD_ATTEMPT=${header?.type === 'writer_opened' ? header.writer : ''}\n`);
  // a launcher says the attempt and not when it began: that one is joined
  const joined = await desk.run(emit, { env: { ...env, RUNFOLD_STARTED: '' } });
  expect(joined.stdout).toContain('RUNFOLD_ATTEMPT=first\n');
  const named = await desk.run([...emit, '--attempt', 'mine'], { env });
  expect(named.stdout).toContain('RUNFOLD_ATTEMPT=mine\n');
});

test('an attempt that is of another run is not taken over', async () => {
  const desk = await Desk.withLog();
  const env = { RUNFOLD_RUN_ID: SEED_1, RUNFOLD_ATTEMPT: 'of-seed-1' };
  const { stdout } = await desk.run(['emit', 'run-created', '--seed', '2'], { env });
  expect(stdout).not.toContain('of-seed-1');
  await desk.run(['emit', '-'], {
    env,
    stdin: '{"type":"metric","loss":1}\n{"type":"run_created","seed":3}\n',
  });
  expect(JSON.stringify(desk.events().filter(({ type }) => type === 'run_created'))).not.toContain(
    'of-seed-1',
  );
  const [own, other] = desk
    .logged()
    .filter(({ type }) => type === 'metric' || type === 'run_created')
    .slice(-2);
  expect(own?.attempt).toBeUndefined();
  expect(other?.attempt).toMatch(/^[0-9A-Z]{26}$/);
});
