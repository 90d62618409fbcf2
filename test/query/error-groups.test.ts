import { describe, expect, it } from 'vitest';
import { getActiveRuns, getAllRuns, getErrorGroups } from '../../src/query/index.ts';
import { tracebackPlace } from '../../src/query/traceback-place.ts';
import { created, keyOf, of, TestLedger, type Fields } from './ledger.ts';

const PYTHON = `Traceback (most recent call last):
  File "/home/ada/train.py", line 90, in <module>
    main()
  File "/home/ada/model/step.py", line 41, in forward
    loss.backward()
  File "/opt/venv/lib/python3.11/site-packages/torch/_tensor.py", line 522, in backward
    torch.autograd.backward(
RuntimeError: CUDA out of memory
`;
const JAVASCRIPT = `Error: boom
    at check (file:///home/ada/node_modules/zod/index.js:9:1)
    at step (file:///home/ada/train.mjs:12:7)
    at node:internal/main:1:1
`;

describe('tracebackPlace', () => {
  it.each<[string, string | null, string | null]>([
    ['the innermost frame of the user’s own Python', PYTHON, 'step.py:41 in forward'],
    ['a frame of a module', '  File "/a/b/run.py", line 3, in <module>\n', 'run.py:3'],
    ['only foreign Python', '  File "/x/site-packages/y/z.py", line 3, in f\n', 'z.py:3 in f'],
    ['JavaScript', JAVASCRIPT, 'train.mjs:12 in step'],
    ['a frame without a name', 'Error: x\n    at /home/ada/a.js:3:4\n', 'a.js:3'],
    ['another language', 'thread main panicked at src/main.rs:7:5', 'main.rs:7'],
    ['no frame', 'it did not work', null],
    ['nothing', null, null],
  ])('%s', (_, traceback, place) => expect(tracebackPlace(traceback)).toBe(place));

  it('takes no longer for a long text', () => {
    const long = `${'    at '.repeat(20_000)}\n${'File "'.repeat(20_000)}`;
    expect(tracebackPlace(long)).toBeNull();
  });

  it.each([
    '\n',
    '\r',
    '\u2028',
    ' \t',
    ' \n',
    '  at \n',
    '  at x\r',
    ' at x:1:1 \u2029',
    'at x:1',
    ' at (',
    ':1:1 ',
    'File "\r',
    ' File "a", line 1\u2028',
  ])('has an end with the longest line of %j', (part) => {
    const longest = part.repeat(Math.floor(1_000_000 / Buffer.byteLength(part)));
    expect([null, 'x:1', 'a:1']).toContain(tracebackPlace(`  ${longest}!`));
  });

  it('reads lines that end as Windows has them', () => {
    for (const [text, place] of [
      [PYTHON, 'step.py:41 in forward'],
      [JAVASCRIPT, 'train.mjs:12 in step'],
    ] as const)
      expect(tracebackPlace(text.replaceAll('\n', '\r\n'))).toBe(place);
  });
});

async function ledgerOf(fields: readonly Fields[]): Promise<TestLedger> {
  const built = new TestLedger();
  await built.add(fields.map((each) => ({ file: 0, fields: each })));
  return built;
}

const [one, two, three] = [keyOf(1), keyOf(2), keyOf(3, { method: 'forest' })];

describe('getErrorGroups', () => {
  const ledger = (): Promise<TestLedger> =>
    ledgerOf([
      created(one, 0),
      created(two, 0),
      created(three, 0),
      of(one, 'error', 1, { exception_type: 'RuntimeError', message: 'first', traceback: PYTHON }),
      of(two, 'error', 2, { exception_type: 'RuntimeError', message: 'second', traceback: PYTHON }),
      of(two, 'error', 3, { exception_type: 'RuntimeError', message: 'third' }),
      of(three, 'error', 4, { exception_type: 'ValueError', message: 'bad' }),
      of(three, 'error', 5, { exception_type: 'ValueError', message: 'worse' }),
      of(three, 'error', 6, { exception_type: 'ValueError', message: 'worst' }),
      of(three, 'error', 7, { exception_type: 'ValueError', message: 'worst of all' }),
    ]);

  it('counts runs before errors, and shows the newest', async () => {
    const { db } = await ledger();
    const ids = new Map(getAllRuns(db).map(({ seed, run_id }) => [seed, run_id]));
    expect(getErrorGroups(db)).toEqual([
      {
        exception_type: 'RuntimeError',
        place: null,
        count: 3,
        run_ids: [ids.get(2), ids.get(1)],
        first_ts: '2026-11-23T10:01:00.000Z',
        last_ts: '2026-11-23T10:03:00.000Z',
        message: 'third',
      },
      expect.objectContaining({ exception_type: 'ValueError', count: 4, message: 'worst of all' }),
    ]);
  });

  it('tells places apart', async () => {
    const { db } = await ledger();
    const groups = getErrorGroups(db, { by: 'place' });
    expect(groups.map(({ exception_type, place, count }) => [exception_type, place, count])).toEqual([
      ['RuntimeError', 'step.py:41 in forward', 2],
      ['ValueError', null, 4],
      ['RuntimeError', null, 1],
    ]);
  });

  it('takes the errors of the runs that match', async () => {
    const { db } = await ledger();
    expect(getErrorGroups(db, { method: 'forest' }).map(({ exception_type }) => exception_type)).toEqual([
      'ValueError',
    ]);
    expect(() => getErrorGroups(db, { by: 'class' as 'type' })).toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
    expect(getAllRuns(db, { hasErrors: true })).toHaveLength(3);
    expect(getAllRuns(db, { hasErrors: false })).toEqual([]);
  });
});

describe('getActiveRuns', () => {
  it('takes an error for a sign of life, and not what SLURM says', async () => {
    const { db } = await ledgerOf([
      created(one, 0, { attempt: 'a' }),
      of(one, 'status_changed', 1, { status: 'running', attempt: 'a', source: 'wrapper' }),
      of(one, 'status_changed', 9, { status: 'running', attempt: 'a', source: 'slurm' }),
      created(two, 2),
      of(two, 'error', 5, { exception_type: 'E', message: 'caught' }),
    ]);
    expect(getActiveRuns(db).map(({ seed, newest_line_at }) => [seed, newest_line_at])).toEqual([
      [2, '2026-11-23T10:05:00.000Z'],
      [1, '2026-11-23T10:01:00.000Z'],
    ]);
  });

  it('has those that have not ended, with the newest line that their processes wrote', async () => {
    const { db } = await ledgerOf([
      created(one, 0),
      of(one, 'status_changed', 1, { status: 'running' }),
      of(one, 'metric', 5, { elapsed_seconds: 1, loss: 1 }),
      of(one, 'run_annotated', 50, { tags: ['x'] }),
      created(two, 2),
      of(two, 'status_changed', 3, { status: 'running' }),
      of(two, 'resource_sample', 9, { elapsed_seconds: 1, rss_mb: 1 }),
      created(three, 0),
      of(three, 'status_changed', 20, { status: 'completed' }),
    ]);
    const found = getActiveRuns(db).map(({ seed, newest_line_at }) => [seed, newest_line_at]);
    expect(found).toEqual([
      [2, '2026-11-23T10:09:00.000Z'],
      [1, '2026-11-23T10:05:00.000Z'],
    ]);
    expect(getActiveRuns(db, { seed: 1 })).toHaveLength(1);
  });

  it('finds it among several writers', async () => {
    const built = new TestLedger([undefined, undefined]);
    await built.add([
      { file: 0, fields: created(one, 0) },
      { file: 0, fields: of(one, 'metric', 1, { elapsed_seconds: 1, loss: 1 }) },
      { file: 1, fields: of(one, 'metric', 8, { elapsed_seconds: 1, loss: 1 }) },
      { file: 1, fields: of(one, 'metric', 9, { elapsed_seconds: 2, loss: 1 }) },
    ]);
    expect(getActiveRuns(built.db)[0]?.newest_line_at).toBe('2026-11-23T10:09:00.000Z');
  });
});
