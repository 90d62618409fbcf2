// Descriptors above stderr that the command is to have as without us: Node keeps all of them from its children.
import * as fs from 'node:fs';

const NAMED = /\/(?:dev|proc\/self)\/fd\/(\d{1,5})\b/g;
/** The usual limit. */
const MAX_DESCRIPTOR = 1023;
const O_CLOEXEC = 0o2_000_000;
const O_ACCMODE = 0o3;

/** In order. To be asked before this process opens any by itself. */
export function inheritedDescriptors(words: readonly string[]): number[] {
  // those that a command is told by name, as a shell does for `<(…)`, need no /proc
  return [...new Set([...named(words), ...listed()])].toSorted((one, other) => one - other);
}

function named(words: readonly string[]): number[] {
  return words
    .flatMap((word) => [...word.matchAll(NAMED)].map((match) => Number(match[1])))
    .filter((fd) => fd > 2 && statOf(fd) !== undefined);
}

/**
 * None where there is no /proc. Node sets O_CLOEXEC on what it has inherited, too, so that its own are only told by
 * their kind: they are no files, and pipes of which both ends are here.
 */
function listed(): number[] {
  const all = descriptors().flatMap((fd) => {
    const [stat, flags] = [statOf(fd), flagsOf(fd)];
    return stat === undefined || flags === undefined ? [] : [{ fd, stat, flags, end: flags & O_ACCMODE }];
  });
  const hasOtherEnd = (one: (typeof all)[number]): boolean =>
    all.some(({ stat, end }) => stat.ino === one.stat.ino && stat.dev === one.stat.dev && end !== one.end);
  return all
    .filter((each) => {
      const { stat, flags, end } = each;
      if ((flags & O_CLOEXEC) === 0) return true;
      if (stat.isFIFO()) return !hasOtherEnd(each);
      // Node has /dev/null open to read
      if (stat.isCharacterDevice()) return end !== fs.constants.O_RDONLY;
      return stat.isFile() || stat.isDirectory() || stat.isSocket() || stat.isBlockDevice();
    })
    .map(({ fd }) => fd);
}

function descriptors(): number[] {
  try {
    return fs
      .readdirSync('/proc/self/fd')
      .map(Number)
      .filter((fd) => fd > 2 && fd <= MAX_DESCRIPTOR);
  } catch {
    // not Linux
    return [];
  }
}

function statOf(fd: number): fs.Stats | undefined {
  try {
    return fs.fstatSync(fd);
  } catch {
    // not open: the command is told so by its own use of it
    return undefined;
  }
}

function flagsOf(fd: number): number | undefined {
  try {
    const text = fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
    const [, flags] = /^flags:\s*([0-7]+)$/m.exec(text) ?? [];
    return flags === undefined ? undefined : Number.parseInt(flags, 8);
  } catch {
    return undefined;
  }
}
