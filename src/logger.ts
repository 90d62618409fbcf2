// The entry `runfold/logger`: the writing half alone. It loads no native code and no validation library.
export { RunLogger, type ResourceSample, type RunOutcome } from './run-logger.ts';
export type { RunOptions } from './events/run-options.ts';
export type { Metrics, Position } from './events/metric-fields.ts';
export type { RunStatus } from './events/event.ts';
export { runId, type RunKey } from './events/run-id.ts';
export { RunfoldError, type ErrorCode } from './errors.ts';
