// Runs that failed, by cause: which of them are one mistake, or one node.
import sql, { raw, type Sql } from 'sql-template-tag';
import type { Db } from '../db/open.ts';
import { wrongArgument } from './arguments.ts';
import { failureCause, type FailureClues } from './failure-cause.ts';
import { failureNodes, NodeCounts, type FailureNode } from './failure-nodes.ts';
import { FROM_RUNS } from './field-sql.ts';
import { filterSql, type RunFilter } from './run-filter.ts';

export interface FailuresOptions extends RunFilter {
  /** Failures of earlier attempts too, which a later one may have mended; default false. */
  allAttempts?: boolean | undefined;
}

/** What all runs of a group share, and not all runs that match do. */
export type SharedKey = Partial<
  Record<'experiment_number' | 'dataset' | 'method' | 'subject' | 'cl_info' | 'seed', string | number | null>
>;

export interface FailureGroup {
  /** `OUT_OF_MEMORY`, `ValueError`, `SIGSEGV`, `exit code 3`, `unknown`. */
  cause: string;
  /** Attempts that failed so; more than the runs only with `allAttempts`. */
  attempts: number;
  /** In the order of their newest failure, newest first. */
  run_ids: readonly string[];
  /** Those with the most failures first; empty where none is known. */
  nodes: readonly FailureNode[];
  /** Empty for a single run. */
  shared: SharedKey;
  first_ts: string;
  last_ts: string;
  /** What the newest said that said anything: of its last error, else SLURM's state with its details. */
  message: string | null;
  /** Of its jobs the greatest, in MB and seconds; null where nobody said. */
  memory_mb: number | null;
  max_rss_mb: number | null;
  time_limit_seconds: number | null;
}

interface FailureRow extends FailureClues {
  run_id: string;
  ts: string;
  message: string | null;
  node_list: string | null;
  memory_mb: number | null;
  max_rss_mb: number | null;
  time_limit_seconds: number | null;
  experiment_number: number;
  dataset: string;
  method: string;
  subject: string | null;
  cl_info: string | null;
  seed: number | null;
}

const KEY_COLUMNS = ['experiment_number', 'dataset', 'method', 'subject', 'cl_info', 'seed'] as const;

/**
 * The runs that match and failed or timed out, in groups: that of the most runs first. A run that a later attempt
 * completed is not among them, nor one that waits or runs again.
 *
 * @throws RunfoldError as `getAllRuns` does.
 */
export function getFailures(db: Db, options: FailuresOptions = {}): FailureGroup[] {
  const { allAttempts = false, ...filter } = options;
  if (typeof allAttempts !== 'boolean') throw wrongArgument('allAttempts', 'true or false', allAttempts);
  const groups = new Map<string, GroupInMaking>();
  for (const row of failuresOf(db, filter, allAttempts)) {
    const cause = failureCause(row);
    const group = groups.get(cause);
    if (group === undefined) groups.set(cause, newGroup(cause, row));
    else addTo(group, row);
  }
  if (groups.size === 0) return [];
  const everywhere = nodesOfAll(db, filter);
  const telling = tellingColumns(db, filter);
  return [...groups.values()]
    .map(({ runs, nodes, keys, ...group }) => ({
      ...group,
      run_ids: [...runs],
      nodes: failureNodes(nodes, everywhere),
      shared: runs.size > 1 ? sharedOf(keys, telling) : {},
    }))
    .toSorted((a, b) => b.run_ids.length - a.run_ids.length || b.attempts - a.attempts);
}

type GroupInMaking = Omit<FailureGroup, 'run_ids' | 'nodes' | 'shared'> & {
  runs: Set<string>;
  nodes: NodeCounts;
  keys: Map<keyof SharedKey, Set<string | number | null>>;
};

function newGroup(cause: string, row: FailureRow): GroupInMaking {
  const group: GroupInMaking = {
    cause,
    attempts: 0,
    runs: new Set(),
    nodes: new NodeCounts(),
    keys: new Map(KEY_COLUMNS.map((name) => [name, new Set()])),
    first_ts: row.ts,
    last_ts: row.ts,
    message: null,
    memory_mb: null,
    max_rss_mb: null,
    time_limit_seconds: null,
  };
  addTo(group, row);
  return group;
}

/** Rows come with the newest first. */
function addTo(group: GroupInMaking, row: FailureRow): void {
  group.attempts += 1;
  group.runs.add(row.run_id);
  group.first_ts = row.ts;
  group.message ??= row.message;
  if (row.node_list !== null) group.nodes.add(row.node_list);
  for (const [name, values] of group.keys) values.add(row[name]);
  for (const name of ['memory_mb', 'max_rss_mb', 'time_limit_seconds'] as const)
    group[name] = greater(group[name], row[name]);
}

function greater(a: number | null, b: number | null): number | null {
  return a === null || (b !== null && b > a) ? b : a;
}

function sharedOf(keys: GroupInMaking['keys'], telling: ReadonlySet<string>): SharedKey {
  const shared = [...keys].filter(([name, values]) => values.size === 1 && telling.has(name));
  return Object.fromEntries(shared.map(([name, values]) => [name, [...values][0] ?? null]));
}

/** The last error of the attempt, and the newest restart that ran it: one that waits names it too. */
const LAST_ERROR: Sql = raw(`(SELECT e.rowid FROM run_errors e
  WHERE e.run_id = a.run_id AND e.attempt = a.attempt ORDER BY e.ts DESC, e.writer DESC, e.seq DESC LIMIT 1)`);
const OWN_JOB: Sql =
  raw(`j.run_id = a.run_id AND j.attempt = a.attempt AND NOT EXISTS (SELECT 1 FROM slurm_jobs later
  WHERE later.run_id = a.run_id AND later.attempt = a.attempt
    AND later.state IS NOT 'PENDING' AND (length(later.job_id), later.job_id, later.restart_count) > (length(j.job_id), j.job_id, j.restart_count))`);

function failuresOf(db: Db, filter: RunFilter, allAttempts: boolean): FailureRow[] {
  const last = raw(
    allAttempts ? '1' : "(a.position = r.attempt_count - 1 AND r.status IN ('failed', 'timeout'))",
  );
  const { sql: text, values } = sql`SELECT a.run_id, a.status, a.status_reason, a.exit_code,
      ifnull(a.finished_at, a.created_at) AS ts, e.exception_type,
      ifnull(e.message, CASE WHEN instr(j.state, ' ') THEN j.state END) AS message,
      j.state AS job_state, j.signal, j.node_list, j.memory_mb, j.max_rss_mb, j.time_limit_seconds,
      r.experiment_number, r.dataset, r.method, r.subject, r.cl_info, r.seed
    FROM ${FROM_RUNS} JOIN _attempts a ON a.run_id = r.run_id
    LEFT JOIN run_errors e ON e.rowid = ${LAST_ERROR}
    LEFT JOIN slurm_jobs j ON j.state IS NOT 'PENDING' AND ${OWN_JOB}
    WHERE ${filterSql(filter)} AND a.status IN ('failed', 'timeout') AND ${last}
    ORDER BY ts DESC, a.run_id, a.position DESC`;
  return db.prepare<unknown[], FailureRow>(text).all(...values);
}

/** Of all executions of the runs that match; a restart is one, however many runs it ran. */
function nodesOfAll(db: Db, filter: RunFilter): NodeCounts {
  const { sql: text, values } = sql`SELECT j.node_list, count(*) AS times
    FROM ${FROM_RUNS} JOIN slurm_jobs j ON j.run_id = r.run_id
    WHERE ${filterSql(filter)} AND j.node_list IS NOT NULL GROUP BY j.node_list`;
  const nodes = new NodeCounts();
  for (const row of db.prepare<unknown[], { node_list: string; times: number }>(text).iterate(...values))
    nodes.add(row.node_list, row.times);
  return nodes;
}

/** Columns in which the runs that match differ: what all of them have tells nothing of a group. */
function tellingColumns(db: Db, filter: RunFilter): ReadonlySet<string> {
  const differs = KEY_COLUMNS.map(
    (name) => `min(r.${name}) IS NOT max(r.${name}) OR
    (count(r.${name}) > 0 AND count(r.${name}) < count(*)) AS ${name}`,
  );
  const { sql: text, values } = sql`SELECT ${raw(differs.join(', '))} FROM ${FROM_RUNS}
    WHERE ${filterSql(filter)}`;
  const row = db.prepare<unknown[], Record<string, 0 | 1>>(text).get(...values) ?? {};
  return new Set(KEY_COLUMNS.filter((name) => row[name] === 1));
}
