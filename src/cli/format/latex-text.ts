// Text in LaTeX that is read as it was written, in ASCII: pdflatex stops at most characters beyond, and which these
// are depends on the fonts.
import escapeSpecials from 'escape-latex';
import { printSafe } from '../print-safe.ts';
import { ACCENTS, SYMBOLS } from './latex-symbols.ts';

/** Beside TeX's own special characters. */
const ESCAPES: Readonly<Record<string, string>> = {
  // the fonts have other characters in the places of these
  '<': String.raw`\textless{}`,
  '>': String.raw`\textgreater{}`,
  '|': String.raw`\textbar{}`,
  // some languages of babel make a command of it
  '"': String.raw`\char34{}`,
  // after \\ or \toprule they would be its argument
  '[': '{[}',
  ']': '{]}',
  '*': '{*}',
  // two of them would be a dash
  '--': '-{}-{}',
};

const NOT_ASCII = /[^\0-\u007F]/gu;

/** Characters that LaTeX has no name for are shown as `\u{4e2d}`, as those that may not act are everywhere. */
export function escapeLatex(text: string): string {
  // composed, so that a letter and its accent are one character
  const safe = printSafe(text.normalize('NFC'));
  const escaped = escapeSpecials(safe, {
    escapeMapFn: (defaults: Readonly<Record<string, string>>) => ({ ...ESCAPES, ...defaults }),
  });
  return escaped.replace(/^-(?=[\d.]|Infinity)/, '$-$').replace(NOT_ASCII, nameOf);
}

function nameOf(character: string): string {
  const symbol = SYMBOLS[character];
  if (symbol !== undefined) return symbol;
  const [letter = '', accent = '', ...more] = character.normalize('NFD');
  const command = ACCENTS[accent];
  if (command !== undefined && more.length === 0 && /^[A-Za-z]$/.test(letter))
    return accented(command, letter);
  return String.raw`\textbackslash{}u\{${character.codePointAt(0)?.toString(16) ?? ''}\}`;
}

function accented(command: string, letter: string): string {
  // without their dots, where the accent will be
  const isDotted = (letter === 'i' || letter === 'j') && !'dc'.includes(command);
  return `{\\${command}{${isDotted ? '\\' : ''}${letter}}}`;
}
