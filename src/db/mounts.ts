// Which file system a path is on, found out without touching one that may hang.
import * as fs from 'node:fs';
import path from 'node:path';

/** What is on a disk or in the memory of this machine, by its name in /proc/self/mountinfo. All else may hang. */
const LOCAL = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'f2fs',
  'jfs',
  'reiserfs',
  'bcachefs',
  'vfat',
  'exfat',
  'iso9660',
  'squashfs',
  'erofs',
  'tmpfs',
  'ramfs',
  'devtmpfs',
  'overlay',
  'rootfs',
  'proc',
  'sysfs',
]);

/** As many symbolic links as Linux follows. */
const MAX_LINKS = 40;

interface Mount {
  point: string;
  type: string;
}

export interface MountView {
  /** The text of /proc/self/mountinfo, undefined where there is none. */
  mountInfo: () => string | undefined;
  /** Where a symbolic link leads; undefined if the path is none, or is not there. */
  readLink: (path: string) => string | undefined;
}

/**
 * Whether looking at an absolute path can take for ever, since it is, or a part of it is, on a file system that is not
 * this machine's own.
 */
export function mayHang(absolute: string, view: MountView = thisMachine): boolean {
  const text = view.mountInfo();
  // not Linux: nothing is known
  if (text === undefined) return true;
  const mounts = parseMounts(text);
  let at = '/';
  let links = 0;
  const rest = absolute.split('/').filter((part) => part !== '');
  for (;;) {
    if (!LOCAL.has(typeOf(at, mounts))) return true;
    const part = rest.shift();
    if (part === undefined) return false;
    if (part === '.') continue;
    const next = part === '..' ? path.dirname(at) : path.join(at, part);
    const target = LOCAL.has(typeOf(next, mounts)) ? view.readLink(next) : undefined;
    if (target === undefined) {
      at = next;
      continue;
    }
    links += 1;
    // whoever opens it gets ELOOP, at once
    if (links > MAX_LINKS) return false;
    if (target.startsWith('/')) at = '/';
    rest.unshift(...target.split('/').filter((piece) => piece !== ''));
  }
}

/** Lines such as `36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/root rw`, the later over the earlier. */
function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const words = line.split(' ');
    const type = words[words.indexOf('-') + 1];
    const point = words[4];
    return point === undefined || type === undefined ? [] : [{ point: unescaped(point), type }];
  });
}

/** Blanks and backslashes are octal there. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(parseInt(digits, 8)));
}

function typeOf(at: string, mounts: readonly Mount[]): string {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const isAbove = mount.point === '/' || at === mount.point || at.startsWith(`${mount.point}/`);
    if (isAbove && mount.point.length >= (best?.point.length ?? 0)) best = mount;
  }
  return best?.type ?? '';
}

const thisMachine: MountView = {
  mountInfo: () => {
    try {
      return fs.readFileSync('/proc/self/mountinfo', 'utf8');
    } catch {
      return undefined;
    }
  },
  readLink: (at) => {
    try {
      return fs.readlinkSync(at);
    } catch {
      // no link, or nothing there: whoever opens the path is told
      return undefined;
    }
  },
};
