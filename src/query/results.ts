// What came out of a run.
import type { Db } from '../db/open.ts';
import type { NamedMetric } from '../events/event.ts';
import { orNull, parseObject, type JsonObject } from './json.ts';

/** Over the points of the view that have the metric; null: none has. */
type BestAndFinal = {
  [Column in `best_${NamedMetric}` | `best_${NamedMetric}_epoch` | `final_${NamedMetric}`]: number | null;
};

/** Of one extra metric, over the finite values of the view. */
export interface ExtraResult {
  min: number;
  max: number;
  final: number;
}

/**
 * The results of a run over its view: its row of `run_results`. For each of loss, f1, fitness and
 * behavioral_comparison: `best_X` (the lowest loss, the highest of the others), `best_X_epoch` (where it
 * first came; null also if that point has no epoch) and `final_X` (the last). Values that are not finite
 * count in `points` only.
 */
export interface RunResults extends BestAndFinal {
  run_id: string;
  /** The greatest epoch. */
  last_epoch: number | null;
  /** The sum over attempts of each one's greatest `elapsed_seconds`; null: no points. */
  total_elapsed_seconds: number | null;
  peak_gpu_memory_mb: number | null;
  /** How many points the view has. */
  points: number;
  /** By name of the extra metric; null: no finite one. */
  extra: Readonly<Record<string, ExtraResult>> | null;
  /** What the job logged as its results, merged; null: nothing. */
  results: JsonObject | null;
}

interface ResultsRow extends Omit<RunResults, 'extra' | 'results'> {
  extra: string | null;
  results: string | null;
}

/** The results of a run; null if it has neither points nor results in its view, or is unknown. */
export function getRunResults(db: Db, runId: string): RunResults | null {
  const row = db
    .prepare<[{ runId: string }], ResultsRow>('SELECT * FROM run_results WHERE run_id = @runId')
    .get({ runId });
  if (row === undefined) return null;
  return {
    ...row,
    extra: orNull(row.extra, parseObject<ExtraResult>),
    results: orNull(row.results, parseObject<unknown>),
  };
}
