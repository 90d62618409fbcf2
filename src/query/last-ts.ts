// When a run last wrote a point or a sample.

/**
 * A query of the newest `ts`, NULL if there is none. The last line of each writer is found at the end of the writer's
 * range, however long that is: a run has few writers, and maybe millions of points.
 *
 * @param run an SQL expression of the run's id
 */
export function lastTsSql(table: 'run_metrics' | '_samples', run: string): string {
  return `WITH RECURSIVE writers (writer) AS (
      SELECT min(writer) FROM ${table} WHERE run_id = ${run}
      UNION ALL
      SELECT (SELECT min(t.writer) FROM ${table} t WHERE t.run_id = ${run} AND t.writer > w.writer)
      FROM writers w WHERE w.writer IS NOT NULL)
    SELECT max((SELECT t.ts FROM ${table} t WHERE t.run_id = ${run} AND t.writer = w.writer
      ORDER BY t.seq DESC LIMIT 1)) FROM writers w`;
}
