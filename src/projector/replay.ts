// The ledger read again into a new database, up to where another one has read it.
import type { Clock } from '../clock.ts';
import type { Db } from '../db/open.ts';
import type { LedgerInfo } from '../events/ledger.ts';
import { GONE, hasBeenRead, type FileState } from './file-state.ts';
import { FileStore } from './file-store.ts';
import { Projector, type PassProgress, type PassResult } from './projector.ts';
import type { LedgerStorage } from './storage.ts';

/** A file whose rows the ledger no longer gives. */
export interface Loss {
  path: string;
  writer: string | null;
  /** gone, unreadable (an errno), truncated or rewritten. */
  reason: string;
  events: number;
}

export interface ReplayOptions {
  ledger: LedgerInfo;
  storage: LedgerStorage;
  clock: Clock;
  onProgress?: (progress: PassProgress) => void;
  signal?: AbortSignal;
}

/** Reads into `into` what `from` has read, and says which files no longer hold what was read from them. */
export async function replay(
  from: Db,
  into: Db,
  options: ReplayOptions,
): Promise<{ projector: Projector; pass: PassResult; losses: Loss[] }> {
  const { ledger, storage, clock, onProgress, signal } = options;
  const before = new FileStore(from).load().filter(hasBeenRead);
  const projector = new Projector(into, ledger, storage, clock);
  const upTo = new Map(before.map((file) => [file.path, file.offset]));
  const pass = await projector.pass({
    upTo,
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  const losses = before.flatMap((file) => {
    const reason = lossOf(file, projector.files.get(file.path));
    return reason === undefined ? [] : [{ path: file.path, writer: file.writer, reason, events: file.events }];
  });
  return { projector, pass, losses };
}

function lossOf(before: FileState, after: FileState | undefined): string | undefined {
  if (after === undefined || after.state === 'missing') return after?.reason ?? GONE;
  if (after.offset < before.offset) return after.size < before.offset ? 'truncated' : 'rewritten';
  return after.crc === before.crc ? undefined : 'rewritten';
}
