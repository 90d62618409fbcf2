import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missingTasks, taskNumber } from '../../src/query/array-tasks.ts';
import { compressHostList, expandHostList } from '../../src/query/host-list.ts';

const prefix = fc.stringMatching(/^[a-z][a-z-]{0,4}$/);
const host = fc.oneof(
  prefix,
  fc.tuple(prefix, fc.nat({ max: 120 })).map(([name, number]) => `${name}${number}`),
  fc
    .tuple(prefix, fc.nat({ max: 120 }), fc.integer({ min: 2, max: 4 }))
    .map(([name, number, width]) => name + String(number).padStart(width, '0')),
  fc.tuple(prefix, fc.nat({ max: 3 }), fc.nat({ max: 20 })).map(([name, rack, n]) => `${name}${rack}n${n}`),
);

describe('lists of nodes', () => {
  it('come back as they were, whatever the names', () => {
    fc.assert(
      fc.property(fc.array(host, { maxLength: 40 }), (hosts) => {
        const list = compressHostList(hosts);
        expect(new Set(expandHostList(list))).toEqual(new Set(hosts));
        expect(expandHostList(list)).toHaveLength(new Set(hosts).size);
        expect(compressHostList(hosts.toReversed())).toBe(list);
      }),
    );
  });

  it.each<[string, string[]]>([
    ['node[1-3,7],gpu01', ['node1', 'node2', 'node3', 'node7', 'gpu01']],
    ['n[08-11]', ['n08', 'n09', 'n10', 'n11']],
    ['r[0-1]n[1-2]x', ['r0n1x', 'r0n2x', 'r1n1x', 'r1n2x']],
    ['a,a,b', ['a', 'b']],
    ['', []],
    ['(null)', []],
    ['None assigned', []],
  ])('%s', (list, hosts) => expect(expandHostList(list)).toEqual(hosts));

  it('are short', () => {
    expect(compressHostList(expandHostList('n[08-11],n[1-3],x,n5') ?? [])).toBe('n[08-11],n[1-3,5],x');
  });

  it.each([
    'n[1-999999999]',
    'n[1-99][1-99]',
    'n[3-1]',
    'n[1-2',
    'n1-2]',
    'n[a]',
    'n[]',
    'a,,b',
    ',',
    'n[[1]]',
    `n[${'1,'.repeat(40_000)}1]`,
    `${'n[0-9]'.repeat(9)}`,
    'n[0-99999999999999999999]',
  ])('that make no sense, or too many names, are none: %#', (list) => {
    expect(expandHostList(list)).toBeUndefined();
  });

  it('have an end, whatever the text', () => {
    const text = fc
      .array(fc.constantFrom('n', '[', ']', ',', '-', '1', '99', '\u001b', ' '))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (list) => {
        expect((expandHostList(list) ?? []).length).toBeLessThanOrEqual(4096);
      }),
    );
  });
});

/** `3,7,10-12,20-40:10`, read as SLURM does. */
function tasksOf(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [, from = '', to = from, step = '1'] = /^(\d+)(?:-(\d+))?(?::(\d+))?$/.exec(part) ?? [];
    const numbers: number[] = [];
    for (let at = Number(from); from !== '' && at <= Number(to); at += Number(step)) numbers.push(at);
    return numbers;
  });
}

describe('missing tasks', () => {
  it('are those that are not there between the lowest and the highest, or of their stride', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat({ max: 60 }), { minLength: 1 }),
        fc.constantFrom(1, 1, 2, 10),
        fc.nat({ max: 5 }),
        (some, factor, offset) => {
          const seen = some.map((number) => number * factor + offset);
          const { count, list } = missingTasks(seen);
          const missing = tasksOf(list);
          expect(missing).toHaveLength(count);
          expect(missing.filter((number) => seen.includes(number))).toEqual([]);
          const all = [...seen, ...missing].toSorted((a, b) => a - b);
          const steps = new Set(all.slice(1).map((number, index) => number - (all[index] ?? 0)));
          expect(steps.size).toBeLessThanOrEqual(1);
          if (seen.length < 4 && seen.length > 1) expect([...steps]).toEqual([1]);
        },
      ),
    );
  });

  it.each<[number[], string]>([
    [[1, 2, 4, 5, 6, 8, 9, 13], '3,7,10-12'],
    [[0, 10, 20, 60], '30-50:10'],
    [[1, 3], '2'],
    [[5], ''],
    [[], ''],
  ])('%j', (seen, list) => expect(missingTasks(seen).list).toBe(list));

  it.each(['', 'x', '-1', '1.5', '\u0661', '9'.repeat(20), null])('%j is no task number', (text) => {
    expect(taskNumber(text)).toBeUndefined();
  });
});
