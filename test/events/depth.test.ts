// Nesting is limited before anything is parsed, so that whatever walks a value later may recurse.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLine } from '../../src/events/parse.ts';

function codeOf(line: string): string {
  const parsed = parseLine(Buffer.from(line, 'utf8'));
  return parsed.kind === 'rejected' ? parsed.code : parsed.kind;
}

describe('depth', () => {
  const nested = fc.array(fc.boolean(), { minLength: 1, maxLength: 130 }).map((levels) =>
    levels.reduceRight((inner, isList) => (isList ? `[${inner},"[{\\""]` : `{"]}":${inner},"y":0}`), '"{[[["'),
  ); // prettier-ignore

  test('is that of objects and arrays, brackets in strings not counted', () => {
    fc.assert(
      fc.property(nested, (line) => {
        expect(codeOf(line) === 'too_deep').toBe(depthOf(JSON.parse(line)) > 64);
      }),
      { numRuns: 500 },
    );
  });

  test('is counted before anything is parsed, also of what is no JSON', () => {
    expect(codeOf('{'.repeat(65))).toBe('too_deep');
    expect(codeOf(`${'['.repeat(64)}${']'.repeat(64)}`)).toBe('not_an_object');
    expect(codeOf('[]'.repeat(500))).toBe('not_json');
  });
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
