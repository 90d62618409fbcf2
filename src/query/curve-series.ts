// One metric of one run, as positions and values.
import type { Db } from '../db/open.ts';
import type { Series } from './curve-bins.ts';
import { wantedMetrics } from './metric-names.ts';
import type { MetricPoint } from './metric-point.ts';
import { iterateRunMetrics, type MetricsOptions } from './metrics.ts';
import { somePoints } from './some-points.ts';

export const AXES = ['step', 'epoch', 'elapsed'] as const;
/** Where the points of a curve are: their step, their epoch, or the seconds that the run had been going. */
export type Axis = (typeof AXES)[number];

/** Runs, and points of each, that tell by which axis the metric was logged. */
const ASKED_RUNS = 20;
const ASKED_POINTS = 50;

export interface MetricOfRun {
  runId: string;
  metric: string;
}

export interface ReadSeries extends Series {
  /** Points that have the metric but no place on the axis. */
  unplaced: number;
}

/** @param range as for `getRunMetrics` */
export function readSeries(
  db: Db,
  { runId, metric }: MetricOfRun,
  axis: Axis,
  range: Pick<MetricsOptions, 'from' | 'to'>,
): ReadSeries {
  const valueOf = valueReader(metric);
  const place = placer(db, runId, axis);
  const x: number[] = [];
  const y: number[] = [];
  let unplaced = 0;
  for (const point of somePoints(db, runId, { ...range, names: [metric] })) {
    const value = valueOf(point);
    const at = place(point);
    if (value === null) continue;
    if (at === null) unplaced += 1;
    else {
      x.push(at);
      y.push(value);
    }
  }
  return { x, y, unplaced };
}

/** Step, unless more of the first points have an epoch; elapsed if none has either. */
export function axisOf(db: Db, wanted: readonly { of: readonly MetricOfRun[] }[]): Axis {
  let [steps, epochs] = [0, 0];
  const runs = wanted.flatMap(({ of }) => of.slice(0, ASKED_RUNS)).slice(0, ASKED_RUNS);
  for (const { runId, metric } of runs) {
    let asked = 0;
    for (const { step, epoch } of iterateRunMetrics(db, runId, { names: [metric] })) {
      if (step !== null) steps += 1;
      if (epoch !== null) epochs += 1;
      asked += 1;
      if (asked === ASKED_POINTS) break;
    }
  }
  if (steps === 0 && epochs === 0) return 'elapsed';
  return steps >= epochs ? 'step' : 'epoch';
}

function valueReader(metric: string): (point: MetricPoint) => number | null {
  const { columns, extra } = wantedMetrics([metric]);
  const [column] = columns;
  const [name = ''] = extra;
  if (column !== undefined) return (point) => point[column];
  return ({ extra: values }) =>
    values !== null && Object.hasOwn(values, name) ? (values[name] ?? null) : null;
}

/** Every attempt counts its seconds from 0, but those of the attempts before it are part of the run. */
function placer(db: Db, runId: string, axis: Axis): (point: MetricPoint) => number | null {
  if (axis !== 'elapsed') return (point) => point[axis];
  const before = secondsBefore(db, runId);
  return ({ attempt, elapsed_seconds }) => (before.get(attempt) ?? 0) + elapsed_seconds;
}

/** By attempt, the seconds of those before it, each one's as in `total_elapsed_seconds`: whatever metric is asked for. */
function secondsBefore(db: Db, runId: string): Map<string, number> {
  const attempts = db
    .prepare<[string], { attempt: string; seconds: number | null }>(
      `SELECT s.attempt, max(json_extract(s.summary, '$.elapsedSeconds')) AS seconds
       FROM _series s LEFT JOIN _attempts a ON a.run_id = s.run_id AND a.attempt = s.attempt
       WHERE s.run_id = ? AND a.in_view IS NOT 0
       GROUP BY s.attempt ORDER BY a.position IS NULL, a.position, s.attempt`,
    )
    .all(runId);
  const before = new Map<string, number>();
  let sum = 0;
  for (const { attempt, seconds } of attempts) {
    before.set(attempt, sum);
    sum += seconds ?? 0;
  }
  return before;
}
