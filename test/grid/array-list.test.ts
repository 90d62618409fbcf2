// The lists of sbatch --array.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatArrayList, parseArrayList } from '../../src/grid/array-list.ts';

test('ranges, ascending, each task once', () => {
  expect(formatArrayList([1, 2, 3, 7])).toBe('1-3,7');
  expect(formatArrayList([7, 3, 2, 1, 2])).toBe('1-3,7');
  expect(formatArrayList([5])).toBe('5');
  expect(formatArrayList([])).toBe('');
});

test('what is written is read, and no shorter list of ranges says it', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 300 }), { minLength: 1 }), (tasks) => {
      const text = formatArrayList(tasks);
      const ascending = [...new Set(tasks)].toSorted((a, b) => a - b);
      expect(parseArrayList(text)).toEqual({ tasks: ascending, limit: undefined });
      const gaps = ascending.filter((task, index) => index > 0 && task !== (ascending[index - 1] ?? 0) + 1);
      expect(text.split(',')).toHaveLength(gaps.length + 1);
    }),
  );
});

test('steps, limits, blanks', () => {
  expect(parseArrayList('1-10:3')).toEqual({ tasks: [1, 4, 7, 10], limit: undefined });
  expect(parseArrayList('0,2-3%5')).toEqual({ tasks: [0, 2, 3], limit: 5 });
  expect(parseArrayList(' 3, 1-2 ')).toEqual({ tasks: [1, 2, 3], limit: undefined });
});

test.each([
  '',
  ',',
  '1,',
  'a',
  '1-',
  '-3',
  '5-3',
  '1-9:0',
  '1%',
  '1%0',
  '1%x',
  '1%2%3',
  '1-99999999999',
  '1.5',
  '[1-3]',
])('%j is refused, with what to write', (text) => {
  expect(() => parseArrayList(text)).toThrow(
    expect.objectContaining({ code: 'usage', hint: expect.stringContaining('1-10,15') }),
  );
});
