// What `status` counts and `doctor` finds, from the bookkeeping tables.
import type { Db } from '../db/open.ts';
import { shellWord } from '../shell-word.ts';
import { REJECT_CODES, type RejectCode } from '../events/reject-codes.ts';
import { GONE, type FileState, type FileStatus } from './file-state.ts';
import { FileStore } from './file-store.ts';
import { byNumber, ownedFiles, ownerLookUp, peopleFindings, type NameOf, type OwnedFiles } from './people.ts';
import { runFindings } from './run-findings.ts';
import type { StorageProblem } from './storage.ts';
import type { TrustLevel } from './trust.ts';

export interface LedgerStatus {
  ledger_id: string;
  ledger_path: string;
  files: Record<FileStatus, number>;
  /** Live files that wait for a hole to fill. */
  waiting: number;
  events: number;
  /** Lines of types that a newer release may know. */
  unknown: number;
  rejected: number;
  /** Bytes that were there at the last look and are not applied, of files that are read on. */
  lag_bytes: number;
  /** Age in seconds of the oldest write among the files with a lag, null if there is none. */
  lag_seconds: number | null;
  last_pass_at: string | null;
  /** Whose files are read. */
  trust: TrustLevel;
  /** How many files are whose, most first. */
  owners: OwnedFiles[];
}

export type FindingKind =
  | 'rejected'
  | 'gap'
  | 'misplaced'
  | 'frozen'
  | 'missing'
  | 'untrusted'
  | 'hard_link'
  | 'owner_differs'
  | 'permissions'
  | 'waiting'
  | 'after_close'
  | 'orphan'
  | 'stranger'
  | 'hang'
  | 'config_differs'
  | 'attempt_reused'
  | 'tasks_in_one_run';

export interface Finding {
  kind: FindingKind;
  /** A note is worth knowing; a problem makes the ledger unhealthy. */
  severity: 'problem' | 'note';
  /** The file, or the run. */
  where: string;
  /** Byte offset in the file, where there is one. */
  offset: number | null;
  what: string;
  /** What to do about it. */
  advice: string;
  /** Whose the file is, by name; null if that is not known, or it is no file. */
  owner: string | null;
}

/** Whose it is, is added to all. */
export type Found = Omit<Finding, 'owner'>;

export function ledgerStatus(db: Db, nowMs: number): LedgerStatus {
  const counts: Record<FileStatus, number> = {
    live: 0, quiet: 0, complete: 0, frozen: 0, misplaced: 0, missing: 0, untrusted: 0,
  }; // prettier-ignore
  const totals = { waiting: 0, events: 0, unknown: 0, lagBytes: 0, oldestMs: Number.POSITIVE_INFINITY };
  for (const row of db.prepare(FILES_BY_STATE).all() as FilesOfState[]) {
    counts[row.state] = row.files;
    totals.events += row.events;
    totals.unknown += row.unknown;
    if (row.state === 'live') totals.waiting = row.with_reason;
    if (!READ_ON.has(row.state)) continue;
    totals.lagBytes += row.lag_bytes;
    totals.oldestMs = Math.min(totals.oldestMs, row.oldest_ms ?? Number.POSITIVE_INFINITY);
  }
  const projection = db.prepare('SELECT * FROM _projection').get() as
    | { ledger_id: string; ledger_path: string; last_pass_at: string | null; trust: TrustLevel }
    | undefined;
  return {
    ledger_id: projection?.ledger_id ?? '',
    ledger_path: projection?.ledger_path ?? '',
    files: counts,
    waiting: totals.waiting,
    events: totals.events,
    unknown: totals.unknown,
    rejected: Number(db.prepare('SELECT count(*) FROM _rejected').pluck().get()),
    lag_bytes: totals.lagBytes,
    lag_seconds: totals.lagBytes === 0 ? null : Math.max(0, (nowMs - totals.oldestMs) / 1000),
    last_pass_at: projection?.last_pass_at ?? null,
    trust: projection?.trust ?? 'all',
    owners: ownedFiles(db),
  };
}

const READ_ON: ReadonlySet<FileStatus> = new Set(['live', 'quiet', 'complete']);

const FILES_BY_STATE = `
  SELECT state, count(*) AS files, sum(reason IS NOT NULL) AS with_reason, sum(events) AS events,
    sum(unknown) AS unknown, sum(max(0, size - offset)) AS lag_bytes,
    min(CASE WHEN size > offset THEN mtime_ms END) AS oldest_ms
  FROM _files GROUP BY state`;

interface FilesOfState {
  state: FileStatus;
  files: number;
  with_reason: number;
  events: number;
  unknown: number;
  lag_bytes: number;
  oldest_ms: number | null;
}

/**
 * Everything that is wrong or odd, one by one: there may be a million rejected lines.
 *
 * @param nameOf who has the number
 */
export function* findings(
  db: Db,
  strangers: readonly StorageProblem[],
  nameOf: NameOf = byNumber,
): Generator<Finding> {
  const ownerOf = ownerLookUp(db, nameOf);
  for (const found of allFound(db, strangers, nameOf)) yield { ...found, owner: ownerOf(found.where) };
}

function* allFound(db: Db, strangers: readonly StorageProblem[], nameOf: NameOf): Generator<Found> {
  const store = new FileStore(db);
  const files = store.loadAll();
  const occupied = new Set(files.filter(({ state }) => state !== 'missing').map(({ path }) => path));
  for (const file of files) yield* fileFindings(file, store, occupied);
  yield* peopleFindings(db, nameOf);
  yield* rejectedFindings(db);
  yield* runFindings(db);
  for (const { path, reason } of strangers) {
    yield {
      kind: 'stranger', severity: 'note', where: path, offset: null,
      what: `not read: ${reason}`,
      advice: /^E[A-Z]+$/.test(reason)
        ? 'Make it readable for whoever reads the log: chmod g+rx.'
        : 'Event files are regular files events/*/*.ndjson. Move it away if it does not belong here.',
    }; // prettier-ignore
  }
}

function* fileFindings(file: FileState, store: FileStore, occupied: ReadonlySet<string>): Generator<Found> {
  const at = { where: file.path, offset: null, severity: 'problem' } as const;
  const since = `since ${file.since}`;
  if (file.state === 'misplaced') {
    const advice = misplacedAdvice(file, occupied);
    yield { ...at, kind: 'misplaced', what: `nothing of it is read: ${file.reason ?? ''}`, advice };
  }
  if (file.state === 'missing') {
    yield {
      ...at,
      kind: 'missing',
      what: `${file.reason === GONE ? 'gone' : `cannot be read (${file.reason ?? ''})`} ${since}; its ${file.events} events stay in the tables`,
      advice: 'Bring it back or make it readable; to give its rows up: runfold sync --rebuild --lose-missing',
    };
  }
  if (file.state === 'frozen') {
    yield {
      ...at,
      kind: 'frozen',
      offset: file.offset,
      what: `${FREEZE_WORDS[file.reason ?? ''] ?? file.reason ?? ''} ${since}; nothing from here on is read`,
      advice: FREEZE_ADVICE[file.reason ?? ''] ?? '',
    };
  }
  if (file.state === 'live' && file.reason !== null) {
    yield {
      ...at,
      kind: 'waiting',
      severity: 'note',
      offset: file.offset,
      what: `waits for NUL bytes to become text, ${since}`,
      advice: 'Nothing to do: it is given up when the file has not changed for 15 minutes.',
    };
  }
  for (const { first, last } of file.maxSeq > 0 ? store.gaps(file.path, file.maxSeq) : []) {
    yield {
      ...at,
      kind: 'gap',
      what: first === last ? `seq ${first} is missing` : `seq ${first} to ${last} are missing`,
      advice:
        'Look at the rejected lines of this file: they may be the missing ones. Else the writer lost them, or a spool file waits on its machine.',
    };
  }
  if (file.afterClose > 0) {
    yield {
      ...at,
      kind: 'after_close',
      severity: 'note',
      what: `${file.afterClose} lines after its writer_closed (they are applied)`,
      advice: 'The writer went on after it had closed: close it last.',
    };
  }
}

const FREEZE_WORDS: Readonly<Record<string, string>> = {
  truncated: 'became shorter than what was read of it',
  rewritten: 'holds other bytes than were read',
  second_header: 'holds a second header',
  other_format: 'is of a format that this release does not know',
};

const FREEZE_ADVICE: Readonly<Record<string, string>> = {
  truncated: 'Restore the file as it was; to give its rows up: runfold sync --rebuild --lose-missing',
  rewritten: 'Restore the file as it was; to take what it holds now: runfold sync --rebuild --lose-missing',
  second_header:
    'Two files were joined into one: cut the second one out into a file of its own name, then: runfold sync --rebuild',
  other_format: 'Install a newer release of runfold, then: runfold sync --rebuild',
};

function misplacedAdvice(file: FileState, occupied: ReadonlySet<string>): string {
  const target = /^belongs at (.*)$/.exec(file.reason ?? '')?.[1];
  if (target === undefined || occupied.has(target)) return 'It is a copy of another file: move it away.';
  return `In the log’s directory: mv -n ${shellWord(file.path)} ${shellWord(target)}`;
}

/** Page by page: an open cursor would hold up the checkpoints of the projector for as long as somebody reads. */
function* rejectedFindings(db: Db): Generator<Found> {
  const select = db.prepare<[string, number, number], RejectedRow>(
    `SELECT file, offset, code, message, excerpt FROM _rejected WHERE (file, offset) > (?, ?)
     ORDER BY file, offset LIMIT ?`,
  );
  let last: Pick<RejectedRow, 'file' | 'offset'> | undefined = { file: '', offset: -1 };
  while (last !== undefined) {
    const rows: RejectedRow[] = select.all(last.file, last.offset, PAGE_ROWS);
    for (const { file, offset, code, message, excerpt } of rows) {
      yield {
        kind: 'rejected',
        severity: 'problem',
        where: file,
        offset,
        what: `${code}: ${message}${excerpt === '' ? '' : `: ${excerpt}`}`,
        advice: REJECT_CODES[code],
      };
    }
    last = rows.at(-1);
  }
}

interface RejectedRow {
  file: string;
  offset: number;
  code: RejectCode;
  message: string;
  excerpt: string;
}

const PAGE_ROWS = 1000;
