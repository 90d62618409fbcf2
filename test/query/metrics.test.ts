import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunfoldError } from '../../src/errors.ts';
import { runId } from '../../src/events/run-id.ts';
import {
  getAttempts,
  getRunMetrics,
  getRunResults,
  iterateRunMetrics,
  type MetricPoint,
  type MetricsOptions,
} from '../../src/query/index.ts';
import { history, KEY, ledgerOf, maybe, NAMES, RUN, RUNS } from './histories.ts';
import { created, HAND_MADE, of, TestLedger, type Entry } from './ledger.ts';
import { comparable, pointOf, pointsByTheRule } from './view-rule.ts';

describe('getRunMetrics', () => {
  it('gives the points of the view, and all points, as the rule says', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (happened) => {
        const built = await ledgerOf(happened);
        const { db } = built;
        for (const run of RUNS.map(runId)) {
          const expected = pointsByTheRule(built.events(), run);
          const inView = expected.filter((point) => !point.superseded);
          expect(comparable(getRunMetrics(db, run))).toEqual(comparable(inView.map(pointOf)));
          expect(comparable(getRunMetrics(db, run, { view: 'all' }))).toEqual(
            comparable(expected.map(pointOf)),
          );
          expect(comparable([...iterateRunMetrics(db, run)])).toEqual(comparable(inView.map(pointOf)));
          const hasAttempt = getAttempts(db, run).length > 0;
          expect(getRunResults(db, run)?.points ?? 0).toBe(hasAttempt ? inView.length : 0);
        }
        db.close();
      }),
      { numRuns: 400 },
    );
  });

  it('keeps to a range and to names, whatever they are', async () => {
    const bound = maybe(fc.oneof(fc.integer({ min: -1, max: 7 }), fc.constantFrom(-Infinity, Infinity, 2.5)));
    const name = fc.oneof(fc.constantFrom(...NAMES, 'gpu_memory_mb', 'extra.loss', 'f1'), fc.string());
    const options = fc.record({ from: bound, to: bound, names: maybe(fc.array(name, { maxLength: 3 })) });
    await fc.assert(
      fc.asyncProperty(history, fc.array(options, { maxLength: 5 }), async (happened, asked) => {
        const { db } = await ledgerOf(happened);
        const all = getRunMetrics(db, RUN, { view: 'all' });
        for (const { from, to, names } of asked) {
          const ranged = all.filter((point) => {
            const at = point.step ?? point.epoch ?? Number.NaN;
            return (from === undefined || at >= from) && (to === undefined || at <= to);
          });
          const expected = names === undefined ? ranged : ranged.flatMap((point) => projected(point, names));
          const found = getRunMetrics(db, RUN, { view: 'all', from, to, names });
          expect(comparable(found)).toEqual(comparable(expected));
        }
        db.close();
      }),
      { numRuns: 150 },
    );
  });

  it('reads series longer than a page, of attempts that alternate in one writer', async () => {
    const built = new TestLedger(['a']);
    const entries: Entry[] = [
      { file: 0, fields: created(KEY, 0, { attempt: 'a' }) },
      { file: 0, fields: created(KEY, 1, { attempt: 'b', resume: true }) },
    ];
    const steps = Array.from({ length: 3000 }, (_, step) => step);
    for (const step of steps) {
      const attempt = isOfA(step) ? 'a' : 'b';
      entries.push({ file: 0, fields: of(KEY, 'metric', 2, { attempt, elapsed_seconds: step, step }) });
    }
    await built.add(entries);
    const stepsOf = (options: MetricsOptions): unknown[] =>
      getRunMetrics(built.db, RUN, options).map((point) => point.step);
    const [ofA, ofB] = [steps.filter(isOfA), steps.filter((step) => !isOfA(step))];
    expect(stepsOf({ view: 'all' })).toEqual([...ofA, ...ofB]);
    expect(stepsOf({})).toEqual([...ofA.filter((step) => step < 1300), ...ofB]);
    expect(stepsOf({ from: 1298, to: 1501 })).toEqual([1298, 1299, ...ofB.filter((step) => step <= 1501)]);
  });

  it('gives back what is not finite as such, whatever its name', async () => {
    const built = new TestLedger();
    const line = {
      elapsed_seconds: 1,
      loss: 'NaN',
      f1: '-Infinity',
      gpu_memory_mb: 'Infinity',
      extra: JSON.parse('{"acc":1,"__proto__":"NaN","extra.acc":"Infinity"}') as unknown,
    };
    await built.add([{ file: 0, fields: of(KEY, 'metric', 0, line) }]);
    const [point] = getRunMetrics(built.db, RUN);
    expect(point).toMatchObject({ loss: Number.NaN, f1: -Infinity, fitness: null, gpu_memory_mb: Infinity });
    expect(Object.entries(point?.extra ?? {})).toEqual([
      ['acc', 1],
      ['__proto__', Number.NaN],
      ['extra.acc', Infinity],
    ]);
  });

  it('has nothing for a run that it does not know', () => {
    const { db } = new TestLedger();
    for (const id of ['0000000000000000', '', '%', "' OR 1=1 --", '\0'])
      expect(getRunMetrics(db, id)).toEqual([]);
  });

  it('refuses options that make no sense', () => {
    const { db } = new TestLedger();
    const wrong: unknown[] = [
      { view: 'raw' },
      { view: null },
      { from: Number.NaN },
      { from: '3' },
      { to: null },
      { names: 'loss' },
      { names: [1] },
      { names: { length: 1 } },
    ];
    for (const options of wrong) {
      expect(() => getRunMetrics(db, RUN, options as object)).toThrow(RunfoldError);
      expect(() => iterateRunMetrics(db, RUN, options as object)).toThrow(RunfoldError);
    }
  });
});

describe('iterateRunMetrics', () => {
  it('gives what was there when it was called, and leaves the connection free', async () => {
    const built = new TestLedger();
    await built.add([{ file: 0, fields: created(KEY, 0) }, pointAt(0), pointAt(1)]);
    const points = iterateRunMetrics(built.db, RUN);
    expect(points.next().value).toMatchObject({ step: 0 });
    await built.add([pointAt(2), { file: HAND_MADE, fields: of(KEY, 'metric', 1, { elapsed_seconds: 1 }) }]);
    expect([...points].map(({ step }) => step)).toEqual([1]);
    expect(getRunMetrics(built.db, RUN)).toHaveLength(4);
  });

  it('may be left unfinished', async () => {
    const built = new TestLedger();
    await built.add([pointAt(0), pointAt(1)]);
    iterateRunMetrics(built.db, RUN).next();
    expect(() => built.db.close()).not.toThrow();
  });
});

/** a has 0 to 1299 and 1400 to 1499; b has 1300 to 1399 and 1500 to 2999. */
function isOfA(step: number): boolean {
  return step < 1300 || (step >= 1400 && step < 1500);
}

function pointAt(step: number): Entry {
  return { file: 0, fields: of(KEY, 'metric', 1, { elapsed_seconds: step, step, loss: step }) };
}

/** What `names` leaves of a point. */
function projected(point: MetricPoint, names: readonly string[]): MetricPoint[] {
  const columns = ['loss', 'f1', 'fitness', 'behavioral_comparison', 'gpu_memory_mb'] as const;
  const isColumn = (name: string): boolean => columns.some((column) => column === name);
  const inExtra = names.filter((name) => !isColumn(name)).map((name) => name.replace(/^extra\./, ''));
  const wanted = new Set(inExtra);
  const kept = Object.entries(point.extra ?? {}).filter(([name]) => wanted.has(name));
  const result = { ...point, extra: kept.length === 0 ? null : Object.fromEntries(kept) };
  for (const column of columns) if (!names.includes(column)) result[column] = null;
  const hasAny = kept.length > 0 || columns.some((column) => result[column] !== null);
  return hasAny ? [result] : [];
}
