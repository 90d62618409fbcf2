// The tables of a database as the model gives them.
import type { Db } from '../../src/db/open.ts';
import { rowsOf } from '../../src/projector/dump.ts';
import type { Tables } from '../model/model.ts';

export function tablesOf(db: Db): Tables {
  return {
    experiment_runs: [...rowsOf(db, 'experiment_runs')],
    run_metrics: [...rowsOf(db, 'run_metrics')],
    run_results: [...rowsOf(db, 'run_results')],
    run_errors: [...rowsOf(db, 'run_errors')],
    slurm_jobs: [...rowsOf(db, 'slurm_jobs')],
    rejected: [...rowsOf(db, '_rejected')].map(({ file, offset, length, code }) => ({
      file: file ?? null,
      offset: offset ?? null,
      length: length ?? null,
      code: code ?? null,
    })),
  };
}
