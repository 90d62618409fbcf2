// The bookkeeping of event files in the database: one row a file, its seq, its holes, its rejected lines.
import type { Statement } from 'better-sqlite3';
import type { Db } from '../db/open.ts';
import type { RejectCode } from '../events/reject-codes.ts';
import type { FileState, Stretch } from './file-state.ts';

export interface Range {
  offset: number;
  length: number;
}

export interface RejectedLine extends Range {
  code: RejectCode;
  message: string;
  excerpt: string;
}

/** Columns, and the properties that they hold. */
const COLUMNS = {
  path: 'path',
  state: 'state',
  reason: 'reason',
  kind: 'kind',
  writer: 'writer',
  attempt: 'attempt',
  host: 'host',
  user_name: 'user',
  uid: 'uid',
  links: 'links',
  offset: 'offset',
  scanned: 'scanned',
  scanned_nul: 'scannedNul',
  crc: 'crc',
  marker: 'marker',
  holes_until: 'holesUntil',
  size: 'size',
  mtime_ms: 'mtimeMs',
  events: 'events',
  repeats: 'repeats',
  unknown: 'unknown',
  after_close: 'afterClose',
  max_seq: 'maxSeq',
  closed_seq: 'closedSeq',
  last_ts: 'lastTs',
  since: 'since',
} as const satisfies Readonly<Record<string, keyof FileState>>;

/** A FileState as SQLite takes it and gives it. */
type FileRow = Omit<FileState, 'scannedNul' | 'stretch'> & { scannedNul: 0 | 1 };

const SELECTED = Object.entries(COLUMNS)
  .map(([column, property]) => `${column} AS ${property}`)
  .join(', ');

/** isAtRest in SQL; the other one is that of an index. */
const AT_REST = "state IN ('complete', 'quiet')";
const ACTIVE = "state NOT IN ('complete', 'quiet')";

export class FileStore {
  readonly #db: Db;
  readonly #load: Statement;
  readonly #pathsIn: Statement;
  readonly #pathsAtRest: Statement;
  readonly #pathOfWriter: Statement;
  readonly #save: Statement;
  readonly #forget: Statement;
  readonly #reject: Statement;
  readonly #stretch: Statement;
  readonly #hole: Statement;
  readonly #find: Statement;

  constructor(db: Db) {
    this.#db = db;
    const columns = Object.keys(COLUMNS).join(', ');
    const values = Object.values(COLUMNS)
      .map((property) => `@${property}`)
      .join(', ');
    this.#save = db.prepare(`INSERT OR REPLACE INTO _files (${columns}) VALUES (${values})`);
    this.#load = db.prepare(`SELECT ${SELECTED} FROM _files WHERE path = ?`);
    this.#pathsIn = db.prepare('SELECT path FROM _files WHERE path >= ? AND path < ?').pluck();
    this.#pathsAtRest = db
      .prepare(`SELECT path FROM _files WHERE path > ? AND ${AT_REST} ORDER BY path LIMIT ?`)
      .pluck();
    this.#pathOfWriter = db.prepare("SELECT path FROM _files WHERE writer = ? AND kind = 'writer'").pluck();
    this.#forget = db.prepare('DELETE FROM _files WHERE path = ?');
    this.#reject = db.prepare(
      'INSERT OR REPLACE INTO _rejected (file, offset, length, code, message, excerpt) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#stretch = db.prepare(
      'INSERT OR REPLACE INTO _stretches (path, unknown, first, last, offset) VALUES (?, ?, ?, ?, ?)',
    );
    this.#hole = db.prepare('INSERT OR REPLACE INTO _holes (path, offset, length) VALUES (?, ?, ?)');
    this.#find = db.prepare(
      `SELECT first, last, offset FROM _stretches WHERE path = ? AND unknown = 0 AND first <= ?
       ORDER BY first DESC LIMIT 1`,
    );
  }

  load(path: string): FileState | undefined {
    const row = this.#load.get(path) as FileRow | undefined;
    return row && decodeFile(row);
  }

  loadAll(): FileState[] {
    return this.#loadWhere('true');
  }

  loadActive(): FileState[] {
    return this.#loadWhere(ACTIVE);
  }

  #loadWhere(condition: string): FileState[] {
    const rows = this.#db
      .prepare(`SELECT ${SELECTED} FROM _files WHERE ${condition} ORDER BY path`)
      .all() as FileRow[];
    return rows.map(decodeFile);
  }

  /** In order, at most so many of those after `after`. */
  pathsAtRest(after: string, most: number): string[] {
    return this.#pathsAtRest.all(after, most) as string[];
  }

  pathsIn(folder: string): string[] {
    // in the order of bytes the character after '/' is '0'
    return this.#pathsIn.all(`${folder}/`, `${folder}0`) as string[];
  }

  /** The well placed file whose header names the writer. */
  pathOfWriter(writer: string): string | undefined {
    return this.#pathOfWriter.get(writer) as string | undefined;
  }

  save(file: FileState): void {
    this.#save.run({ ...file, scannedNul: file.scannedNul ? 1 : 0 });
  }

  forget(path: string): void {
    this.#forget.run(path);
  }

  reject(path: string, line: RejectedLine): void {
    this.#reject.run(path, line.offset, line.length, line.code, line.message, line.excerpt);
    if (line.code === 'nul_hole') this.#hole.run(path, line.offset, line.length);
  }

  saveStretch(path: string, stretch: Stretch, unknown: 0 | 1): void {
    this.#stretch.run(path, unknown, stretch.first, stretch.last, stretch.offset);
  }

  /** The stretch of valid lines that holds `seq`. */
  findStretch(path: string, seq: number): Stretch | undefined {
    const stretch = this.#find.get(path, seq) as Stretch | undefined;
    return stretch !== undefined && stretch.last >= seq ? stretch : undefined;
  }

  /** The last stretch begun, which the next line may make longer. */
  lastStretch(path: string): Stretch | undefined {
    return this.#db
      .prepare(
        'SELECT first, last, offset FROM _stretches WHERE path = ? AND unknown = 0 ORDER BY offset DESC LIMIT 1',
      )
      .get(path) as Stretch | undefined;
  }

  /** The seq up to `upTo` that no line of the file has, as ranges in order. */
  gaps(path: string, upTo: number): { first: number; last: number }[] {
    const stretches = this.#db
      .prepare('SELECT first, last FROM _stretches WHERE path = ? AND first <= ? ORDER BY first')
      .iterate(path, upTo) as IterableIterator<{ first: number; last: number }>;
    const gaps: { first: number; last: number }[] = [];
    let next = 1;
    for (const { first, last } of stretches) {
      if (first > next) gaps.push({ first: next, last: first - 1 });
      next = Math.max(next, last + 1);
    }
    if (next <= upTo) gaps.push({ first: next, last: upTo });
    return gaps;
  }

  holes(): (Range & { path: string })[] {
    return this.#db
      .prepare('SELECT path, offset, length FROM _holes ORDER BY path, offset')
      .all() as (Range & {
      path: string;
    })[];
  }

  /** The ranges that `crc` leaves out, in order. */
  uncounted(path: string): Range[] {
    return this.#db
      .prepare(
        "SELECT offset, length FROM _rejected WHERE file = ? AND code IN ('nul_hole', 'too_long') ORDER BY offset",
      )
      .all(path) as Range[];
  }

  /** Removes what was noted of the file's lines; its row stays. */
  clear(path: string): void {
    this.#db.prepare('DELETE FROM _rejected WHERE file = ?').run(path);
    this.#db.prepare('DELETE FROM _stretches WHERE path = ?').run(path);
    this.#db.prepare('DELETE FROM _holes WHERE path = ?').run(path);
  }
}

function decodeFile(row: FileRow): FileState {
  return { ...row, scannedNul: row.scannedNul === 1 };
}
