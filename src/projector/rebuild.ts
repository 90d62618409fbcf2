// A new database from the ledger in the place of the live one.
import { existsSync } from 'node:fs';
import { EarlySync } from '../db/early-sync.ts';
import { openForBuilding, openReadOnly, type Db } from '../db/open.ts';
import { buildPath, removeDatabase, swapIn } from '../db/swap.ts';
import { errnoOf, RunfoldError } from '../errors.ts';
import type { FileState } from './file-state.ts';
import { keptTrust } from './projector.ts';
import type { PassProgress, PassResult } from './pass-result.ts';
import { filesRead, readAgain, type Loss, type ReplayOptions } from './replay.ts';
import type { TrustLevel } from './trust.ts';

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
  const { files, trust, isDamaged } = askWhatWasRead(file, options);
  let db: Db | undefined;
  let early: EarlySync | undefined;
  const onProgress = (now: PassProgress): void => {
    early?.wrote(now.bytesDone);
    options.onProgress?.(now);
  };
  try {
    db = openForBuilding(built);
    // where there is a file its content is copied into that, and the built one is never brought to the disk
    if (!existsSync(file)) early = new EarlySync(built);
    const read = { ...options, onProgress, trust };
    const { projector, pass: first, losses } = await readAgain(files, new Map(), db, read);
    const withRows = losses.filter(({ events }) => events > 0);
    if (withRows.length > 0 && options.loseMissing !== true) throw wouldLose(withRows);
    const { signal } = options;
    const last = await projector.pass({ thorough: true, onProgress, ...(signal && { signal }) });
    signal?.throwIfAborted();
    db.close();
    await early?.end();
    const damaged = await swapIn(built, file, isDamaged);
    return { pass: sumUp(first, last), lost: losses, damaged };
  } finally {
    db?.close();
    // it has been told if it counts
    await early?.end().catch(() => undefined);
    removeDatabase(built);
  }
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

/** A database of another schema version or a damaged one cannot be asked; then everything is read. */
function askWhatWasRead(
  file: string,
  { ledger, trust }: RebuildOptions,
): { files: FileState[]; trust: TrustLevel; isDamaged: boolean } {
  let live: Db | undefined;
  try {
    live = openReadOnly(file);
    return { files: filesRead(live, ledger), trust: trust ?? keptTrust(live), isDamaged: false };
  } catch (error) {
    const code = errnoOf(error) ?? '';
    const isDamaged = code === 'database_corrupt' || code.startsWith('SQLITE_CORRUPT');
    if (!isDamaged && code !== 'database_missing' && code !== 'database_outdated') throw error;
    return { files: [], trust: trust ?? 'all', isDamaged };
  } finally {
    live?.close();
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
