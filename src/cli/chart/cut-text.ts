// Names from events, made to fit.
import stringWidth from 'string-width';
import { printSafe } from '../print-safe.ts';

const graphemes = new Intl.Segmenter();

/** Safe to print, and no wider than `width` columns of the terminal; `…` is for what was cut off. */
export function cutText(text: string, width: number): string {
  // no name is that much wider than its characters are many
  const safe = printSafe(text.slice(0, 20 * width)).trimEnd();
  if (stringWidth(safe) <= width && text.length <= 20 * width) return safe;
  let kept = '';
  let used = 1;
  for (const { segment } of graphemes.segment(safe)) {
    used += stringWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept}…`;
}
