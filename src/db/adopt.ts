// Whether a file that claims to be a snapshot of our database is one, before it becomes the database.
import Database from 'better-sqlite3';
import { messageOf } from '../errors.ts';
import { openForWriting, IN_MEMORY } from './open.ts';
import { APPLICATION_ID, SCHEMA_VERSION } from './schema.ts';
import { quickCheck } from './snapshot.ts';

export interface Wanted {
  ledgerId: string;
  /** Whose files are to be read; undefined: as whoever made it has read them. */
  trust: string | undefined;
}

/** Bytes of a SQLite file before its first table. */
export const HEADER_BYTES = 100;

/** Why a header is not that of a whole snapshot with so many bytes; undefined if it may be. */
export function whyNotHeader(header: Buffer, size: number): string | undefined {
  if (header.length < HEADER_BYTES || !header.subarray(0, 16).equals(MAGIC))
    return 'it is no SQLite database';
  if (header.readInt32BE(68) !== APPLICATION_ID) return 'it is a database of another program';
  const version = header.readInt32BE(60);
  if (version !== SCHEMA_VERSION)
    return `it has schema version ${version}; this release makes ${SCHEMA_VERSION}`;
  // 1 stands for 65536
  const pageBytes = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  if (header.readUInt32BE(28) * pageBytes !== size) return 'it is cut off, or longer than it says';
  return header[18] === 1 && header[19] === 1 ? undefined : 'it needs files beside it';
}

const MAGIC = Buffer.from('SQLite format 3\0');

/**
 * Opens a copy that is ours alone and looks at all that can be seen of it. Rows that somebody has changed cannot be
 * seen: only the log says what they should be, and `verify` asks it.
 *
 * @returns why it is not used, or as of when it is
 */
export function inspect(copy: string, wanted: Wanted): { whyNot: string } | { asOf: string | null } {
  let db: Database.Database | undefined;
  try {
    db = new Database(copy, { readonly: true });
    for (const pragma of ['trusted_schema = OFF', 'cell_size_check = ON', 'mmap_size = 0']) db.pragma(pragma);
    if (schemaOf(db) !== ourSchema()) return { whyNot: 'it has other tables, views or triggers than ours' };
    const problem = quickCheck(db);
    if (problem !== undefined) return { whyNot: `it is damaged: ${problem}` };
    return judge(db, wanted);
  } catch (error) {
    return { whyNot: `it is damaged: ${messageOf(error)}` };
  } finally {
    db?.close();
  }
}

interface Projection {
  ledger_id: string;
  trust: string;
  last_pass_at: string | null;
}

function judge(
  db: Database.Database,
  { ledgerId, trust }: Wanted,
): { whyNot: string } | { asOf: string | null } {
  const row = db.prepare<[], Projection>('SELECT ledger_id, trust, last_pass_at FROM _projection').get();
  if (row === undefined) return { whyNot: 'nothing has been read into it' };
  if (row.ledger_id !== ledgerId) return { whyNot: 'it is of another log' };
  if (trust !== undefined && row.trust !== trust) return { whyNot: `it was made with --trust ${row.trust}` };
  return { asOf: row.last_pass_at };
}

function ourSchema(): string {
  const db = openForWriting(IN_MEMORY);
  try {
    return schemaOf(db);
  } finally {
    db.close();
  }
}

function schemaOf(db: Database.Database): string {
  const rows = db
    .prepare('SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name')
    .raw()
    .all();
  return JSON.stringify(rows);
}
