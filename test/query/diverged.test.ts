// A run that diverged is visible as diverged, whatever else it logs, and wherever it is asked for.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runId } from '../../src/events/run-id.ts';
import { divergedMetrics } from '../../src/query/diverged.ts';
import { getRunMetrics, type MetricPoint } from '../../src/query/index.ts';
import { history, ledgerOf, RUNS } from './histories.ts';
import { created, keyOf, of, TestLedger, type Entry, type Fields } from './ledger.ts';

const KEY = keyOf(1);
const RUN = runId(KEY);

async function ledger(entries: readonly Entry[], attempts?: readonly string[]): Promise<TestLedger> {
  const built = new TestLedger(attempts);
  await built.add(entries);
  return built;
}

function point(fields: Fields, file = 0): Entry {
  return { file, fields: of(KEY, 'metric', 1, { elapsed_seconds: 1, ...fields }) };
}

function valuesOf({ extra, ...point }: MetricPoint): [string, number | null][] {
  const columns = ['loss', 'f1', 'fitness', 'behavioral_comparison', 'gpu_memory_mb'] as const;
  return [
    ...columns.map((name): [string, number | null] => [name, point[name]]),
    ...Object.entries(extra ?? {}).map(([name, value]): [string, number] => [`extra.${name}`, value]),
  ];
}

describe('divergedMetrics', () => {
  it('has the metrics whose last value in the view is not finite', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (happened) => {
        const { db } = await ledgerOf(happened);
        for (const run of RUNS.map(runId)) {
          const last = new Map<string, number>();
          for (const [name, value] of getRunMetrics(db, run).flatMap(valuesOf)) {
            if (value !== null) last.set(name, value);
          }
          const expected = [...last].filter(([, value]) => !Number.isFinite(value));
          const words = expected.map(([name, value]): [string, string] => [name, String(value)]);
          expect(new Map(divergedMetrics(db, run))).toEqual(new Map(words));
        }
        db.close();
      }),
      { numRuns: 150 },
    );
  });

  it('is not hidden by what other processes log, however much that is', async () => {
    const others = Array.from({ length: 300 }, (_, step) => point({ step, gpu_memory_mb: 100 }, 1));
    const { db } = await ledger(
      [
        { file: 0, fields: created(KEY, 0) },
        point({ step: 1, loss: 0.5, extra: { acc: 0.1 } }),
        point({ step: 2, loss: 'NaN', extra: { acc: '-Infinity' } }),
        ...others,
      ],
      ['a', 'a'],
    );
    expect([...divergedMetrics(db, RUN)]).toEqual([
      ['loss', 'NaN'],
      ['extra.acc', '-Infinity'],
    ]);
  });

  it('is not hidden by a resumed attempt that logs something else, but is by a better last value', async () => {
    const { db } = await ledger(
      [
        { file: 0, fields: created(KEY, 0) },
        point({ step: 1, loss: 'NaN', extra: { acc: 'NaN' } }),
        { file: 1, fields: created(KEY, 5, { resume: true }) },
        point({ step: 2, extra: { acc: 0.4, val: 0.3 } }, 1),
      ],
      ['a', 'b'],
    );
    expect([...divergedMetrics(db, RUN)]).toEqual([['loss', 'NaN']]);
  });

  it('is read from an index, so that it costs nothing where all is finite', () => {
    const { db } = new TestLedger();
    const plan = db
      .prepare<[], { detail: string }>(
        "EXPLAIN QUERY PLAN SELECT seq FROM run_metrics WHERE run_id = 'x' AND nonfinite IS NOT NULL LIMIT 1",
      )
      .all();
    expect(plan.map(({ detail }) => detail)).toEqual([
      'SEARCH run_metrics USING COVERING INDEX run_metrics_nonfinite (run_id=?)',
    ]);
  });
});
