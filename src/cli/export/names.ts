// What `runfold export` can be asked for.
import type { PublicTable } from '../../db/schema.ts';

/** All that the log is folded into, without the report of rejected lines. */
export const EXPORTED_TABLES = [
  'experiment_runs',
  'run_metrics',
  'run_results',
  'run_errors',
  'slurm_jobs',
] as const satisfies readonly PublicTable[];
export type ExportedTable = (typeof EXPORTED_TABLES)[number];

export const EXPORT_FORMATS = ['csv', 'ndjson', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
