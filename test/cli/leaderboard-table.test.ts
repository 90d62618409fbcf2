import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { printTable } from '../../src/cli/format/format.ts';
import type { Format } from '../../src/cli/format/table.ts';
import type { BoardDisplay } from '../../src/cli/leaderboard-display.ts';
import { labelText, relabelled } from '../../src/cli/leaderboard-labels.ts';
import { boardRecords, boardTable } from '../../src/cli/leaderboard-table.ts';
import type { Label, Leaderboard, LeaderboardCell } from '../../src/query/index.ts';
import { pairedT, summarize } from '../../src/query/statistics.ts';

const PLAIN: BoardDisplay = { spread: 'std', digits: 3, scale: 1, isMarked: true, hasCounts: true };

function cellOf(values: readonly number[], more: Partial<LeaderboardCell> = {}): LeaderboardCell {
  return {
    ...summarize(values),
    seen: values.length,
    withoutValue: 0,
    diverged: { withValue: 0, withoutValue: 0 },
    values: values.map((value, seed) => ({ run_id: `run${seed}`, seed, value })),
    rank: null,
    pairedTest: null,
    mixed: [],
    ...more,
  };
}

const BEST = [0.95, 0.96, 0.94];
const SECOND = [0.9, 0.91, 0.88];
const BOARD: Leaderboard = {
  metric: { kind: 'column', name: 'f1' },
  goal: 'max',
  at: 'final',
  fields: { rows: 'method', columns: 'dataset' },
  rows: ['cnn', 'mlp', 'ours', null],
  columns: ['iris', 'mnist'],
  cells: [
    [cellOf([0.5], { seen: 2 }), null],
    [
      cellOf(SECOND, {
        rank: 'second',
        pairedTest: {
          against: 'ours',
          ...(pairedT(SECOND.map((value, index) => [value, BEST[index] ?? 0])) ?? fail()),
        },
      }),
      cellOf([], { seen: 4 }),
    ],
    [cellOf(BEST, { rank: 'best', seen: 4 }), cellOf([-0.0001, 0.0001], { rank: 'best' })],
    [null, null],
  ],
  mixed: [],
  totals: {
    seen: 15,
    counted: 9,
    withoutValue: 0,
    otherStatus: 6,
    diverged: { withValue: 0, withoutValue: 0 },
  },
};

function fail(): never {
  throw new Error('the pairs differ, so there is a test');
}

function printed(board: Leaderboard, display: BoardDisplay = PLAIN, format: Format = 'table'): string {
  return printTable(boardTable(board, display), format, { width: undefined, isColoured: false });
}

/** The lines of the table alone. */
function rowsOf(text: string): string[] {
  return text.slice(0, text.indexOf('\n\n')).split('\n');
}

describe('for people', () => {
  test('a table, with what it means', () => {
    expect(printed(BOARD)).toBe(
      `method  iris                   mnist
cnn     0.500 (1/2)            -
mlp     0.897 ± 0.015 (3/3) †  (0/4)
ours    0.950 ± 0.010 (3/4) *  0.000 ± 0.000 (2/2) *
-       -                      -

f1, final value, by method and dataset: mean ± sample std (runs that count / runs seen)
higher is better, * is the best of its column
a cell without these numbers has no run
† differs from the best of its column: two-sided paired t-test over runs of the same key, p < 0.05, uncorrected
6 runs have another status, and do not count
`,
    );
  });

  test('per cent, with other digits', () => {
    const rows = rowsOf(printed(BOARD, { ...PLAIN, digits: 1, scale: 100 }));
    expect(rows[2]).toBe('mlp     89.7 ± 1.5 (3/3) †  (0/4)');
  });

  test('confidence intervals', () => {
    const rows = rowsOf(printed(BOARD, { ...PLAIN, spread: 'ci' }));
    // 0.95 ± 4.3027 · 0.01 / √3
    expect(rows[3]).toBe('ours    0.950 [0.925, 0.975] (3/4) *  0.000 [-0.001, 0.001] (2/2) *');
  });

  test('no spread', () => {
    expect(rowsOf(printed(BOARD, { ...PLAIN, spread: 'none' }))[3]).toBe(
      'ours    0.950 (3/4) *  0.000 (2/2) *',
    );
  });

  test('counts only where a run is missing', () => {
    const text = printed(BOARD, { ...PLAIN, hasCounts: false });
    expect(rowsOf(text)[2]).toBe('mlp     0.897 ± 0.015 †        (0/4)');
    expect(rowsOf(text)[3]).toBe('ours    0.950 ± 0.010 (3/4) *  0.000 ± 0.000 *');
    expect(text).toContain('(runs that count / runs seen, where these differ)');
  });

  test('LaTeX has bold and underlined cells', () => {
    const text = printed(BOARD, { ...PLAIN, isMarked: false }, 'latex');
    expect(text).toContain(String.raw`mlp & \underline{0.897 $\pm$ 0.015 (3/3) $\dagger$} & (0/4) \\`);
    expect(text).toContain(String.raw`ours & \textbf{0.950 $\pm$ 0.010 (3/4)} & `);
  });

  test('in a narrow terminal data sets go below, and the legend is broken', () => {
    const columns = ['iris', 'mnist', 'wine', 'cifar-100', 'a-data-set-with-a-long-name'];
    const cells = BOARD.cells.map((row) => columns.map((_, index) => row[index % 2] ?? null));
    const table = boardTable({ ...BOARD, columns, cells }, PLAIN);
    const all = printTable(table, 'table', { width: undefined, isColoured: false });
    for (const width of [200, 118, 80, 60, 40, 31]) {
      const text = printTable(table, 'table', { width, isColoured: false });
      for (const line of text.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(width);
      for (const figure of ['0.897 ± 0.015 (3/3) †', '0.950 ± 0.010 (3/4) *', '0.000 ± 0.000 (2/2) *'])
        expect(text.split(figure)).toHaveLength(all.split(figure).length);
      const headings = text.split('\n').filter((line) => line.startsWith('method'));
      expect(
        headings
          .join(' ')
          .split(/ +/)
          .filter((word) => word !== 'method'),
      ).toHaveLength(5);
    }
  });

  test.each<[string, Partial<Leaderboard>, string]>([
    [
      'an extra metric named as a column is',
      { metric: { kind: 'extra', name: 'loss' } },
      'extra.loss, final value, by',
    ],
    ['a result named as a column is', { metric: { kind: 'result', name: 'f1' }, at: null }, 'results.f1, by'],
    ['another result', { metric: { kind: 'result', name: 'acc' }, at: null }, 'acc, by'],
    [
      'a place by an extra metric named as a column is',
      { at: { metric: { kind: 'extra', name: 'loss' }, goal: 'min' } },
      'f1 at the lowest extra.loss, by',
    ],
    ['the best of a curve', { at: 'best', goal: 'min' }, 'f1, lowest value of each run, by'],
    [
      'a place',
      { at: { metric: { kind: 'extra', name: 'val/acc' }, goal: 'max' } },
      'f1 at the highest val/acc, by',
    ],
    ['a result', { at: null, metric: { kind: 'result', name: 'test.f1' } }, '\ntest.f1, by'],
    ['what is good', { goal: 'min' }, '\nlower is better'],
    [
      'what is mixed',
      { mixed: [{ field: 'cl_info', values: 3 }] },
      'cells mix 3 values of cl_info: filter by it, or make it the rows or columns',
    ],
    [
      'what is missing',
      { totals: { ...BOARD.totals, withoutValue: 1 } },
      '1 run has no value, and does not count',
    ],
  ])('a note says %s', (_, more, note) => {
    expect(printed({ ...BOARD, ...more })).toContain(note);
  });

  test('labels that are hostile, the same, or many do no harm', () => {
    const label: fc.Arbitrary<Label> = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constant('column 0'),
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.array(label, { maxLength: 5 }), (columns) => {
        const board = { ...BOARD, columns, cells: [columns.map(() => null)], rows: ['x'] };
        const lines = printed(board).split('\n');
        expect(lines[1]?.split('  ').filter((text) => text !== '')).toHaveLength(columns.length + 1);
        expect(JSON.parse(printed(board, PLAIN, 'json'))).toHaveLength(1);
      }),
    );
  });
});

describe('for programs', () => {
  test('one record a cell, numbers as they are', () => {
    const text = printTable(boardRecords(BOARD), 'ndjson', { width: undefined, isColoured: false });
    const records = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records).toHaveLength(8);
    expect(records[0]).toEqual({
      row: 'cnn',
      column: 'iris',
      n: 1,
      seen: 2,
      diverged: 0,
      mean: 0.5,
      std: null,
      ci_low: null,
      ci_high: null,
      min: 0.5,
      max: 0.5,
      rank: null,
      p: null,
      pairs: null,
    });
    const { mean, std, ci95 } = summarize(SECOND);
    expect(records[2]).toMatchObject({
      mean,
      std,
      ci_low: ci95?.[0],
      ci_high: ci95?.[1],
      rank: 'second',
      pairs: 3,
    });
    expect(records[7]).toMatchObject({ row: null, column: 'mnist', n: 0, seen: 0, mean: null });
  });
});

describe('relabelled', () => {
  test('names come instead of labels, and first what is wanted first', () => {
    const board = relabelled(BOARD, { rename: ['ours=Ours (v2)', '-=none'], order: ['none,ours', 'mnist'] });
    expect(board.rows).toEqual(['none', 'Ours (v2)', 'cnn', 'mlp']);
    expect(board.columns).toEqual(['mnist', 'iris']);
    expect(board.cells[1]).toEqual(BOARD.cells[2]?.toReversed());
  });

  test('any label may be renamed and ordered', () => {
    const plain = fc.string({ minLength: 1 }).filter((text) => !text.includes('='));
    const label = fc.oneof(plain, fc.constantFrom('a=b', 'a', 'a,b', 'b'));
    fc.assert(
      fc.property(fc.uniqueArray(label, { minLength: 2, maxLength: 6 }), (rows) => {
        const board = { ...BOARD, rows, columns: [], cells: rows.map(() => []) };
        const last = rows.at(-1) ?? '';
        expect(relabelled(board, { order: [last] }).rows).toEqual([last, ...rows.slice(0, -1)]);
        const name = `!${rows.join('')}`;
        expect(relabelled(board, { rename: [`${last}=${name}`] }).rows.map(labelText)).toEqual([
          ...rows.slice(0, -1),
          name,
        ]);
      }),
    );
  });

  test.each<[string, object, RegExp]>([
    ['a label that is not there', { rename: ['svm=SVM'] }, /no row or column is called "svm"/],
    ['no new name', { rename: ['ours'] }, /does not say what to rename/],
    ['a name that is taken', { rename: ['ours=mlp'] }, /two rows or two columns would be called "mlp"/],
    ['an order of what is not there', { order: ['ours,svm'] }, /no row or column is called "svm"/],
  ])('%s is refused', (_, options, said) => {
    expect(() => relabelled(BOARD, options)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringMatching(said) as string }),
    );
  });
});
