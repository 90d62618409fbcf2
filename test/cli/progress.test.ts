// How far long work is, on a terminal.
import { expect, test } from 'vitest';
import type { CliIo } from '../../src/cli/io.ts';
import { ProgressLine } from '../../src/cli/progress.ts';
import { Page } from './command.ts';

/** A line of progress, what it has written, and its clock. */
function progress(isTTY: boolean): { line: ProgressLine; page: Page; clock: { at: number } } {
  const page = Object.assign(new Page(), { isTTY });
  const clock = { at: 1_000_000 };
  const io = { stderr: page, clock: { now: () => clock.at } } as Pick<CliIo, 'stderr' | 'clock'> as CliIo;
  return { line: new ProgressLine(io, 'reading'), page, clock };
}

const pass = { lines: 1234, bytesDone: 5000, bytesTotal: 9000 };

test('what is done at once says nothing', () => {
  const { line, page, clock } = progress(true);
  line.update(pass);
  clock.at += 150;
  line.update(pass);
  line.done();
  expect(page.text).toBe('');
});

test('what takes longer says how far it is, now and then, and takes the line away', () => {
  const { line, page, clock } = progress(true);
  for (let ms = 0; ms < 1000; ms += 10) {
    clock.at += 10;
    line.update(pass);
  }
  line.done();
  const shown = page.text.split('\r\u001b[K');
  expect(shown).toEqual(['', ...Array.from({ length: 5 }, () => 'reading: 1,234 lines, 5.0 kB'), '']);
});

test('nobody reads it in a pipe', () => {
  const { line, page, clock } = progress(false);
  clock.at += 10_000;
  line.update(pass);
  line.done();
  expect(page.text).toBe('');
});
