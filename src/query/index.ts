// `runfold/query`: what the tables answer. Functions over a database that `openQuery` has opened.
export { openQuery } from './open.ts';
export { countRuns, getAllRuns, selectRuns } from './runs.ts';
export type { RunFilter, RunQuery } from './run-filter.ts';
export { parseCondition, type Condition, type Operator } from './condition.ts';
export { getRun, resolveRunId } from './run.ts';
export { getActiveRuns, type ActiveRun } from './active-runs.ts';
export { compareRuns, type ComparedField, type Comparison } from './compare-runs.ts';
export { getErrorGroups, type ErrorGroup, type ErrorGroupsOptions } from './error-groups.ts';
export type { RunRecord } from './run-record.ts';
export { getRunMetrics, iterateRunMetrics, type MetricsOptions } from './metrics.ts';
export type { MetricColumn, MetricPoint } from './metric-point.ts';
export {
  getCurves,
  getRunCurves,
  type Curve,
  type Curves,
  type CurvesOptions,
  type CurveStyle,
  type Divergence,
  type RunCurvesOptions,
} from './curves.ts';
export type { Band, CurvePoint } from './curve-band.ts';
export { metricsOfRun } from './metric-inventory.ts';
export type { RunGroup } from './curve-groups.ts';
export type { Axis } from './curve-series.ts';
export { getRunErrors, type RunError } from './run-errors.ts';
export { getRunResults, type ExtraResult, type RunResults } from './results.ts';
export { getSlurmJobs, type SlurmJob } from './slurm-jobs.ts';
export {
  getJobHours,
  getJobs,
  getJobTasks,
  type Job,
  type JobsOptions,
  type JobUse,
  type UsedJobTask,
} from './jobs.ts';
export type { Hours, JobTask } from './job-tasks.ts';
export type { StatusHours } from './job-hours.ts';
export { getFailures, type FailureGroup, type FailuresOptions, type SharedKey } from './failures.ts';
export type { FailureNode } from './failure-nodes.ts';
export { leaderboard, type Leaderboard } from './leaderboard.ts';
export type { LeaderboardOptions } from './leaderboard-options.ts';
export type { LeaderboardMetric } from './leaderboard-metric.ts';
export type {
  DivergedRuns,
  LeaderboardCell,
  LeaderboardCells,
  LeaderboardValue,
  PairedTest,
} from './leaderboard-cells.ts';
export type { Label } from './label.ts';
export type { CurveMetric, Goal } from './metric-at.ts';
export { getAttempts, type RunAttempt } from './attempts.ts';
export type { JsonObject } from './json.ts';
export type { Db } from '../db/open.ts';
