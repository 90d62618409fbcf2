// SQLite and every other language order text by its UTF-8 bytes; JavaScript by UTF-16 units.

/** Compares two well-formed strings as their UTF-8 bytes would compare: negative, 0 or positive. */
export function compareUtf8(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return utf8Rank(left) - utf8Rank(right);
  }
  return a.length - b.length;
}

/** The two orders differ in one thing: surrogates (code points from U+10000) come after U+E000 to U+FFFF. */
function utf8Rank(unit: number): number {
  if (unit >= 0xe0_00) return unit - 0x08_00;
  return unit >= 0xd8_00 ? unit + 0x20_00 : unit;
}
