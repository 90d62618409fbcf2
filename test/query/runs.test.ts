import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunfoldError } from '../../src/errors.ts';
import { getAllRuns, type RunQuery, type RunRecord } from '../../src/query/index.ts';
import { compareText } from '../model/model-files.ts';
import { created, keyOf, TestLedger } from './ledger.ts';
import { anyFilter, HOSTILE, ledgerOfRuns, runs } from './run-specs.ts';

const FIELDS = ['experiment_number', 'dataset', 'method', 'subject', 'cl_info', 'seed'] as const;

/** The same with arrays. */
function filtered(all: readonly RunRecord[], filter: RunQuery): RunRecord[] {
  const { status, includeHidden = false, offset = 0, limit = Infinity } = filter;
  const statuses: readonly string[] | undefined = typeof status === 'string' ? [status] : status;
  return all
    .filter((record) =>
      FIELDS.every((name) => {
        const wanted: unknown = filter[name];
        return wanted === undefined || (Array.isArray(wanted) ? wanted : [wanted]).includes(record[name]);
      }),
    )
    .filter((record) => statuses === undefined || statuses.includes(record.status))
    .filter((record) => includeHidden || !record.hidden)
    .toSorted((a, b) => compareText(b.created_at, a.created_at) || compareText(a.run_id, b.run_id))
    .slice(offset, offset + limit);
}

/** A refusal is on one line whatever was given, so that it can be printed. */
function recordsOrRefusal(act: () => RunRecord[]): RunRecord[] | RunfoldError {
  try {
    return act();
  } catch (error) {
    const isRefusal = error instanceof RunfoldError && ['usage', 'invalid_key'].includes(error.code);
    if (isRefusal && !/[\p{Cc}\p{Cf}]/u.test(error.message)) return error;
    throw error;
  }
}

describe('getAllRuns', () => {
  it('gives the rows of the table, parsed', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (specs) => {
        const built = await ledgerOfRuns(specs);
        const found = getAllRuns(built.db, { includeHidden: true });
        const rows = found.map((record) => ({
          ...record,
          config: JSON.stringify(record.config),
          tags: JSON.stringify(record.tags),
          hidden: record.hidden ? 1 : 0,
          git_dirty: record.git_dirty === null ? null : Number(record.git_dirty),
        }));
        expect(rows.toSorted((a, b) => compareText(a.run_id, b.run_id))).toEqual(
          built.tables().experiment_runs,
        );
        built.db.close();
      }),
      { numRuns: 60 },
    );
  });

  it('filters, orders and cuts as arrays would', async () => {
    await fc.assert(
      fc.asyncProperty(
        runs,
        fc.array(anyFilter, { minLength: 10, maxLength: 30 }),
        async (specs, filters) => {
          const { db } = await ledgerOfRuns(specs);
          const all = getAllRuns(db, { includeHidden: true });
          for (const filter of filters) expect(getAllRuns(db, filter)).toEqual(filtered(all, filter));
          for (const { run_id, ...record } of all) {
            const whole_ = Object.fromEntries(FIELDS.map((name) => [name, record[name]]));
            expect(getAllRuns(db, { ...whole_, includeHidden: true }).map((found) => found.run_id)).toEqual([
              run_id,
            ]);
          }
          db.close();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('takes anything in a filter for what it is, or refuses it', async () => {
    const seeds = [null, 0, 1, -3];
    const built = new TestLedger();
    const keys = [...HOSTILE, '\ufffd'].flatMap((value) =>
      seeds.map((seed) => keyOf(seed, { dataset: value, subject: value })),
    );
    await built.add(keys.map((each) => ({ file: 0, fields: created(each, 0) })));
    const all = getAllRuns(built.db);
    expect(all).toHaveLength(keys.length);
    const value = fc.oneof(
      fc.anything(),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('\u001b', '\u009b', '\u202e', '\u2028', '\u007f', '\n') }),
      fc.constantFrom(
        '\ud800',
        'iris\ud800',
        Number.NaN,
        -0,
        1.5,
        2 ** 53,
        1n,
        '1',
        true,
        [],
        [1],
        {},
        Symbol('x'),
      ),
      fc.constantFrom(
        'completed',
        ['failed', 'x'],
        '__proto__',
        'toString',
        new Date(0),
        Object.create(null),
      ),
      fc.constantFrom(...HOSTILE),
    );
    const name = fc.constantFrom(
      ...FIELDS,
      'status',
      'includeHidden',
      'limit',
      'offset',
      'run_id',
      'hidden',
      '1=1; --',
    );
    fc.assert(
      fc.property(name, value, (field, given) => {
        const filter = { [field]: given } as RunQuery;
        const found = recordsOrRefusal(() => getAllRuns(built.db, filter));
        const expected = found instanceof RunfoldError ? found : filtered(all, filter);
        expect(found).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
    expect(getAllRuns(built.db)).toEqual(all);
  });

  it.each<[object, string]>([
    [{ seed: Number.NaN }, 'invalid_key'],
    [{ seed: '7' }, 'invalid_key'],
    [{ experiment_number: null }, 'invalid_key'],
    [{ dataset: null }, 'invalid_key'],
    [{ subject: '\ud800' }, 'invalid_key'],
    [{ cl_info: {} }, 'invalid_key'],
    [{ status: 'done' }, 'usage'],
    [{ status: ['failed', 'toString'] }, 'usage'],
    [{ status: null }, 'usage'],
    [{ limit: -1 }, 'usage'],
    [{ offset: 1.5 }, 'usage'],
    [{ limit: null }, 'usage'],
    [{ includeHidden: 1 }, 'usage'],
    [{ datset: 'iris' }, 'usage'],
    [[], 'usage'],
  ])('refuses %j', (filter, code) => {
    const { db } = new TestLedger();
    expect(() => getAllRuns(db, filter)).toThrow(expect.objectContaining({ name: 'RunfoldError', code }));
  });
});
