import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearest } from '../../src/nearest.ts';

test.each<[string, string[], string | undefined]>([
  ['methd', ['dataset', 'method'], 'method'],
  ['dataste', ['dataset', 'method'], 'dataset'],
  ['LR', ['epochs', 'lr'], 'lr'],
  ['lss', ['f1', 'loss'], 'loss'],
  ['x', ['y', 'z'], undefined],
  ['acc', ['lr', 'loss'], undefined],
  ['', ['a'], undefined],
  ['a', [], undefined],
])('of %j and %j', (name, candidates, found) => {
  expect(nearest(name, candidates)).toBe(found);
});

test('property: it is one of the candidates, and the very name if that is one', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (name, others) => {
      const found = nearest(name, others);
      expect(found === undefined || others.includes(found)).toBe(true);
      if (name.length > 1) expect(nearest(name, [...others, name])?.toLowerCase()).toBe(name.toLowerCase());
    }),
  );
});

test('property: a letter that was left out of a longer name is found', () => {
  const name = fc.stringMatching(/^[a-z_]{4,12}$/);
  fc.assert(
    fc.property(name, fc.nat(), (meant, at) => {
      const typed = meant.slice(0, at % meant.length) + meant.slice((at % meant.length) + 1);
      expect(nearest(typed, ['0'.repeat(meant.length), meant])).toBe(meant);
    }),
  );
});
