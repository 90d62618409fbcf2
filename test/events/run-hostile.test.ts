import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { RunfoldError } from '../../src/errors.ts';
import { removeProcessHooks } from '../../src/events/process-hooks.ts';
import type { RunOptions } from '../../src/events/run-options.ts';
import { bench, useWith } from './run-bench.ts';

afterEach(removeProcessHooks);

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  key: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('loss', 'epoch', 'step', 'extra', '__proto__', 'toJSON', 'results'),
  ),
});

function hostile(): unknown[] {
  const cycle: Record<string, unknown> = { name: 'cycle' };
  cycle['self'] = [cycle, new Map([['again', cycle]])];
  let deep: unknown = 'bottom';
  for (let level = 0; level < 5000; level += 1) deep = level % 2 === 0 ? [deep] : { deep };
  let wide: unknown[] = ['leaf'];
  for (let level = 0; level < 40; level += 1) wide = [wide, wide];
  const badGetter = Object.defineProperty({ good: 1 }, 'bad', {
    enumerable: true,
    get() {
      throw new Error('no');
    },
  });
  const badJson = {
    toJSON() {
      throw new Error('no');
    },
  };
  const proxy = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no');
      },
      get: () => {
        throw new Error('no');
      },
    },
  );
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  return [
    cycle,
    deep,
    wide,
    badGetter,
    badJson,
    { in: badJson },
    proxy,
    { in: proxy },
    revoked,
    { in: revoked },
    new Map([[wide, wide]]),
    null,
    undefined,
    Symbol('s'),
    () => 1,
    NaN,
    'x'.repeat(2_000_000),
    '\ud800',
    { '\ud800': '\udfff' },
  ];
}

describe('whatever it is given', () => {
  it('no method throws, and readers accept every line', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const { create, events } = bench();
        const run = create();
        useWith(run, value);
        expect(events().length).toBeGreaterThan(2);
      }),
      { numRuns: 150 },
    );
  });

  // by number, because vitest would print the values for the titles, and some cannot be printed
  it.each(hostile().map((_, at) => at))('hostile value %i does not either', async (at) => {
    const value = hostile()[at];
    const { create, events, said } = bench();
    const run = create({ config: { value }, tags: [value as string], notes: value as string });
    useWith(run, value);
    await run.close({ results: { value }, reason: value as string });
    expect(events().at(-1)).toMatchObject({ status: 'completed' });
    for (const line of said) expect(line).toMatch(/^runfold: [^\n\u001b]*$/);
  });

  it('create throws nothing but RunfoldError', () => {
    fc.assert(
      fc.property(anything, anything, (one, other) => {
        const { create } = bench();
        for (const options of [
          { config: one, notes: other },
          { clInfo: one, tags: other },
          { subject: one, dataset: other },
          { config: { lr: one }, keyFromConfig: ['lr'] },
        ]) {
          try {
            create(options as RunOptions);
          } catch (error) {
            expect(error).toBeInstanceOf(RunfoldError);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});
