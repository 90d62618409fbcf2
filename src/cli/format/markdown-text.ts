// Text in Markdown that is read as it was written: no markup, HTML, link, mention or formula.
import { printSafe } from '../print-safe.ts';

const PUNCTUATION = /[\\`*_[\]{}|~$^#]/g;
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
/**
 * Addresses, mentions and numbers of issues become links after the markup was read, when a backslash is gone; an
 * empty comment is still between their halves.
 */
const LINKED = /\/(?=\/)|@|www(?=\.)|\\#(?=\d)/gi;
/** What would begin a list, a heading or a line at the beginning of a paragraph. */
const BEGINS_BLOCK = /^([-+=]|\d+(?=[.)]))/;

/** On one line, in a cell of a table or within a paragraph. */
export function escapeMarkdown(text: string): string {
  return printSafe(text)
    .replace(/[&<>]/g, (character) => ENTITIES[character] ?? character)
    .replace(PUNCTUATION, String.raw`\$&`)
    .replace(LINKED, '$&<!-- -->');
}

/** As a paragraph. */
export function escapeMarkdownLine(text: string): string {
  return escapeMarkdown(text)
    .trim()
    .replace(BEGINS_BLOCK, (start) => (/^\d/.test(start) ? `${start}\\` : `\\${start}`));
}
