// Where the database lives: a private directory on a local disk of this machine.
import { lstatSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, RunfoldError } from '../errors.ts';
import { networkFileSystem, type StatFileSystem } from './network-fs.ts';

export interface LocationOptions {
  /** `--db`. */
  explicit?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  ledgerId: string;
  uid: number;
}

/** `--db`, `RUNFOLD_DB`, else `/var/tmp/runfold-<uid>/<ledger_id>.db`. */
export function databasePath(options: LocationOptions): string {
  const named = options.explicit ?? options.env['RUNFOLD_DB'];
  if (named !== undefined && named !== '') return path.resolve(named);
  return path.join(`/var/tmp/runfold-${options.uid}`, `${options.ledgerId}.db`);
}

/**
 * Makes the directory of `file` (mode 0700) if it is missing, and checks that the database may live there.
 *
 * @throws RunfoldError `database_on_network` on a network file system; `database_unsafe` if the default
 *   directory is a symbolic link, is not owned by `uid` or is open to others, or the file is a symbolic link.
 */
export function prepareDatabaseDirectory(file: string, uid: number, statfs?: StatFileSystem): void {
  const directory = path.dirname(file);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (path.basename(directory) === `runfold-${uid}`) assertPrivate(directory, uid);
  assertNoSymlink(file);
  const network = networkFileSystem(directory, statfs);
  if (network !== undefined) {
    throw new RunfoldError('database_on_network', `${file} is on ${network}: SQLite’s WAL does not work there`, {
      hint: `Name a file on a local disk of this machine with --db or RUNFOLD_DB, or leave both out for /var/tmp/runfold-${uid}/. The database is made from the log; it needs no backup.`,
    });
  }
}

function assertPrivate(directory: string, uid: number): void {
  const stats = lstatSync(directory);
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
  try {
    if (!lstatSync(file).isSymbolicLink()) return;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  throw new RunfoldError('database_unsafe', `${file} is a symbolic link`, {
    hint: 'Name the real file with --db or RUNFOLD_DB.',
  });
}
