// The directory of event files: finding it, reading its ledger.json, making one.
import { randomBytes, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { makeDirectories } from '../directories.ts';
import { errnoOf, messageOf, RunfoldError } from '../errors.ts';
import { nodeIo, syncDirectory, type FileIo } from './file-io.ts';
import { EVENTS_DIR, LEDGER_FILE } from './layout.ts';

const LEDGER_FORMAT = 'runfold';
const LEDGER_VERSION = 1;
/** The name of a ledger that is found without being named. */
export const LEDGER_DIR = '.runfold';

export interface LedgerInfo {
  /** A UUID in lower case. */
  ledger_id: string;
  created_at: string;
  /** Absolute path of the ledger's directory. */
  path: string;
}

export interface FindLedgerOptions {
  /** `--ledger` or the option `ledger`. */
  explicit?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
}

const NO_HARD_LINKS = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK']);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Where the ledger is, as an absolute path: named, `RUNFOLD_DIR`, else the nearest `.runfold/` from `cwd`
 * upwards. Undefined if there is none. A named one need not exist: `readLedger` says so.
 */
export function findLedger(options: FindLedgerOptions): string | undefined {
  if (isNamed(options)) return ledgerCandidates(options)[0];
  return ledgerCandidates(options).find(isDirectory);
}

/** Where a ledger may be, in the order in which it is looked for: one path if it is named. Touches no file. */
export function ledgerCandidates(options: FindLedgerOptions): string[] {
  const { explicit, env, cwd } = options;
  const named = explicit || env['RUNFOLD_DIR'];
  if (named) return [path.resolve(cwd, named)];
  const candidates: string[] = [];
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    candidates.push(path.join(folder, LEDGER_DIR));
    if (folder === path.dirname(folder)) return candidates;
  }
}

function isNamed({ explicit, env }: FindLedgerOptions): boolean {
  return Boolean(explicit || env['RUNFOLD_DIR']);
}

function isDirectory(candidate: string): boolean {
  try {
    return fs.statSync(candidate).isDirectory();
  } catch {
    // What cannot be looked at is not where a ledger is looked for; a named one is reported when it is read.
    return false;
  }
}

/**
 * Reads `ledger.json`.
 *
 * @throws RunfoldError `ledger_not_found` if there is none (an unmounted file system looks like that),
 *   `ledger_unreadable` if it cannot be read, is not ours or is of a newer version.
 */
export function readLedger(dir: string, io: FileIo = nodeIo): LedgerInfo {
  const folder = path.resolve(dir);
  const file = path.join(folder, LEDGER_FILE);
  let text: string;
  try {
    text = io.readText(file);
  } catch (cause) {
    const code = errnoOf(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new RunfoldError('ledger_not_found', `no log at ${folder}: there is no ${LEDGER_FILE} in it`, {
        hint: `If it is on a file system that is not mounted, mount it; to make a log there: runfold init ${folder}`,
        cause,
      });
    }
    throw unreadable(
      file,
      `cannot be read: ${messageOf(cause)}`,
      'Mend its permissions or the file system.',
      cause,
    );
  }
  return parseLedger(text, file, folder);
}

function parseLedger(text: string, file: string, folder: string): LedgerInfo {
  const mend =
    'Restore it from a backup: it must be {"format":"runfold","version":1,"ledger_id":"<uuid>","created_at":"…"}';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(file, `is not JSON: ${messageOf(cause)}`, mend, cause);
  }
  if (typeof value !== 'object' || value === null) throw unreadable(file, 'is not a JSON object', mend);
  const { format, version, ledger_id, created_at } = value as Record<string, unknown>;
  if (format !== LEDGER_FORMAT) throw unreadable(file, `has another format than "${LEDGER_FORMAT}"`, mend);
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    throw unreadable(file, 'has no version', mend);
  }
  if (version > LEDGER_VERSION) {
    throw unreadable(
      file,
      `is of version ${version}, this release knows version ${LEDGER_VERSION}`,
      'Install a newer release of runfold.',
    );
  }
  // strict, because the id becomes the name of a database file
  const id = typeof ledger_id === 'string' ? ledger_id.toLowerCase() : '';
  if (!UUID.test(id)) throw unreadable(file, 'has a ledger_id that is not a UUID', mend);
  if (typeof created_at !== 'string' || Number.isNaN(Date.parse(created_at))) {
    throw unreadable(file, 'has a created_at that is not a time', mend);
  }
  return { ledger_id: id, created_at, path: folder };
}

function unreadable(file: string, what: string, hint: string, cause?: unknown): RunfoldError {
  return new RunfoldError('ledger_unreadable', `${file} ${what}`, { hint, cause });
}

/**
 * Makes a ledger in `dir`, with its folders. Of several that try at the same time one succeeds.
 *
 * @throws RunfoldError `ledger_exists` if there is one; a system error if the directory cannot be made.
 */
export function createLedger(dir: string): LedgerInfo {
  const folder = path.resolve(dir);
  const file = path.join(folder, LEDGER_FILE);
  makeDirectories(path.join(folder, EVENTS_DIR));
  const info = { ledger_id: randomUUID(), created_at: new Date().toISOString() };
  const text = `${JSON.stringify({ format: LEDGER_FORMAT, version: LEDGER_VERSION, ...info })}\n`;

  const draft = `${file}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  writeNew(draft, text);
  try {
    publish(draft, file, text);
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause;
    throw new RunfoldError('ledger_exists', `there is a log at ${folder} already`, {
      hint: 'Use it as it is, or name another directory.',
      cause,
    });
  } finally {
    fs.rmSync(draft, { force: true });
  }
  syncDirectory(nodeIo, folder);
  return { ...info, path: folder };
}

/** link() instead of rename(): it fails where a ledger.json is, so that a race has one winner. */
function publish(draft: string, file: string, text: string): void {
  try {
    fs.linkSync(draft, file);
  } catch (error) {
    const code = errnoOf(error);
    // over NFS the answer to a link that was made can get lost, and the repeated request says EEXIST
    if (code === 'EEXIST' && fs.statSync(draft).nlink === 2) return;
    if (code === undefined || !NO_HARD_LINKS.has(code)) throw error;
    // there, whole or not at all is up to the one small write
    writeNew(file, text);
  }
}

function writeNew(file: string, text: string): void {
  const fd = fs.openSync(file, 'wx', 0o666);
  try {
    fs.writeFileSync(fd, text);
    fs.fsyncSync(fd);
  } catch (error) {
    fs.rmSync(file, { force: true });
    throw error;
  } finally {
    fs.closeSync(fd);
  }
}
