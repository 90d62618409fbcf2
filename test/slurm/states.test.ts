import { expect, test } from 'vitest';
import { meaningOf, STATES } from '../../src/slurm/states.ts';
import { readDocument } from '../helpers/documents.ts';

test('docs/slurm.md has the states as they are', () => {
  const rows = [
    ...readDocument('docs/slurm.md').matchAll(/^\| `([A-Z_]+)` *\| (\w*) *\| `?([A-Z_]*)`? *\|$/gm),
  ];
  const documented = rows.map(([, state, status, reason]) => [state, status, reason]);
  expect(documented).toEqual(
    Object.entries(STATES).map(([state, { status, reason }]) => [state, status ?? '', reason ?? '']),
  );
});

test('a state with details, cut off, or of another release', () => {
  expect(meaningOf('CANCELLED by 1001').reason).toBe('CANCELLED');
  expect(meaningOf('cancelled+').reason).toBe('CANCELLED');
  expect([meaningOf('__proto__'), meaningOf('EXPEDITING')]).toEqual([{ isEnd: false }, { isEnd: false }]);
});
