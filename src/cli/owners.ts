// Names of those whose files are in the log.
import type { Db } from '../db/open.ts';
import { namesOf } from '../projector/accounts.ts';
import { byNumber, ownedFiles, type NameOf } from '../projector/people.ts';

/** Of all owners of files that are known, and of oneself. */
export async function namesIn(db: Db): Promise<NameOf> {
  const uids = new Set([...ownedFiles(db).map(({ uid }) => uid), process.getuid?.() ?? 0]);
  const names = await namesOf([...uids]);
  return (uid) => names.get(uid) ?? byNumber(uid);
}
