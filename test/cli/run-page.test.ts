// One run on a page.
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { runPage, type RunReport } from '../../src/cli/run-page.ts';
import type { RunResults } from '../../src/query/results.ts';
import type { RunRecord } from '../../src/query/run-record.ts';

const NOW = Date.parse('2026-11-23T12:00:00.000Z');
const RUN = {
  run_id: '9z3z3b6emkgwjej4',
  status: 'completed',
  experiment_number: 1,
  dataset: 'iris',
  method: 'mlp',
  tags: [],
  config: {},
  created_at: '2026-11-23T11:59:00.000Z',
} as Partial<RunRecord>;

/** A page of a run that has what is given, and nothing else. */
function page(
  run: Partial<RunRecord>,
  results: Partial<RunResults> = {},
  diverged: RunReport['diverged'] = {},
): string[] {
  const none = { get: (given: object, name: string): unknown => Reflect.get(given, name) ?? null };
  return runPage(
    {
      run: new Proxy({ ...RUN, ...run }, none) as RunRecord,
      attempts: [],
      results: new Proxy({ points: 0, ...results }, none) as RunResults,
      diverged,
      errors: [],
      slurm_jobs: [],
    },
    NOW,
  );
}

test('texts begin in one column, however wide the labels and whatever is in them', () => {
  const extra = { 精度: 0.5, 'val/acc': 0.5, 'a\u001b[2J': 0.5, 'naïve 👨\u200d👩\u200d👧': 0.5 };
  const all = Object.entries(extra).map(([name, final]) => [name, { min: 0, max: 1, final }]);
  const lines = page({}, { points: 3, extra: Object.fromEntries(all) as RunResults['extra'] });
  const metrics = lines.slice(lines.indexOf('metrics') + 1);
  const places = metrics
    .filter((line) => line.includes('final'))
    .map((line) => stringWidth(line.split('final')[0] ?? ''));
  expect(places).toHaveLength(4);
  expect(new Set(places).size).toBe(1);
  expect(metrics.join('')).toContain(String.raw`a\x1b[2J`);
});

test('each line of a note is a line, and none acts or passes for another', () => {
  const lines = page({ notes: 'first line\r\nsecond\u001b[2J line\n\nstatus  failed' });
  const first = lines.findIndex((line) => line.startsWith('notes '));
  expect(lines.slice(first, first + 4)).toEqual([
    'notes       first line',
    String.raw`            second\x1b[2J line`,
    '',
    '            status  failed',
  ]);
  expect(lines.join('')).not.toMatch(/\p{C}/u);
});

test('a metric that is named as a column is keeps extra. before its name', () => {
  const extra = { loss: { min: 1, max: 2, final: 2 }, points: { min: 1, max: 2, final: 2 } };
  const lines = page({}, { points: 3, best_loss: 0.1, final_loss: 0.2, extra }, { 'extra.f1': 'NaN' });
  const labels = lines.slice(lines.indexOf('metrics') + 1).map((line) => line.trim().split(/ {2,}/)[0]);
  expect(labels).toEqual(['loss', 'extra.loss', 'extra.points', 'extra.f1', 'points']);
});
