// What LaTeX itself makes of a table: skipped where there is no pdflatex with booktabs.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latex } from '../../../src/cli/format/latex.ts';
import { cell, type Cell } from '../../../src/cli/format/table.ts';
import { commandLine } from '../../../src/cli/shell-quote.ts';
import { tempDir } from '../../events/temp-dir.ts';
import { anyText, HOSTILE_TEXTS } from './hostile-tables.ts';

const SAMPLES = 300;

/** Compiles a document with one table of a column; the words of the page, or what TeX said. */
function compiled(
  texts: readonly string[],
  emphasis?: Cell['emphasis'],
): { status: number | null; log: string } {
  const folder = tempDir();
  const table = {
    columns: [{ name: 'text' }, { name: 'number' }],
    rows: texts.map((text) => [cell(text, text, emphasis), cell(-1.5)]),
    notes: [...texts],
  };
  const body = latex(table, commandLine([...texts].filter((text) => !text.includes('\0'))));
  // the page is as long as it has to be: what is asked is whether TeX stops
  const document = [
    String.raw`\documentclass{article}`,
    String.raw`\usepackage{booktabs}`,
    String.raw`\textheight=10000pt\pdfpageheight=16000pt`,
    String.raw`\begin{document}`,
    body,
    String.raw`\end{document}`,
  ];
  fs.writeFileSync(path.join(folder, 't.tex'), document.join('\n'));
  const { status, stdout } = spawnSync('pdflatex', ['-interaction=nonstopmode', '-halt-on-error', 't.tex'], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, log: stdout };
}

const hasLatex = spawnSync('kpsewhich', ['booktabs.sty']).status === 0;

test.skipIf(!hasLatex)('pdflatex compiles a table of hostile texts', () => {
  for (const emphasis of [undefined, 'best', 'second'] as const) {
    const { status, log } = compiled(HOSTILE_TEXTS, emphasis);
    expect(log).not.toMatch(/^! /m);
    expect(status, log).toBe(0);
  }
});

test.skipIf(!hasLatex)('pdflatex compiles a table of any texts', () => {
  const { status, log } = compiled(fc.sample(anyText, SAMPLES));
  expect(log).not.toMatch(/^! /m);
  expect(status, log).toBe(0);
});
