// Where the database lives: a private directory on a local disk of this machine.
import { lstatSync } from 'node:fs';
import path from 'node:path';
import { makeDirectories } from '../directories.ts';
import { RunfoldError } from '../errors.ts';
import { networkFileSystem, type StatFileSystem } from './network-fs.ts';

export interface LocationOptions {
  /** `--db`. */
  explicit?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  ledgerId: string;
  uid: number;
  /** What a relative path is relative to; default the working directory. */
  cwd?: string;
}

/** `--db`, `RUNFOLD_DB`, else `/var/tmp/runfold-<uid>/<ledger_id>.db`. */
export function databasePath(options: LocationOptions): string {
  const named = options.explicit || options.env['RUNFOLD_DB'];
  if (named) return path.resolve(options.cwd ?? '', named);
  return path.join(`/var/tmp/runfold-${options.uid}`, `${options.ledgerId}.db`);
}

/**
 * Makes the directory of `file` (mode 0700) if it is missing, and checks that the database may live there.
 *
 * @throws RunfoldError `database_on_network` on a network file system; `database_unsafe` if the default
 *   directory is a symbolic link, is not owned by `uid` or is open to others, or one of the files is a link.
 */
export function prepareDatabaseDirectory(file: string, uid: number, statfs?: StatFileSystem): void {
  const directory = path.dirname(file);
  const isDefault = path.basename(directory) === `runfold-${uid}`;
  // before and after: mkdir follows links, and somebody else may be faster
  if (isDefault) assertPrivate(directory, uid);
  makeDirectories(directory, 0o700);
  if (isDefault) assertPrivate(directory, uid);
  for (const suffix of FILES) assertNoSymlink(file + suffix);
  const network = networkFileSystem(directory, statfs);
  if (network !== undefined) {
    throw new RunfoldError(
      'database_on_network',
      `${file} is on ${network}: SQLite’s WAL does not work there`,
      {
        hint: `Name a file on a local disk of this machine with --db or RUNFOLD_DB, or leave both out for /var/tmp/runfold-${uid}/. The database is made from the log; it needs no backup.`,
      },
    );
  }
}

/** The database, and what is kept beside it. */
const FILES = ['', '-wal', '-shm', '.lock', '.slurm'];

function assertPrivate(directory: string, uid: number): void {
  const stats = lstatSync(directory, { throwIfNoEntry: false });
  if (stats === undefined) return;
  const problem = stats.isSymbolicLink()
    ? 'is a symbolic link'
    : !stats.isDirectory()
      ? 'is not a directory'
      : stats.uid !== uid
        ? `belongs to uid ${stats.uid}, not to you`
        : (stats.mode & 0o077) !== 0
          ? 'can be entered by others'
          : undefined;
  if (problem === undefined) return;
  throw new RunfoldError('database_unsafe', `${directory} ${problem}`, {
    hint: `Remove it (or chmod 700 it if it is yours), or name another place with --db or RUNFOLD_DB.`,
  });
}

function assertNoSymlink(file: string): void {
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new RunfoldError('database_unsafe', `${file} is a symbolic link`, {
    hint: 'Name the real file with --db or RUNFOLD_DB.',
  });
}
