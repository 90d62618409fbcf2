// What is odd about runs, whatever the state of their files.
import type { Db } from '../db/open.ts';
import type { Found } from './health.ts';

export function* runFindings(db: Db): Generator<Found> {
  yield* orphanFindings(db);
  yield* configFindings(db);
  yield* reusedAttemptFindings(db);
  yield* arrayFindings(db);
}

function* orphanFindings(db: Db): Generator<Found> {
  const rows = db.prepare(
    `SELECT run_id, min(writer) AS writer, count(*) AS writers FROM
       (SELECT run_id, writer FROM _events UNION SELECT run_id, writer FROM _series
        UNION SELECT run_id, writer FROM run_errors UNION SELECT run_id, writer FROM _samples)
     WHERE run_id NOT IN (SELECT run_id FROM experiment_runs) GROUP BY run_id ORDER BY run_id`,
  );
  for (const row of rows.all()) {
    const { run_id, writer, writers } = row as { run_id: string; writer: string; writers: number };
    yield {
      kind: 'orphan',
      severity: 'problem',
      where: `run ${run_id}`,
      offset: null,
      what: `has events of writer ${writer}${writers > 1 ? ` and ${writers - 1} more` : ''} but no run_created`,
      advice:
        'Its run_created is lost or rejected: write it again, with runfold emit run-created, the same key and --attempt.',
    };
  }
}

function* configFindings(db: Db): Generator<Found> {
  const rows = db.prepare(
    `SELECT run_id, count(DISTINCT config) AS configs FROM _attempts WHERE resume = 0
     GROUP BY run_id HAVING configs > 1 ORDER BY run_id`,
  );
  for (const row of rows.all()) {
    const { run_id, configs } = row as { run_id: string; configs: number };
    yield {
      kind: 'config_differs',
      severity: 'note',
      where: `run ${run_id}`,
      offset: null,
      what: `was started over with ${configs} different configs: a sweep may be hiding in one key`,
      advice: 'Put what differs into the key (cl_info, or key_from_config), so that no run replaces another.',
    };
  }
}

/** A wrapper and the job in it may both begin an attempt; one that has ended is not begun again. */
function* reusedAttemptFindings(db: Db): Generator<Found> {
  const rows = db.prepare(
    `SELECT DISTINCT run_id, attempt FROM _events c WHERE type = 'run_created' AND EXISTS
       (SELECT 1 FROM _events e WHERE e.run_id = c.run_id AND e.attempt = c.attempt AND e.writer <> c.writer
          AND e.type = 'status_changed' AND e.ts < c.ts
          AND json_extract(e.body, '$.event.status') IN ('completed', 'failed', 'timeout')
          AND ifnull(json_extract(e.body, '$.event.source'), 'job') = 'job')
     ORDER BY run_id, attempt`,
  );
  for (const row of rows.all()) {
    const { run_id, attempt } = row as { run_id: string; attempt: string };
    yield {
      kind: 'attempt_reused',
      severity: 'note',
      where: `run ${run_id}`,
      offset: null,
      what: `attempt ${attempt} was begun again after its end: two executions are shown as one`,
      advice:
        'Give each execution an attempt of its own: RUNFOLD_ATTEMPT must not outlive the job that it was set for.',
    };
  }
}

/** Tasks that go on from one another, as an array that runs one at a time, say so: they resume. */
function* arrayFindings(db: Db): Generator<Found> {
  const rows = db.prepare(
    `SELECT run_id, array_job_id, count(DISTINCT array_task_id) AS tasks
     FROM slurm_jobs JOIN _attempts USING (run_id, attempt)
     WHERE resume = 0 AND array_job_id IS NOT NULL AND array_task_id IS NOT NULL
     GROUP BY run_id, array_job_id HAVING tasks > 1 ORDER BY run_id, array_job_id`,
  );
  for (const row of rows.all()) {
    const { run_id, array_job_id, tasks } = row as { run_id: string; array_job_id: string; tasks: number };
    yield {
      kind: 'tasks_in_one_run',
      severity: 'note',
      where: `run ${run_id}`,
      offset: null,
      what: `${tasks} tasks of the array ${array_job_id} are this one run, each an attempt that hides the one before`,
      advice:
        'Give each task a key of its own: --seed "$SLURM_ARRAY_TASK_ID", or a row of a grid with runfold exec --grid.',
    };
  }
}
