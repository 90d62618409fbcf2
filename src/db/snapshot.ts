// A copy of the database for others: consistent, checked, and never half there.
import Database from 'better-sqlite3';
import * as fs from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf, RunfoldError } from '../errors.ts';
import { openReadOnly } from './open.ts';
import { APPLICATION_ID } from './schema.ts';
import { isOver, removeDatabase, removeRemains, syncFile } from './swap.ts';

/** Where a snapshot is looked for, in the log's directory. */
export const SNAPSHOT_FILE = 'snapshot.db';

export interface SnapshotRequest {
  /** The live database. */
  file: string;
  /** Absolute path of the snapshot. */
  target: string;
  /** A file whose readers may read the snapshot too. */
  like: string;
  host: string;
  pid: number;
}

export interface SnapshotMade {
  path: string;
  bytes: number;
  /** When the log was last looked at for it. */
  as_of: string | null;
}

const SCRATCH_SUFFIX = '.snapshot-';
const COPY_BYTES = 4 * 1_048_576;
/** A draft of another machine that nobody has written to for so long is nobody's. */
const ABANDONED_MS = 86_400_000;
const READABLE_BY_OTHERS = 0o044;

/**
 * Copies the database beside itself in one read transaction, checks the copy, and puts it in the place of `target`:
 * whoever opens that gets the old one or the new one, whole, whenever this is killed. Blocks until it is done, also
 * on a storage that hangs: to be called where that holds up nobody.
 *
 * @throws RunfoldError `file_exists` if something else is at `target`; `snapshot_failed`; those of `openReadOnly`.
 */
export function makeSnapshot({ file, target, like, host, pid }: SnapshotRequest): SnapshotMade {
  assertReplaceable(file, target);
  removeRemains(file, SCRATCH_SUFFIX, isOver);
  const scratch = `${file}${SCRATCH_SUFFIX}${pid}`;
  removeDatabase(scratch);
  try {
    const asOf = copyLive(file, scratch);
    return { path: target, bytes: publish(scratch, { target, like, host, pid }), as_of: asOf };
  } catch (cause) {
    if (cause instanceof RunfoldError) throw cause;
    throw new RunfoldError('snapshot_failed', `no snapshot at ${target}: ${messageOf(cause)}`, {
      hint: 'Make room, or name another place: runfold snapshot PATH. What was there before is as it was.',
      cause,
    });
  } finally {
    removeDatabase(scratch);
  }
}

function copyLive(file: string, scratch: string): string | null {
  const live = openReadOnly(file);
  try {
    live.prepare('VACUUM INTO ?').run(scratch);
  } finally {
    live.close();
  }
  fs.chmodSync(scratch, 0o600);
  const copy = new Database(scratch);
  try {
    // readers of shared storage cannot have a WAL
    copy.pragma('journal_mode = DELETE');
    const problem = quickCheck(copy);
    if (problem !== undefined) throw new Error(`the copy is damaged: ${problem}`);
    const asOf = copy.prepare<[], string | null>('SELECT last_pass_at FROM _projection').pluck().get();
    return asOf ?? null;
  } finally {
    copy.close();
  }
}

/** What SQLite finds wrong, undefined if nothing. */
export function quickCheck(db: Database.Database): string | undefined {
  const found = String(db.pragma('quick_check(1)', { simple: true }));
  return found === 'ok' ? undefined : found;
}

type Publication = Pick<SnapshotRequest, 'target' | 'like' | 'host' | 'pid'>;

function publish(scratch: string, { target, like, host, pid }: Publication): number {
  const draft = `${target}.tmp-${host}-${pid}`;
  // what a process of this machine that had our number has left
  fs.rmSync(draft, { force: true });
  const into = fs.openSync(draft, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL, 0o600);
  try {
    const bytes = copyBytes(scratch, into);
    fs.fchmodSync(into, 0o600 | (fs.statSync(like).mode & READABLE_BY_OTHERS));
    fs.fsyncSync(into);
    removeDrafts(target, host, fs.fstatSync(into).mtimeMs, path.basename(draft));
    fs.renameSync(draft, target);
    syncDirectory(path.dirname(target));
    return bytes;
  } finally {
    fs.closeSync(into);
    fs.rmSync(draft, { force: true });
  }
}

function syncDirectory(directory: string): void {
  try {
    syncFile(directory);
  } catch {
    // Some file systems cannot fsync a directory; the file itself is fsynced, and in its place.
  }
}

function copyBytes(source: string, into: number): number {
  const from = fs.openSync(source, 'r');
  try {
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    let position = 0;
    for (;;) {
      const read = fs.readSync(from, buffer, 0, buffer.length, position);
      if (read === 0) return position;
      for (let written = 0; written < read;) {
        written += fs.writeSync(into, buffer, written, read - written, position + written);
      }
      position += read;
    }
  } finally {
    fs.closeSync(from);
  }
}

/** Drafts of processes that have died: of this machine, or so old that their machine has forgotten them. */
function removeDrafts(target: string, host: string, nowMs: number, own: string): void {
  const folder = path.dirname(target);
  const prefix = `${path.basename(target)}.tmp-`;
  for (const name of fs.readdirSync(folder)) {
    if (!name.startsWith(prefix) || name === own) continue;
    const draft = path.join(folder, name);
    const [, pid] = name.startsWith(`${prefix}${host}-`)
      ? (/^-(\d+)$/.exec(name.slice(prefix.length + host.length)) ?? [])
      : [];
    // the times are all the server's: clocks of machines may differ
    const age = nowMs - (fs.lstatSync(draft, { throwIfNoEntry: false })?.mtimeMs ?? nowMs);
    if (pid === undefined ? age > ABANDONED_MS : isOver(Number(pid))) removeIfAllowed(draft);
  }
}

function removeIfAllowed(draft: string): void {
  try {
    fs.rmSync(draft, { force: true });
  } catch {
    // somebody else's, in a folder where only he may: it is in nobody's way
  }
}

/** Nothing but an older snapshot is replaced, and never the live database. */
function assertReplaceable(file: string, target: string): void {
  const stats = fs.lstatSync(target, { throwIfNoEntry: false });
  if (stats === undefined) return;
  const live = fs.lstatSync(file, { throwIfNoEntry: false });
  const what =
    stats.ino === live?.ino && stats.dev === live.dev
      ? 'the database itself'
      : stats.isSymbolicLink()
        ? 'a symbolic link'
        : stats.isFile()
          ? applicationOf(target) === APPLICATION_ID
            ? undefined
            : 'no database of runfold'
          : 'no regular file';
  if (what === undefined) return;
  throw new RunfoldError('file_exists', `${target} is ${what}, and is not replaced`, {
    hint: 'Name another file: runfold snapshot PATH. Or move that away.',
  });
}

const APPLICATION_ID_OFFSET = 68;

/** The application_id in the header of a SQLite file; undefined if it is too short to have one. */
function applicationOf(file: string): number | undefined {
  const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  try {
    const header = Buffer.alloc(APPLICATION_ID_OFFSET + 4);
    return fs.readSync(fd, header) < header.length ? undefined : header.readInt32BE(APPLICATION_ID_OFFSET);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  } finally {
    fs.closeSync(fd);
  }
}
