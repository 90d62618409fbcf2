import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Db } from '../../src/db/open.ts';
import { RunfoldError } from '../../src/errors.ts';
import { runId } from '../../src/events/run-id.ts';
import { getAllRuns, getRun } from '../../src/query/index.ts';
import { created, keyOf, of, TestLedger } from './ledger.ts';

describe('getRun', () => {
  const many = Array.from({ length: 60 }, (_, seed) => keyOf(seed));
  const ids = many.map(runId).toSorted();

  async function manyRuns(): Promise<TestLedger> {
    const built = new TestLedger();
    await built.add(many.map((each) => ({ file: 0, fields: created(each, 0) })));
    await built.add([{ file: 0, fields: of(keyOf(0), 'run_annotated', 1, { hidden: true }) }]);
    return built;
  }

  it('finds a run by as much of its id as no other has, else names up to five', async () => {
    const { db } = await manyRuns();
    const part = fc
      .tuple(fc.constantFrom(...ids), fc.integer({ min: 1, max: 16 }), fc.boolean())
      .map(([id, length, upper]) => (upper ? id.slice(0, length).toUpperCase() : id.slice(0, length)));
    const wild = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('%', '_', '*', '?', '[', '0', 'a', '{', '\0') }),
    );
    fc.assert(
      fc.property(fc.oneof({ weight: 3, arbitrary: part }, wild), (asked) => {
        const matching = asked === '' ? [] : ids.filter((id) => id.startsWith(asked.toLowerCase()));
        expect(answer(db, asked)).toEqual(expectedAnswer(asked, matching));
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the whole record, of a hidden run too', async () => {
    const { db } = await manyRuns();
    const all = getAllRuns(db, { includeHidden: true });
    expect(all.map(({ run_id }) => getRun(db, run_id))).toEqual(all);
    expect(getRun(db, runId(keyOf(0))).hidden).toBe(true);
  });

  it('says what is wrong with what is no beginning of an id', async () => {
    const { db } = await manyRuns();
    for (const asked of ['', '%', '_', 'u', `${ids[0]}0`, "' OR 1=1 --", 'a\n', '\u001b[31m', ' ']) {
      const { code, message } = errorOf(() => getRun(db, asked));
      expect(code).toBe('run_not_found');
      expect(message).toMatch(/^"[^\p{Cc}]*" is not the beginning of a run id$/u);
    }
    for (const asked of [undefined, null, 7, {}, ['a']]) {
      expect(errorOf(() => getRun(db, asked as string)).code).toBe('run_not_found');
    }
  });
});

/** The id that was found, `none`, or the message that names several. */
function answer(db: Db, asked: string): string {
  try {
    return getRun(db, asked).run_id;
  } catch (error) {
    if (!(error instanceof RunfoldError) || error.code !== 'run_not_found') throw error;
    return / is not the beginning of a run id$|^no run has an id /.test(error.message) ? NONE : error.message;
  }
}

const NONE = 'none';

function expectedAnswer(asked: string, matching: readonly string[]): string {
  const [first] = matching;
  if (first === undefined) return NONE;
  if (matching.length === 1) return first;
  const named = `${matching.slice(0, 5).join(', ')}${matching.length > 5 ? ', …' : ''}`;
  return `${matching.length} runs have an id that begins with "${asked.toLowerCase()}": ${named}`;
}

function errorOf(act: () => unknown): RunfoldError {
  try {
    act();
  } catch (error) {
    if (error instanceof RunfoldError) return error;
    throw error;
  }
  throw new Error('it did not throw');
}
