// Names from events, made to fit.
import stringWidth from 'string-width';
import { printSafe } from './print-safe.ts';

const ELLIPSIS = '…';
const INDENT = '  ';
/** In columns of the terminal; a narrower one gets lines that are wider. */
const LEAST_LINE = 10;
const graphemes = new Intl.Segmenter();

/** Safe to print, and no wider than `width` columns of the terminal; `…` is for what was cut off. */
export function cutText(text: string, width: number): string {
  // no name is that much wider than its characters are many
  const safe = printSafe(text.slice(0, 20 * width)).trimEnd();
  if (stringWidth(safe) <= width && text.length <= 20 * width) return safe;
  return unjoined(headOf(safe, width - 1)) + ELLIPSIS;
}

/**
 * Lines that are no wider than `width` columns of the terminal, but for all of 10: broken at blanks, or within what is
 * longer than a line. All but the first are indented.
 *
 * @param text safe to print
 */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  const isTooWide = (given: string): boolean => stringWidth(given) > Math.max(width, LEAST_LINE);
  const end = (ended: string): void => {
    lines.push(unjoined(ended).trimEnd());
    line = INDENT;
  };
  for (const word of text.split(' ')) {
    const isFirst = line.trim() === '';
    const longer = isFirst ? line + word : `${line} ${word}`;
    if (!isTooWide(longer)) line = longer;
    else {
      if (!isFirst) end(line);
      line += word;
      while (isTooWide(line)) {
        const head = headOf(line, Math.max(width, LEAST_LINE));
        // a letter with marks without end
        if (head.trim() === '') break;
        const rest = line.slice(head.length);
        end(head);
        line += rest;
      }
    }
  }
  if (line.trim() !== '' || lines.length === 0) end(line);
  return lines;
}

/** As much of the beginning as fits `width` columns of the terminal, whole characters as people count them. */
function headOf(text: string, width: number): string {
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += stringWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return kept;
}

/** At the end of a line a joiner joins nothing. */
function unjoined(text: string): string {
  return text.replace(/[\u200C\u200D]$/, '');
}
