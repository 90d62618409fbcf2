// The table of runs in terminals of all widths.
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import type { Table } from '../../src/cli/format/table.ts';
import { terminal } from '../../src/cli/format/terminal.ts';
import { narrowed } from '../../src/cli/format/widths.ts';
import { USUAL_FIELDS, usualTable, type UsualField } from '../../src/cli/run-table.ts';
import { RUN_STATUSES } from '../../src/events/event.ts';

const NOW = Date.parse('2026-11-23T12:00:00.000Z');
/** Run, status, data set and method, each as narrow as it can be. */
const LEAST = 8 + 9 + 8 + 8 + 3 * 2;

type Run = Partial<Record<UsualField, unknown>>;

function tableOf(...runs: readonly Run[]): Table {
  return usualTable(
    runs.map((run) => USUAL_FIELDS.map((field) => run[field] ?? null)),
    NOW,
  );
}

function shown(table: Table, width: number): string[] {
  return terminal(narrowed(table, width), { width, isColoured: false }).trimEnd().split('\n');
}

const DEMO: Run = {
  run_id: 'xhtfpe6s12345678',
  status: 'completed',
  experiment_number: 1,
  dataset: 'wine',
  method: 'random-forest',
  seed: 3,
  attempt_count: 1,
  last_epoch: 40,
  'final.loss': 0.055_171,
  'final.f1': 0.9743,
  started_at: '2026-11-23T11:48:00.000Z',
  duration_seconds: 61,
  tags: ['base'],
  extra: { 'val/acc': { final: 0.9722 }, 'val/loss': { final: 0.1854 } },
  results: { test_accuracy: 0.9722 },
};

describe('what has no room is left out, the least useful first', () => {
  test.each<[number, string]>([
    [140, 'run status dataset method seed epoch loss f1 val/acc val/loss test_accuracy started took tags'],
    [120, 'run status dataset method seed epoch loss f1 val/acc val/loss started took tags'],
    [100, 'run status dataset method seed epoch loss f1 started took tags'],
    [90, 'run status dataset method seed epoch loss f1 started'],
    [80, 'run status dataset method seed epoch loss f1'],
    [60, 'run status dataset method seed loss'],
    [LEAST, 'run status dataset method'],
  ])('in %i columns', (width, headings) => {
    const [heading = '', row = ''] = shown(tableOf(DEMO), width);
    expect(heading.split(/ +/)).toEqual(headings.split(' '));
    expect(stringWidth(heading)).toBeLessThanOrEqual(width);
    if (headings.includes('loss')) expect(row).toContain('0.05517');
    if (width > LEAST) expect(heading + row).not.toContain('…');
  });

  test('and named, as --select takes them', () => {
    expect(narrowed(tableOf(DEMO), 90).leftOut).toEqual([
      'final.val/acc',
      'final.val/loss',
      'results.test_accuracy',
      'duration_seconds',
      'tags',
    ]);
    expect(narrowed(tableOf(DEMO), 140).leftOut).toEqual([]);
  });

  test('numbers that are longer than their columns are rounded, or go with it', () => {
    const losses = [123_456_789.5, 0.000_001_25, 1.5e-30];
    const table = tableOf(...losses.map((loss) => ({ ...DEMO, 'final.loss': loss })));
    for (let width = LEAST; width < 140; width += 1) {
      const [heading = '', ...rows] = shown(table, width);
      const place = heading.split(/ +/).indexOf('loss');
      if (place === -1) continue;
      for (const [index, row] of rows.entries()) {
        const number = Number(row.trim().split(/ {2,}/)[place]);
        expect(Math.abs(number / (losses[index] ?? 0) - 1)).toBeLessThan(0.01);
      }
    }
  });

  test('metrics beyond the first five are named, not passed over', () => {
    const extra = Object.fromEntries([1, 2, 3, 4, 5].map((each) => [`m${each}`, { final: each }]));
    const { columns, leftOut } = tableOf({ ...DEMO, extra, results: { 'a.b': 1 } });
    expect(columns.map(({ label, name }) => label ?? name)).toEqual(
      'run status dataset method seed epoch loss f1 m1 m2 m3 started took tags'.split(' '),
    );
    expect(leftOut).toEqual(['final.m4', 'final.m5', 'results."a.b"']);
  });
});

test('two columns never have one heading, nor one name', () => {
  const names = ['loss', 'epoch', 'run', 'acc', 'extra.acc', 'behavioral', '__proto__'];
  const extra = Object.fromEntries(names.map((name, index) => [name, { final: index }]));
  const { columns, leftOut = [] } = tableOf({
    ...DEMO,
    'final.f1': null,
    extra: { loss: extra['loss'], epoch: extra['epoch'] },
    results: { loss: 1, acc: 2 },
  });
  expect(columns.map(({ label }) => label).filter((label) => /loss|epoch|acc/.test(label ?? ''))).toEqual([
    'epoch',
    'loss',
    'extra.loss',
    'extra.epoch',
    'results.loss',
    'acc',
  ]);
  expect(columns.map(({ name }) => name)).toEqual(expect.arrayContaining(['final.loss', 'final.extra.loss']));
  expect(leftOut).toEqual([]);

  const name = fc.constantFrom(...names);
  const values = fc.dictionary(name, fc.integer());
  fc.assert(
    fc.property(values, values, (finals, results) => {
      const metrics = Object.entries(finals).map(([metric, final]) => [metric, { final }]);
      const table = tableOf({ ...DEMO, extra: Object.fromEntries(metrics) as object, results });
      const headings = table.columns.map(({ label, name: key }) => label ?? key);
      expect(new Set(headings).size).toBe(headings.length);
      const keys = [...table.columns.map(({ name: key }) => key), ...(table.leftOut ?? [])];
      expect(new Set(keys).size).toBe(keys.length);
    }),
  );
});

test('any runs fit any terminal that has room for the four columns that stay, and nothing is lost unsaid', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.constantFrom('wine', '中'.repeat(9)),
  );
  const number = fc.double({ noNaN: true });
  const metrics = fc.dictionary(text, number, { maxKeys: 7 });
  const run = fc.record(
    {
      run_id: fc.stringMatching(/^[0-9a-z]{16}$/),
      status: fc.constantFrom(...RUN_STATUSES),
      status_reason: text,
      experiment_number: fc.maxSafeInteger(),
      dataset: text,
      method: text,
      subject: text,
      cl_info: text,
      seed: fc.maxSafeInteger(),
      attempt_count: fc.integer({ min: 1, max: 99 }),
      last_epoch: fc.nat(),
      'final.loss': number,
      'final.f1': fc.constant('NaN'),
      started_at: fc.constant('2026-11-20T11:48:00.000Z'),
      duration_seconds: fc.nat(),
      tags: fc.array(text, { maxLength: 3 }),
      extra: metrics.map((finals) =>
        Object.fromEntries(Object.entries(finals).map(([name, final]) => [name, { final }])),
      ),
      results: metrics,
    },
    { requiredKeys: ['run_id', 'status', 'dataset', 'method'] },
  );
  const longDigits = /^[^\p{L}]{9,}$/u;
  const runs = fc
    .array(run, { minLength: 1, maxLength: 4 })
    .filter((all) =>
      all.every(({ dataset, method }) => !longDigits.test(dataset) && !longDigits.test(method)),
    );
  fc.assert(
    fc.property(runs, fc.integer({ min: LEAST, max: 200 }), (all, width) => {
      const table = tableOf(...all);
      for (const line of shown(table, width)) expect(stringWidth(line)).toBeLessThanOrEqual(width);
      const { columns, leftOut = [] } = narrowed(table, width);
      expect([...columns.map(({ name }) => name), ...leftOut].toSorted()).toEqual(
        [...table.columns.map(({ name }) => name), ...(table.leftOut ?? [])].toSorted(),
      );
    }),
    { numRuns: 300 },
  );
});
