import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { formatCondition, OPERATORS, parseCondition, type Condition } from '../../src/query/condition.ts';
import { getAllRuns, selectRuns } from '../../src/query/index.ts';
import { formatPath, parsePath } from '../../src/query/path.ts';
import { created, keyOf, of, TestLedger } from './ledger.ts';
import { HOSTILE } from './run-specs.ts';

const name = fc.oneof(
  fc.constantFrom('lr', 'optimizer', 'a.b', 'x=1', '__proto__', '"', '\\', '', ' ', 'val/acc', ...HOSTILE),
  fc.string({ unit: 'grapheme', maxLength: 5 }),
);
const path = fc.array(name, { minLength: 1, maxLength: 3 });
const text = fc.oneof(
  fc.constantFrom('0.1', '1', 'true', 'null', 'adam', 'ADAM', ' padded ', '"', ...HOSTILE),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
);
const number = fc.oneof(
  fc.constantFrom(0, 1, -1, 0.1, 1e-7, 1e300),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const value = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const op = fc.constantFrom(...OPERATORS);

describe('paths', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(path, (given) => {
        expect(parsePath(formatPath(given))).toEqual(given);
      }),
    );
  });

  it.each(['', '.', 'a.', '.a', 'a..b', '"a', '"a"b', 'a"b"'])('%j is none', (given) => {
    expect(() => parsePath(given)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('parseCondition', () => {
  it('reads what formatCondition writes', () => {
    fc.assert(
      fc.property(path, op, value, (names, operator, given) => {
        const condition: Condition = { field: `config.${formatPath(names)}`, op: operator, value: given };
        const { text: _, ...read } = parseCondition(formatCondition(condition));
        expect(read).toEqual({ ...condition, value: Object.is(given, -0) ? 0 : given });
      }),
    );
  });

  it.each<[string, Condition]>([
    ['config.lr<0.01', { field: 'config.lr', op: '<', value: 0.01, text: '0.01' }],
    ['config.lr <= 1e-3', { field: 'config.lr', op: '<=', value: 0.001, text: '1e-3' }],
    ['dataset=007', { field: 'dataset', op: '=', value: 7, text: '007' }],
    ['dataset="007"', { field: 'dataset', op: '=', value: '007' }],
    ['dataset==iris', { field: 'dataset', op: '=', value: 'iris', text: 'iris' }],
    ['notes~""', { field: 'notes', op: '~', value: '' }],
    ['notes~a=b', { field: 'notes', op: '~', value: 'a=b', text: 'a=b' }],
    ['config."a=b"!=null', { field: 'config."a=b"', op: '!=', value: null, text: 'null' }],
    ['hidden=true', { field: 'hidden', op: '=', value: true, text: 'true' }],
    ['final.val/acc>=.5', { field: 'final.val/acc', op: '>=', value: 0.5, text: '.5' }],
  ])('%s', (given, expected) => expect(parseCondition(given)).toEqual(expected));

  it.each(['', 'lr', '=1', '<', 'a b', 'lr="x', '!'])('%j is no condition', (given) => {
    expect(() => parseCondition(given)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('takes any text for what it is, or refuses it in one line', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), text), (given) => {
        try {
          expect(OPERATORS).toContain(parseCondition(given).op);
        } catch (error) {
          expect(error).toMatchObject({ code: 'usage' });
          expect(String(error)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        }
      }),
    );
  });
});

/** What a condition means, with JavaScript's own values. */
function holds(
  object: unknown,
  names: readonly string[],
  { op: operator, value: wanted }: Condition,
): boolean {
  let found: unknown = object;
  for (const each of names) {
    const isObject = typeof found === 'object' && found !== null && !Array.isArray(found);
    found =
      isObject && Object.hasOwn(found as object, each) ? (found as Record<string, unknown>)[each] : undefined;
  }
  const lower = (given: string): string => given.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  switch (operator) {
    case '=':
      return (found ?? null) === wanted;
    case '!=':
      return (found ?? null) !== wanted;
    case '~':
      return found !== undefined && found !== null && lower(plain(found)).includes(lower(String(wanted)));
    case '!~':
      return !holds(object, names, { field: '', op: '~', value: wanted });
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const isComparable =
        typeof found === typeof wanted && (typeof found === 'number' || typeof found === 'string');
      if (!isComparable) return false;
      const order =
        typeof found === 'number'
          ? found - Number(wanted)
          : Buffer.compare(Buffer.from(String(found)), Buffer.from(String(wanted)));
      return { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[operator];
    }
  }
}

function plain(found: unknown): string {
  return typeof found === 'object' ? JSON.stringify(found) : String(found);
}

const scalar = fc.oneof(
  fc.constantFrom<unknown>(0, 1, 0.5, -2, 'adam', 'Adam', '1', true, false, null, 'nul\0byte', '%', '😀'),
);
const config = fc.dictionary(
  fc.constantFrom('lr', 'a.b', '"', '\\', '__proto__', 'deep', '$', '[0]'),
  fc.oneof(scalar, fc.dictionary(fc.constantFrom('lr', '"', 'x.y'), scalar, { maxKeys: 2 })),
  { maxKeys: 4, noNullPrototype: true },
);
const anyPath = fc.oneof(
  fc.constantFrom(['lr'], ['a.b'], ['"'], ['\\'], ['__proto__'], ['$'], ['[0]']),
  fc.tuple(fc.constantFrom('deep', '"', 'lr'), fc.constantFrom('lr', '"', 'x.y')),
);
const anyCondition = fc.record({ names: anyPath, op, value: scalar as fc.Arbitrary<Condition['value']> });

test('conditions on config hold where plain comparisons do', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(config, { minLength: 1, maxLength: 12 }),
      fc.array(anyCondition, { minLength: 20, maxLength: 40 }),
      async (configs, conditions) => {
        const built = new TestLedger();
        await built.add(
          configs.map((each, seed) => ({ file: 0, fields: created(keyOf(seed), 0, { config: each }) })),
        );
        const all = getAllRuns(built.db);
        for (const { names, op: operator, value: wanted } of conditions) {
          const isOrder = operator.startsWith('<') || operator.startsWith('>');
          if (isOrder && (wanted === null || typeof wanted === 'boolean')) continue;
          const condition: Condition = { field: `config.${formatPath(names)}`, op: operator, value: wanted };
          // a list or an object has no text of its own to be searched
          const isSearch = operator === '~' || operator === '!~';
          const expected = all.filter((run) => holds(run.config, names, condition));
          const found = getAllRuns(built.db, { where: [condition] });
          if (isSearch) {
            const opposite = operator === '~' ? '!~' : '~';
            const others = getAllRuns(built.db, { where: [{ ...condition, op: opposite }] });
            expect(found.length + others.length).toBe(all.length);
          } else expect(found).toEqual(expected);
        }
        built.db.close();
      },
    ),
    { numRuns: 60 },
  );
});

test('a selection has the values that the records have', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(config, { minLength: 1, maxLength: 12 }), anyPath, async (configs, names) => {
      const built = new TestLedger();
      await built.add(
        configs.map((each, seed) => ({ file: 0, fields: created(keyOf(seed), 0, { config: each }) })),
      );
      const selected = selectRuns(built.db, [
        'seed',
        'config',
        `config.${formatPath(names)}`,
        'tags',
        'hidden',
      ]);
      const expected = getAllRuns(built.db).map((run) => {
        let found: unknown = run.config;
        for (const each of names) {
          const isObject = typeof found === 'object' && found !== null;
          found =
            isObject && Object.hasOwn(found as object, each)
              ? (found as Record<string, unknown>)[each]
              : null;
        }
        return [run.seed, run.config, found, run.tags, run.hidden];
      });
      expect(selected).toEqual(expected);
      built.db.close();
    }),
    { numRuns: 60 },
  );
});

describe('fields', () => {
  const ledger = async (): Promise<TestLedger> => {
    const built = new TestLedger();
    const one = keyOf(1, { dataset: '007' });
    const two = keyOf(2, { method: 'Forest' });
    await built.add(
      [
        created(one, 0, { config: { fold: '3', lr: 1 }, tags: ['Base', 'x'] }),
        of(one, 'status_changed', 1, { status: 'running' }),
        of(one, 'metric', 1, { elapsed_seconds: 1, loss: 0.5, f1: 0.7, extra: { 'val.acc': 0.8 } }),
        of(one, 'metric', 2, { elapsed_seconds: 2, loss: 0.6, f1: 0.6, extra: { 'val.acc': 0.7 } }),
        of(one, 'result', 2, { results: { test: { acc: 0.9 } } }),
        of(one, 'status_changed', 3, { status: 'completed', exit_code: 0 }),
        created(two, 0, { config: { fold: 3 } }),
      ].map((fields) => ({ file: 0, fields })),
    );
    return built;
  };

  it.each<[string, number[]]>([
    ['dataset=007', [1]],
    ['dataset="007"', [1]],
    ['dataset=7', []],
    ['config.fold=3', [1, 2]],
    ['config.fold="3"', [1]],
    ['config.fold<4', [2]],
    ['config.lr=null', [2]],
    ['config.lr!=null', [1]],
    ['config.lr!=1', [2]],
    ['method~FOREST', [2]],
    ['variant=null', [1, 2]],
    ['tags=x', [1]],
    ['tags=X', []],
    ['tags!=x', [2]],
    ['tags~BAS', [1]],
    ['tags=null', [2]],
    ['best.loss=0.5', [1]],
    ['final.loss=0.6', [1]],
    ['min.loss<=0.5', [1]],
    ['max.f1=0.7', [1]],
    ['final.val.acc=0.7', [1]],
    ['max."val.acc"=0.8', [1]],
    ['final.extra.val.acc=0.7', [1]],
    ['results.test.acc>0.8', [1]],
    ['exit_code=0', [1]],
    ['exit_code!=0', [2]],
    ['duration=120', [1]],
    ['hidden=false', [1, 2]],
    ['created>=2026-11-23', [1, 2]],
    ['seed<2', [1]],
  ])('%s', async (condition, seeds) => {
    const { db } = await ledger();
    const found = getAllRuns(db, { where: [condition], sort: ['seed'] });
    expect(found.map(({ seed }) => seed)).toEqual(seeds);
  });

  it.each([
    'acc>1',
    'min.f1>0',
    'best.acc>0',
    'final.=1',
    'seed=one',
    'seed~1',
    'hidden=1',
    'config=1',
    'tags<a',
    'config.lr<true',
    'constructor=1',
    '__proto__=1',
  ])('%s is refused with what to write instead', async (condition) => {
    const { db } = await ledger();
    expect(() => getAllRuns(db, { where: [condition] })).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('sorts by any field, runs without a value last', async () => {
    const { db } = await ledger();
    const seeds = (sort: string[]): unknown[] => getAllRuns(db, { sort }).map(({ seed }) => seed);
    expect(seeds(['config.lr'])).toEqual([1, 2]);
    expect(seeds(['-config.lr'])).toEqual([1, 2]);
    expect(seeds(['-seed'])).toEqual([2, 1]);
    expect(seeds(['dataset', '-seed'])).toEqual([1, 2]);
    expect(() => seeds(['acc'])).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
