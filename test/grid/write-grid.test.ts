// What has been seen as a grid file: whoever reads it finds the same runs.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readGrid } from '../../src/grid/grid.ts';
import { axesOf, cellsOf, productOf, sizeOf, tally } from '../../src/grid/progress.ts';
import { columnsOf, gridCsv, unsaid } from '../../src/grid/write-grid.ts';
import type { RunKey } from '../../src/events/run-id.ts';
import { compareLabels } from '../../src/query/label.ts';

const text = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc.constantFrom('default', ' a ', '\uFEFFa', '\r', '"', 'a,b', '{"lr":0.1}', '=1+1', '\u00A0'),
  )
  .filter((value) => !value.includes('\0'));
const number = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.maxSafeInteger());
const key: fc.Arbitrary<RunKey> = fc.record({
  experiment_number: number.map((value) => value + 0),
  dataset: text,
  method: text,
  subject: fc.option(text),
  cl_info: fc.option(text),
  seed: fc.option(number.map((value) => value + 0)),
});

test('the product of hostile keys, written and read, is the same runs in the same order', () => {
  fc.assert(
    fc.property(fc.array(key, { minLength: 1, maxLength: 3 }), (keys) => {
      const axes = axesOf(keys, compareLabels);
      const expected = productOf(axes);
      expect(expected).toHaveLength(sizeOf(axes));
      const ids = expected.map(({ runId }) => runId);
      expect(new Set(ids).size).toBe(ids.length);
      expect(unsaid(keys)).toBeUndefined();
      const grid = readGrid(gridCsv(expected.map((each) => each.key)), 'grid.csv');
      expect(grid.rows.map(({ runId }) => runId)).toEqual(ids);
    }),
  );
});

test('seeds of which one is none keep their row in a file of one column', () => {
  const keys = [null, 1].map((seed) => ({ ...BASE, dataset: 'default', method: 'default', seed }));
  expect(columnsOf(keys)).toEqual(['seed']);
  expect(readGrid(gridCsv(keys), 'grid.csv').rows.map((row) => row.key.seed)).toEqual([null, 1]);
});

test('what CSV cannot say is named', () => {
  expect(unsaid([{ ...BASE, subject: '' }])).toEqual({ field: 'subject', value: '' });
  expect(unsaid([{ ...BASE, method: 'a\0b' }])).toEqual({ field: 'method', value: 'a\0b' });
});

test('each expected run has one state, and the states add up', () => {
  const states = fc.constantFrom('completed', 'failed', 'timeout', 'running', 'pending', 'missing');
  fc.assert(
    fc.property(fc.array(states, { maxLength: 30 }), (wanted) => {
      const rows = wanted.map((_, seed) => ({ row: seed + 1, key: { ...BASE, seed }, runId: `run${seed}` }));
      const seen = new Map(
        wanted.flatMap((status, seed) =>
          status === 'missing' ? [] : [[`run${seed}`, { status, reason: null }] as const],
        ),
      );
      const cells = cellsOf(rows, seen);
      expect(cells.map(({ state }) => state)).toEqual(wanted);
      expect(Object.values(tally(cells)).reduce((sum, count) => sum + count, 0)).toBe(wanted.length);
    }),
  );
});

const BASE: RunKey = {
  experiment_number: 1,
  dataset: 'iris',
  method: 'mlp',
  subject: null,
  cl_info: null,
  seed: 1,
};
