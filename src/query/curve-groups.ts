// Which runs have a metric, by the value of a field.
import type { Db } from '../db/open.ts';
import { isCount, wrongArgument } from './arguments.ts';
import { divergedMetrics } from './diverged.ts';
import { resultField } from './metric-inventory.ts';
import { EXTRA_PREFIX, isMetricColumn } from './metric-point.ts';
import type { RunFilter } from './run-filter.ts';
import { selectRuns } from './runs.ts';

export interface RunGroup {
  /** The value of the field that they have in common. */
  group: unknown;
  /** The newest first. */
  runIds: readonly string[];
}

export interface RunGroups {
  /** By the value: numbers by size, texts by their letters; single runs with the newest first. */
  kept: RunGroup[];
  leftOut: RunGroup[];
}

/** Results do not know of a metric that was never finite, so those without are asked for their last points. */
const ASKED_WITHOUT = 1000;

/** Groups of runs that have the metric; of more than `limit`, those with the most runs are kept. */
export function groupsOf(
  db: Db,
  metric: string,
  by: string,
  filter: RunFilter,
  limit: number | undefined,
): RunGroups {
  if (limit !== undefined && !isCount(limit)) throw wrongArgument('groups', 'a whole number from 0', limit);
  const field = by === 'none' ? 'run_id' : by;
  const groups = new Map<string, { group: unknown; runIds: string[] }>();
  let asked = 0;
  for (const [runId, group, result] of selectRuns(db, ['run_id', field, resultField(metric)], filter)) {
    if (typeof runId !== 'string') continue;
    if (result === null) {
      asked += 1;
      if (asked > ASKED_WITHOUT || !hasDiverged(db, runId, metric)) continue;
    }
    const key = JSON.stringify(group);
    const found = groups.get(key) ?? { group, runIds: [] };
    groups.set(key, found);
    found.runIds.push(runId);
  }
  const byRuns = [...groups.values()].toSorted((a, b) => b.runIds.length - a.runIds.length);
  const kept = byRuns.slice(0, limit);
  return {
    kept: by === 'none' ? kept : kept.toSorted(byValue),
    leftOut: byRuns.slice(limit ?? byRuns.length),
  };
}

function hasDiverged(db: Db, runId: string, metric: string): boolean {
  const isNamed = isMetricColumn(metric) || metric.startsWith(EXTRA_PREFIX);
  return divergedMetrics(db, runId).has(isNamed ? metric : EXTRA_PREFIX + metric);
}

const inOrder = new Intl.Collator('en', { numeric: true }).compare;

function byValue({ group: a }: RunGroup, { group: b }: RunGroup): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return inOrder(JSON.stringify(a), JSON.stringify(b));
}
