// Text from events and file names is hostile: in a terminal it must not act.

const ACTIVE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const NOT_ASCII = /[\u007F-\uFFFF]/g;

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

/** JSON in ASCII alone; numbers that are not finite by their names, `"NaN"`, as in events. */
export function jsonSafe(value: unknown, indent = 0): string {
  return inAscii(JSON.stringify(value, notFiniteByName, indent));
}

/** The same JSON in ASCII alone: other characters can only be in strings, where they may be escaped. */
export function inAscii(json: string): string {
  return json.replace(NOT_ASCII, (unit) => String.raw`\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** For JSON.stringify, which would make null of them. */
export function notFiniteByName(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
