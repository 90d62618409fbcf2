import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareMetricAt, type CurveMetric, type Place } from '../../src/query/metric-at.ts';
import { runId } from '../../src/events/run-id.ts';
import { history, ledgerOf, NAMES, RUNS } from './histories.ts';
import { created, keyOf, of, TestLedger, type Fields } from './ledger.ts';
import { ledgerOfLong, longRun, LONG_RUN } from './long-runs.ts';
import { metricAtByTheRule } from './metric-at-model.ts';

const KEY = keyOf(1);
const VAL = { kind: 'extra', name: 'val' } as const;
const TEST = { kind: 'extra', name: 'test' } as const;

/** The test value where val is highest. */
async function chosen(...points: Fields[]): Promise<number | null> {
  const built = new TestLedger();
  const lines = [
    created(KEY, 0),
    ...points.map((fields) => of(KEY, 'metric', 1, { elapsed_seconds: 1, ...fields })),
  ];
  await built.add(lines.map((fields) => ({ file: 0, fields })));
  return prepareMetricAt(built.db, TEST, { bestOf: VAL, goal: 'max' })(runId(KEY));
}

function val(value: number | string, more: Fields = {}): Fields {
  return { ...more, extra: { val: value } };
}

function test(value: number | string, more: Fields = {}): Fields {
  return { ...more, extra: { test: value } };
}

describe('the value where another metric is best', () => {
  it('is that of the same point', async () => {
    const both = { step: 2, extra: { val: 0.9, test: 0.7 } };
    expect(await chosen(test(0.1, { step: 1 }), both, test(0.8, { step: 2 }))).toBe(0.7);
  });

  it('is never the best test value', async () => {
    expect(await chosen({ extra: { val: 0.9, test: 0.5 } }, { extra: { val: 0.8, test: 0.99 } })).toBe(0.5);
  });

  it('is where it was best for the first time', async () => {
    const points = [0.5, 0.9, 0.9].map((value, index) => ({ extra: { val: value, test: index } }));
    expect(await chosen(...points)).toBe(1);
  });

  it('is that of the same step, of several the last, else of the same epoch', async () => {
    const at = { step: 5, epoch: 1 };
    const sameEpoch = test(0.3, { step: 6, epoch: 1 });
    expect(await chosen(val(0.9, at), test(0.1, { step: 5 }), test(0.2, { step: 5 }), sameEpoch)).toBe(0.2);
    expect(await chosen(sameEpoch, val(0.9, at))).toBe(0.3);
    expect(await chosen(val(0.9, { epoch: 1 }), test(0.4, { epoch: 1 }), test(0.5, { epoch: 2 }))).toBe(0.4);
  });

  it('is none where there is none, and no other one is taken for it', async () => {
    expect(await chosen(val(0.9, { step: 1 }), test(0.1, { step: 2 }))).toBeNull();
    expect(await chosen(val(0.9), test(0.1))).toBeNull();
    expect(await chosen(test(0.1, { step: 1 }))).toBeNull();
  });

  it('is none where it is not finite, and the best is finite', async () => {
    expect(await chosen({ step: 1, extra: { val: 0.9, test: 'NaN' } }, test(0.1, { step: 1 }))).toBeNull();
    expect(await chosen(val('Infinity', { step: 1 }), { step: 2, extra: { val: 0.5, test: 0.2 } })).toBe(0.2);
  });

  it('is not looked for in what a resumed attempt went over again', async () => {
    const built = new TestLedger(['a', 'b']);
    const point = (step: number, value: number): Fields =>
      of(KEY, 'metric', 1, { elapsed_seconds: 1, step, extra: { val: value, test: step + value } });
    await built.add([
      { file: 0, fields: created(KEY, 0) },
      { file: 0, fields: point(1, 0.5) },
      { file: 0, fields: point(2, 0.9) },
      { file: 1, fields: created(KEY, 2, { resume: true }) },
      { file: 1, fields: point(2, 0.25) },
    ]);
    expect(prepareMetricAt(built.db, TEST, { bestOf: VAL, goal: 'max' })(runId(KEY))).toBe(1.5);
  });
});

const curve = (names: readonly string[]): fc.Arbitrary<CurveMetric> =>
  fc.oneof(
    fc.constantFrom('loss', 'gpu_memory_mb').map((name): CurveMetric => ({ kind: 'column', name })),
    fc.constantFrom(...names).map((name): CurveMetric => ({ kind: 'extra', name })),
  );
const goal = fc.constantFrom('min', 'max');
const questions = (names: readonly string[]): fc.Arbitrary<{ metric: CurveMetric; place: Place }[]> => {
  const place: fc.Arbitrary<Place> = fc.oneof(
    { weight: 1, arbitrary: fc.constant('final' as const) },
    { weight: 1, arbitrary: goal.map((best) => ({ best })) },
    { weight: 4, arbitrary: fc.record({ bestOf: curve(names), goal }) },
  );
  return fc.array(fc.record({ metric: curve(names), place }), { minLength: 10, maxLength: 20 });
};

describe('is what all points say, word by word', () => {
  it('of any history', async () => {
    await fc.assert(
      fc.asyncProperty(history, questions(NAMES), async (given, asked) => {
        const { db } = await ledgerOf(given);
        for (const { metric, place } of asked) {
          const valueOf = prepareMetricAt(db, metric, place);
          for (const run of RUNS.map((key) => runId(key))) {
            expect(valueOf(run)).toBe(metricAtByTheRule(db, run, metric, place));
          }
        }
        db.close();
      }),
      { numRuns: 100 },
    );
  });

  it('of long runs, of which blocks are kept', async () => {
    const names = ['val', '__proto__', 'a"b', 'é\n', 'loss', 'nothing'];
    await fc.assert(
      fc.asyncProperty(longRun, questions(names), async (given, asked) => {
        const { db } = await ledgerOfLong(given);
        for (const { metric, place } of asked) {
          expect(prepareMetricAt(db, metric, place)(LONG_RUN)).toBe(
            metricAtByTheRule(db, LONG_RUN, metric, place),
          );
        }
        db.close();
      }),
      { numRuns: 6 },
    );
  });
});
