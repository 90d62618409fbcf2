/**
 * The oracle of the property tests: what the tables must be for given event files, computed the slow and
 * obvious way from the words of docs/events.md and docs/projection.md. Where the words leave room, a comment in
 * the three files beside this one says how they were read.
 */
import { compareText, readFiles } from './model-files.ts';
import type { ModelFile } from './model-files.ts';
import { errorRow, experimentRow, metricRow, resultRow, runsOf, slurmRows } from './model-rows.ts';
import type { Row } from './model-rows.ts';

export type { ModelFile, Row };

export interface Tables {
  experiment_runs: Row[];
  run_metrics: Row[];
  run_results: Row[];
  run_errors: Row[];
  slurm_jobs: Row[];
  /** file, offset, length, code only */
  rejected: Row[];
}

export function model(files: readonly ModelFile[]): Tables {
  const { events, rejected } = readFiles(files);
  const runs = runsOf(events);
  return {
    experiment_runs: sortBy(runs.flatMap(experimentRow), 'run_id'),
    run_metrics: sortBy(events.filter((e) => e.type === 'metric').map(metricRow), 'run_id', 'writer', 'seq'),
    run_results: sortBy(runs.flatMap(resultRow), 'run_id'),
    run_errors: sortBy(events.filter((e) => e.type === 'error').map(errorRow), 'run_id', 'writer', 'seq'),
    slurm_jobs: sortBy(runs.flatMap(slurmRows), 'run_id', 'job_id', 'restart_count'),
    rejected: sortBy(
      rejected.map((r): Row => ({ ...r })),
      'file',
      'offset',
    ),
  };
}

function sortBy(rows: readonly Row[], ...names: string[]): Row[] {
  return [...rows].sort((a, b) => {
    for (const name of names) {
      const order = compareValues(a[name] ?? null, b[name] ?? null);
      if (order !== 0) return order;
    }
    return 0;
  });
}

/** Both of one type, and never null: they are keys. */
function compareValues(a: string | number | null, b: string | number | null): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return compareText(String(a), String(b));
}
