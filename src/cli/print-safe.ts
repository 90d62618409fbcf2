// Text from events and file names is hostile: in a terminal it must not act.

const ACTIVE = String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]`;
const ANY_ACTIVE = new RegExp(ACTIVE, 'u');
const NOT_ASCII = /[\u007F-\uFFFF]/g;

/** In their words a joiner between two letters is spelling, and is seen by how these are drawn. */
const INDIC = 'Beng Deva Gujr Guru Knda Mlym Orya Sinh Taml Telu'.split(' ');
const JOINERS = [
  String.raw`(?<=[[\p{L}\p{M}]&&\p{scx=Arab}])\u200C(?=[\p{L}&&\p{scx=Arab}])`,
  ...INDIC.map((script) => {
    const letter = String.raw`[[\p{L}\p{M}]&&\p{scx=${script}}]`;
    return String.raw`(?<=${letter})[\u200C\u200D](?=${letter})`;
  }),
];
let keptOrActive: RegExp | undefined;

/**
 * What is kept comes first; of emoji those that every terminal should know, joined ones and flags among them. Made
 * when it is first needed: it takes longer than anything else at the start of the program, and most text is plain.
 */
function keptOrActivePattern(): RegExp {
  return (keptOrActive ??= new RegExp(String.raw`(\p{RGI_Emoji}|${JOINERS.join('|')})|${ACTIVE}`, 'gv'));
}

/**
 * Control, bidirectional and invisible characters as `\x1b` or `\u{202e}`; all else as it is, also the joiners within
 * an emoji, or between two letters of a script that needs them.
 */
export function printSafe(text: string): string {
  if (!ANY_ACTIVE.test(text)) return text;
  return text.replace(keptOrActivePattern(), (character, kept: string | undefined) => {
    if (kept !== undefined) return kept;
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
