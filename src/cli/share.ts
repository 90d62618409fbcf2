// Gives a log to a group: who is in it makes files there, and reads those of the others.
import * as fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../errors.ts';
import { OPEN_FLAGS } from '../events/file-io.ts';
import { EVENTS_DIR, LEDGER_FILE } from '../events/layout.ts';

/**
 * Folders of events belong to the group, files to their writers. The log's own directory stays its owner's: nobody
 * else can replace `ledger.json`, or a snapshot.
 */
export const SHARED_MODES = { log: 0o2750, ledgerFile: 0o640, events: 0o2770, eventFile: 0o640 } as const;

export interface Shared {
  /** How many files and folders got another mode or group. */
  shared: number;
  /** What belongs to others, by uid. */
  others: Map<number, string[]>;
}

/** Sets what is one's own; root sets all. @throws a system error of what is one's own. */
export function share(root: string, gid: number): Shared {
  const shared: Shared = { shared: 0, others: new Map() };
  const events = path.join(root, EVENTS_DIR);
  give(root, SHARED_MODES.log, gid, shared);
  give(path.join(root, LEDGER_FILE), SHARED_MODES.ledgerFile, gid, shared);
  give(events, SHARED_MODES.events, gid, shared);
  for (const folder of namesIn(events)) {
    const place = path.join(events, folder);
    if (give(place, SHARED_MODES.events, gid, shared) !== 'folder') continue;
    for (const file of namesIn(place)) give(path.join(place, file), SHARED_MODES.eventFile, gid, shared);
  }
  return shared;
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    // somebody else's, which is said of the folder itself
    if (errnoOf(error) === 'EACCES') return [];
    throw error;
  }
}

function give(place: string, mode: number, gid: number, into: Shared): 'folder' | 'other' {
  const seen = fs.lstatSync(place);
  const isFolder = seen.isDirectory();
  // links and whatever else lies there are none of ours
  if (!isFolder && !seen.isFile()) return 'other';
  // what a member of the group has put there is not opened to others by way of root: another name may lead to it
  if (!isFolder && seen.nlink > 1) return 'other';
  const self = process.getuid?.() ?? 0;
  if (self !== 0 && self !== seen.uid) {
    if (!isAsItShouldBe(seen, mode, gid)) noteOther(seen.uid, place, into);
    return isFolder ? 'folder' : 'other';
  }
  const fd = fs.openSync(place, OPEN_FLAGS.read);
  try {
    const stats = fs.fstatSync(fd);
    // something else has taken its place
    if (stats.ino !== seen.ino || stats.uid !== seen.uid) return 'other';
    if (!isAsItShouldBe(stats, mode, gid)) {
      if (stats.gid !== gid) fs.fchownSync(fd, stats.uid, gid);
      fs.fchmodSync(fd, mode | (stats.mode & KEPT));
      into.shared += 1;
    }
  } finally {
    fs.closeSync(fd);
  }
  return isFolder ? 'folder' : 'other';
}

/** What others may read, they may go on reading. */
const KEPT = 0o005;

function isAsItShouldBe({ mode, gid }: fs.Stats, wanted: number, group: number): boolean {
  return gid === group && (mode & 0o7777 & ~KEPT) === wanted;
}

function noteOther(uid: number, place: string, { others }: Shared): void {
  others.set(uid, [...(others.get(uid) ?? []), place]);
}
