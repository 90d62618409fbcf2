// Names from events, made to fit.
import stringWidth from 'string-width';
import { printSafe } from './print-safe.ts';

const ELLIPSIS = '…';
const graphemes = new Intl.Segmenter();

/** Safe to print, and no wider than `width` columns of the terminal; `…` is for what was cut off. */
export function cutText(text: string, width: number): string {
  // no name is that much wider than its characters are many
  const safe = printSafe(text.slice(0, 20 * width)).trimEnd();
  if (stringWidth(safe) <= width && text.length <= 20 * width) return safe;
  // a joiner joins nothing any more
  return headOf(safe, width - 1).replace(/[\u200C\u200D]$/, '') + ELLIPSIS;
}

/** As much of the beginning as fits `width` columns of the terminal, whole characters as people count them. */
export function headOf(text: string, width: number): string {
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += stringWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return kept;
}
