// Whose files are in the log, and what is odd about that.
import type { Db } from '../db/open.ts';
import type { Found } from './health.ts';
import { GROUPS_UNKNOWN } from './trust.ts';

export interface OwnedFiles {
  uid: number;
  files: number;
}

/** Who has a number; a number that is nobody's is named by itself. */
export type NameOf = (uid: number) => string;

export function byNumber(uid: number): string {
  return `uid ${uid}`;
}

export function ownedFiles(db: Db): OwnedFiles[] {
  return db
    .prepare<[], OwnedFiles>(
      'SELECT uid, count(*) AS files FROM _files WHERE uid IS NOT NULL GROUP BY uid ORDER BY files DESC, uid',
    )
    .all();
}

export function ownerLookUp(db: Db, nameOf: NameOf): (path: string) => string | null {
  const select = db.prepare<[string], number | null>('SELECT uid FROM _files WHERE path = ?').pluck();
  // findings come file by file
  let last: { path: string; owner: string | null } | undefined;
  return (path) => {
    if (last?.path === path) return last.owner;
    const uid = select.get(path) ?? null;
    last = { path, owner: uid === null ? null : nameOf(uid) };
    return last.owner;
  };
}

export function* peopleFindings(db: Db, nameOf: NameOf): Generator<Found> {
  yield* untrustedFindings(db, nameOf);
  yield* hardLinkFindings(db);
  yield* claimFindings(db, nameOf);
}

interface FileRow {
  path: string;
  uid: number | null;
  reason: string | null;
  events: number;
  links: number;
}

function* untrustedFindings(db: Db, nameOf: NameOf): Generator<Found> {
  const rows = db.prepare<[], FileRow>(
    "SELECT path, uid, reason, events, links FROM _files WHERE state = 'untrusted' ORDER BY path",
  );
  for (const { path, uid, reason, events } of rows.all()) {
    const whose = uid === null ? 'whose it is, is not known' : `it belongs to ${nameOf(uid)}`;
    const doubt = reason === GROUPS_UNKNOWN ? ', whose groups cannot be had' : '';
    const before =
      events === 0 ? '' : `; its ${events} events from before stay in the tables until a rebuild`;
    yield {
      kind: 'untrusted',
      severity: 'note',
      where: path,
      offset: null,
      what: `not read: ${whose}${doubt}${before}`,
      advice: 'To read it: runfold sync --trust all, or --trust group if its owner is in the log’s group.',
    };
  }
}

function* hardLinkFindings(db: Db): Generator<Found> {
  const rows = db.prepare<[], FileRow>(
    'SELECT path, uid, reason, events, links FROM _files WHERE links > 1 ORDER BY path',
  );
  for (const { path, links } of rows.all()) {
    yield {
      kind: 'hard_link',
      severity: 'note',
      where: path,
      offset: null,
      what: `the file has ${links} names: it can be changed by way of another one`,
      advice:
        'Look for the others: find DIRECTORY -samefile FILE. Backup tools make such links; a log needs none.',
    };
  }
}

interface Claim {
  user_name: string;
  uid: number;
  files: number;
  path: string;
}

/** What a header says of its user is a claim. One finding for all files with the same two names. */
function* claimFindings(db: Db, nameOf: NameOf): Generator<Found> {
  const rows = db.prepare<[], Claim>(
    `SELECT user_name, uid, count(*) AS files, min(path) AS path FROM _files
     WHERE user_name IS NOT NULL AND uid IS NOT NULL GROUP BY user_name, uid ORDER BY path`,
  );
  for (const { user_name, uid, files, path } of rows.all()) {
    const owner = nameOf(uid);
    if (owner === user_name || owner === byNumber(uid)) continue;
    const more = files === 1 ? '' : `, and so in ${files - 1} more`;
    yield {
      kind: 'owner_differs',
      severity: 'note',
      where: path,
      offset: null,
      what: `its header says that ${user_name} wrote it, the file belongs to ${owner}${more}`,
      advice: 'Copied files, and storage that maps users, look like that. Who wrote it, only the owner says.',
    };
  }
}
