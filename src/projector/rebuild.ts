// A new database from the ledger in the place of the live one.
import { openForBuilding, openReadOnly, type Db } from '../db/open.ts';
import { buildPath, removeDatabase, swapIn } from '../db/swap.ts';
import { errnoOf, RunfoldError } from '../errors.ts';
import { FileStore } from './file-store.ts';
import { Projector, type PassResult } from './projector.ts';
import { replay, type Loss, type ReplayOptions } from './replay.ts';

export interface RebuildOptions extends ReplayOptions {
  /** Goes on although rows are lost whose files are gone or changed. */
  loseMissing?: boolean;
}

export interface RebuildResult {
  pass: PassResult;
  /** Files whose rows are not in the new database. */
  lost: Loss[];
  /** Where a damaged database was put. */
  damaged: string | undefined;
}

/**
 * Builds a new database beside `file` and swaps it in. The caller holds the lock of `file`.
 *
 * @throws RunfoldError `would_lose_rows` unless `loseMissing`; then `file` is as it was.
 */
export async function rebuild(file: string, options: RebuildOptions): Promise<RebuildResult> {
  const built = buildPath(file, process.pid);
  const { live, isDamaged } = openIfSound(file);
  const db = openForBuilding(built);
  try {
    const { projector, pass: replayed, losses } =
      live === undefined
        ? { projector: newProjector(db, options), pass: undefined, losses: [] }
        : await replay(live, db, options);
    const withRows = losses.filter(({ events }) => events > 0);
    if (withRows.length > 0 && options.loseMissing !== true) throw wouldLose(withRows);
    const { onProgress, signal } = options;
    const last = await projector.pass({
      thorough: true,
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
    });
    options.signal?.throwIfAborted();
    db.close();
    live?.close();
    const damaged = await swapIn(built, file, isDamaged);
    const pass = replayed === undefined ? last : sumUp(replayed, last);
    return { pass, lost: losses, damaged };
  } finally {
    live?.close();
    db.close();
    removeDatabase(built);
  }
}

function newProjector(db: Db, { ledger, storage, clock }: RebuildOptions): Projector {
  return new Projector(db, ledger, storage, clock);
}

function sumUp(first: PassResult, last: PassResult): PassResult {
  return {
    ...last,
    lines: first.lines + last.lines,
    events: first.events + last.events,
    rejected: first.rejected + last.rejected,
    grown: [...new Set([...first.grown, ...last.grown])],
  };
}

/** What another schema version or a damaged file has read cannot be asked; then everything is read. */
function openIfSound(file: string): { live: Db | undefined; isDamaged: boolean } {
  let live: Db | undefined;
  try {
    live = openReadOnly(file);
    // damage shows where it is read: this is what will be asked
    live.prepare('SELECT * FROM _projection').all();
    new FileStore(live).load();
    return { live, isDamaged: false };
  } catch (error) {
    live?.close();
    const code = errnoOf(error) ?? '';
    const isDamaged = code === 'database_corrupt' || code.startsWith('SQLITE_CORRUPT');
    if (isDamaged || code === 'database_missing' || code === 'database_outdated') {
      return { live: undefined, isDamaged };
    }
    throw error;
  }
}

function wouldLose(losses: readonly Loss[]): RunfoldError {
  const shown = losses.slice(0, 5).map(({ path, reason, events }) => `${path} (${reason}, ${events} events)`);
  const more = losses.length > shown.length ? ` and ${losses.length - shown.length} more` : '';
  return new RunfoldError(
    'would_lose_rows',
    `a rebuild would lose the rows of ${losses.length} file${losses.length === 1 ? '' : 's'}: ${shown.join(', ')}${more}`,
    { hint: 'Bring the files back as they were, or add --lose-missing to go on without them.' },
  );
}
