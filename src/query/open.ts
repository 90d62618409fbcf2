// Where a caller that only reads begins.
import { openReadOnly, type Db } from '../db/open.ts';

/**
 * Opens the database for reading. The caller closes it with `close()`; a projector may write meanwhile, and
 * each query sees what was committed when it began.
 *
 * @throws RunfoldError `database_missing`, `database_corrupt`, `database_unsafe`, `database_newer`,
 *   `database_outdated`.
 */
export function openQuery(file: string): Db {
  return openReadOnly(file);
}
