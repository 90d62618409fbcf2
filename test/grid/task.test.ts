// What a task of an array makes of a grid: its row, its command, whether the grid is still the one that was submitted.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandWords } from '../../src/grid/command-words.ts';
import { readGrid } from '../../src/grid/grid.ts';
import {
  checkGridDigest,
  keyFromSubmission,
  rowOfTask,
  submissionEnv,
  taskAttempt,
} from '../../src/grid/submission.ts';

const GRID = readGrid('dataset,seed,lr\niris,1,1e-3\nwine,2,\n', 'grid.csv');

describe('the words of a command', () => {
  const [first, second] = GRID.rows;

  test('values stand where the columns are named, as they are written', () => {
    expect(commandWords(['train', '--in={dataset}/{seed}.npz', '{lr}', '{x}', '{}'], first!)).toEqual([
      'train',
      '--in=iris/1.npz',
      '1e-3',
      '{x}',
      '{}',
    ]);
    expect(commandWords(['train', '--lr={lr}'], second!)).toEqual(['train', '--lr=']);
  });

  test('else all are appended, those without a value left out', () => {
    expect(commandWords(['train', '{x}'], first!)).toEqual([
      'train',
      '{x}',
      '--dataset',
      'iris',
      '--seed',
      '1',
      '--lr',
      '1e-3',
    ]);
    expect(commandWords(['train'], second!)).toEqual(['train', '--dataset', 'wine', '--seed', '2']);
  });

  test.each([
    ['--data={datset}', 'datset', 'dataset'],
    ['{Seed}', 'Seed', 'seed'],
    ['{seeds}/{dataset}', 'seeds', 'seed'],
  ])('%s is refused as a misspelt column', (word, typed, meant) => {
    expect(() => commandWords(['train', '{lr}', word], first!)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringContaining(`{${typed}}`),
        hint: expect.stringContaining(`Did you mean {${meant}}?`),
      }),
    );
  });

  test.each([
    '{}',
    '{x}',
    '{print}',
    '${HOME}',
    '${SEED}',
    '{"seed": 1}',
    '{a,b}',
    '{ seed }',
    '{set: 1}',
    '{0..5}',
  ])('%s is no column, and stays', (word) => {
    expect(commandWords([word, '{seed}'], first!)).toEqual([word, '1']);
  });

  test('a value that looks like a place is a value', () => {
    const row = readGrid('a,b\n{b},$&\n', 'grid.csv').rows[0]!;
    expect(commandWords(['x', '{a}-{b}'], row)).toEqual(['x', '{b}-$&']);
  });

  test('whatever the values, a word stays a word', () => {
    const value = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(value, value, (a, b) => {
        const row = readGrid(JSON.stringify([{ a, b }]), 'g.json').rows[0]!;
        expect(commandWords(['x', '<{a}|{b}>'], row)).toEqual(['x', `<${a}|${b}>`]);
        expect(commandWords(['x'], row)).toEqual(['x', '--a', a, '--b', b]);
      }),
    );
  });
});

describe('the row of a task', () => {
  test('is that of its number', () => {
    expect(rowOfTask({ SLURM_ARRAY_TASK_ID: '2' }, GRID).key.dataset).toBe('wine');
  });

  test.each([undefined, '', '0', '3', 'x', '-1', '1.5'])('there is none for %j', (task) => {
    expect(() => rowOfTask({ SLURM_ARRAY_TASK_ID: task }, GRID)).toThrow(
      expect.objectContaining({
        code: 'usage',
        hint: expect.stringContaining(task ? 'from 1 to 2' : '--row 1'),
      }),
    );
  });
});

describe('the environment of a submission', () => {
  const submission = {
    id: '01M83YDQ8VJRRTK7ZPPAR52KRM',
    ledger: '/shared/log',
    gridFile: '/shared/grid.csv',
    gridDigest: 'abc',
    keyFromConfig: ['lr', 'a, b'],
  };
  const env = submissionEnv(submission);

  test('has what a task needs', () => {
    expect(env).toMatchObject({
      RUNFOLD_DIR: '/shared/log',
      RUNFOLD_SUBMISSION: '01M83YDQ8VJRRTK7ZPPAR52KRM',
      RUNFOLD_GRID: '/shared/grid.csv',
      RUNFOLD_GRID_SHA256: 'abc',
    });
    expect(keyFromSubmission(env)).toEqual(['lr', 'a, b']);
    expect(taskAttempt(submission.id, 7)).toBe('01M83YDQ8VJRRTK7ZPPAR52KRM.7');
  });

  test('names of the key that nobody can have submitted are none', () => {
    for (const text of ['', '{', '{}', '[1]', 'lr'])
      expect(keyFromSubmission({ RUNFOLD_GRID_KEY: text })).toBeUndefined();
  });

  test('a grid with another digest is refused; without a submission any is fine', () => {
    expect(() => checkGridDigest(env, 'grid.csv', 'abc')).not.toThrow();
    expect(() => checkGridDigest({}, 'grid.csv', 'abc')).not.toThrow();
    expect(() => checkGridDigest(env, 'grid.csv', 'abd')).toThrow(
      'grid.csv: the grid has changed since it was submitted',
    );
  });
});
