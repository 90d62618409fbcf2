import { describe, expect, it } from 'vitest';
import { metricAt } from '../../src/query/metric-at.ts';
import { runId } from '../../src/events/run-id.ts';
import { created, keyOf, of, TestLedger, type Fields } from './ledger.ts';

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
  return metricAt(built.db, runId(KEY), TEST, { bestOf: VAL, goal: 'max' });
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
    expect(metricAt(built.db, runId(KEY), TEST, { bestOf: VAL, goal: 'max' })).toBe(1.5);
  });
});
