// Which format, how wide and in which colours.
import { Command } from 'commander';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatOf, withFormat, type FormatFlags } from '../../../src/cli/format/options.ts';
import { isColoured, print } from '../../../src/cli/format/print.ts';
import { cell, FORMATS, type Table } from '../../../src/cli/format/table.ts';
import { commandLine, shellQuote } from '../../../src/cli/shell-quote.ts';
import type { RunfoldError } from '../../../src/errors.ts';
import { Page } from '../command.ts';

const TABLE: Table = {
  columns: [{ name: 'note', shrink: 'cut' }],
  rows: [[cell('a note of some length', undefined, 'good')]],
};

function flagsOf(...args: string[]): FormatFlags {
  const command = withFormat(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parse(args, { from: 'user' }).opts();
}

function printed(
  flags: FormatFlags,
  page: { isTTY?: boolean; columns?: number },
  env: Record<string, string> = {},
): string {
  const stdout = Object.assign(new Page(), page);
  print(TABLE, flags, { stdout, stderr: new Page(), env, args: ['x'] });
  return stdout.text;
}

test('a table if nothing is said, else what is said', () => {
  expect(formatOf(flagsOf())).toBe('table');
  expect(formatOf(flagsOf('--json'))).toBe('json');
  for (const format of FORMATS) expect(formatOf(flagsOf('--format', format))).toBe(format);
  expect(formatOf(flagsOf('--json', '--format', 'json'))).toBe('json');
});

test('two formats, or one that is none, are wrong usage', () => {
  for (const format of FORMATS.filter((other) => other !== 'json')) {
    const both = flagsOf('--json', '--format', format);
    expect(() => formatOf(both)).toThrow(expect.objectContaining({ code: 'usage' }) as RunfoldError);
  }
  expect(() => flagsOf('--format', 'xml')).toThrow(/xml.*Allowed choices are/s);
});

test('a terminal has a width, a pipe has none, and some do not know', () => {
  const uncut = 'note\na note of some length\n';
  const off = { NO_COLOR: '1' };
  expect(printed({}, { isTTY: true, columns: 12 }, off)).toBe('note\na note of s…\n');
  expect(printed({}, { isTTY: true, columns: 0 }, off)).toBe(uncut);
  expect(printed({}, { isTTY: true }, off)).toBe(uncut);
  expect(printed({}, { isTTY: false, columns: 12 }, off)).toBe(uncut);
  expect(printed({ format: 'csv' }, { isTTY: true, columns: 12 })).toBe(uncut);
  expect(printed({ format: 'latex' }, {})).toMatch(/^% made by: runfold x\n/);
});

test.each<[Record<string, string>, boolean, boolean]>([
  [{}, true, true],
  [{}, false, false],
  [{ TERM: 'dumb' }, true, false],
  [{ NO_COLOR: '' }, true, true],
  [{ NO_COLOR: '1' }, true, false],
  [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
  [{ FORCE_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '1', TERM: 'dumb' }, false, true],
  [{ FORCE_COLOR: '0' }, true, false],
  [{ FORCE_COLOR: '0' }, false, false],
  [{ FORCE_COLOR: '' }, false, false],
  [{ FORCE_COLOR: '' }, true, true],
])('%j with a terminal %s: colours %s', (env, isTTY, expected) => {
  const stdout = Object.assign(new Page(), { isTTY });
  expect(isColoured({ stdout, env })).toBe(expected);
  expect(printed({}, { isTTY }, env).includes('\u001b')).toBe(expected);
});

test('a shell reads the words again', () => {
  const word = fc.string({
    unit: fc.oneof(
      fc.constantFrom(...Array.from(' \'"\\$`!*?#~&|;<>(){}[]=\n\té中')),
      fc.string({ minLength: 1, maxLength: 1 }),
    ),
  });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (args) => {
      const read = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${shellQuote(args)}`], {
        encoding: 'utf8',
      });
      expect(read.split('\0').slice(0, -1)).toEqual(args);
    }),
    { numRuns: 60 },
  );
  expect(commandLine(['runs', '--where', "it's", '', '--seed=1'])).toBe(
    String.raw`runfold runs --where 'it'\''s' '' --seed=1`,
  );
  expect(commandLine([])).toBe('runfold');
});
