// Descriptors that a command is told by name, as a shell does for `<(…)`. Node keeps all others from its children.
import * as fs from 'node:fs';

const NAMED = /\/(?:dev|proc\/self)\/fd\/(\d{1,5})\b/g;

/** Above stderr, those that are open; in order. */
export function namedDescriptors(words: readonly string[]): number[] {
  const named = words.flatMap((word) => [...word.matchAll(NAMED)].map((match) => Number(match[1])));
  return [...new Set(named)].filter((fd) => fd > 2 && isOpen(fd)).toSorted((one, other) => one - other);
}

function isOpen(fd: number): boolean {
  try {
    fs.fstatSync(fd);
    return true;
  } catch {
    // then the command is told so by its own open
    return false;
  }
}
