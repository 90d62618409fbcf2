// docs/reliability.md promises nothing that no test holds: each of its sentences names one, and that is there.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readDocument, ROOT } from './helpers/documents.ts';

const TEXT = readDocument('docs/reliability.md');
/** A link to a test has the name of the test, or the part of it that does not vary, as its title. */
const LINK = /\[[^\]]+\]\((\.\.\/[^\s)]+)(?: "([^"]*)")?\)/g;

interface TestLink {
  file: string;
  name: string;
}

function testLinks(text: string): TestLink[] {
  const links = [...text.matchAll(LINK)].map(([, file = '', name = '']) => ({ file, name }));
  return links.filter(({ file }) => /\/tests?\//.test(file));
}

test.each(testLinks(TEXT))('$file has the test "$name"', ({ file, name }) => {
  const source = fs.readFileSync(path.join(ROOT, 'docs', file), 'utf8');
  // a name between quotes after test( or it(, in a table of test.each, or a method of Python
  const lines = source.split('\n').filter((line) => /\b(?:test|it)\b|^\s*['"`]|^\s*def /.test(line));
  expect(name.length, 'a title').toBeGreaterThan(4);
  expect(lines.filter((line) => line.includes(name)).length, name).toBeGreaterThan(0);
});

test('each promise names a test', () => {
  const [promises = ''] = TEXT.split('## The soak');
  const without = promises
    .split('\n')
    .filter((line) => line.startsWith('- ') && testLinks(line).length === 0);
  expect(without).toEqual([]);
  expect(testLinks(promises).length).toBeGreaterThan(40);
});
