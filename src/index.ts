// Package entry "runfold".
export { RunfoldError, ERROR_CODES, type ErrorCode } from './errors.ts';
export { createLedger, findLedger, readLedger, type LedgerInfo } from './events/ledger.ts';
export type { Metrics, Position } from './events/metric-fields.ts';
export type { NamedMetric, RunStatus } from './events/event.ts';
export { runId, type RunKey } from './events/run-id.ts';
export type { RunOptions } from './events/run-options.ts';
export {
  ExperimentDB,
  type Annotation,
  type ExperimentDBOptions,
  type SlurmInfo,
  type StatusDetails,
  type SyncResult,
} from './experiment-db.ts';
export type * from './query/index.ts';
