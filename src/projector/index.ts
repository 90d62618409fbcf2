// Package entry "runfold/projector": folding a ledger into a database.
export { systemClock, type Clock } from '../clock.ts';
export type { Holder } from '../db/lock.ts';
export type { FileState, FileStatus } from './file-state.ts';
export { findings, ledgerStatus, type Finding, type FindingKind, type LedgerStatus } from './health.ts';
export { holderOf, locate, OpenProjector, rebuildLocked, type Place, type PlaceOptions } from './open.ts';
export type { PassProgress, PassResult } from './pass-result.ts';
export { Projector, type PassOptions } from './projector.ts';
export { rebuild, type RebuildOptions, type RebuildResult } from './rebuild.ts';
export type { Loss, ReplayOptions } from './replay.ts';
export {
  DirectoryStorage,
  type LedgerStorage,
  type Listing,
  type Part,
  type StorageProblem,
} from './storage.ts';
export { verify, type Difference, type VerifyReport } from './verify.ts';
export { watch, type WatchOptions } from './watch.ts';
