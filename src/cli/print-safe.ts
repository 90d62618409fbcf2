// Text from events and file names is hostile: in a terminal it must not act.

// eslint-disable-next-line no-control-regex -- control characters are what this is about
const ACTIVE = /[\u0000-\u001F\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF\u{E0000}-\u{E007F}]/gu;

/** Control, bidirectional and invisible characters as `\x1b` or `\u{202e}`; all else as it is. */
export function printSafe(text: string): string {
  return text.replace(ACTIVE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === '\n') return String.raw`\n`;
    if (character === '\t') return String.raw`\t`;
    if (code <= 0xff) return String.raw`\x${code.toString(16).padStart(2, '0')}`;
    return String.raw`\u{${code.toString(16)}}`;
  });
}
