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
  const place = placer(axis);
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

/** Every attempt counts its seconds from 0, but those before it are part of the run. */
function placer(axis: Axis): (point: MetricPoint) => number | null {
  if (axis !== 'elapsed') return (point) => point[axis];
  let attempt: string | undefined;
  let before = 0;
  let longest = 0;
  return (point) => {
    if (attempt !== undefined && attempt !== point.attempt) {
      before += longest;
      longest = 0;
    }
    attempt = point.attempt;
    longest = Math.max(longest, point.elapsed_seconds);
    return before + point.elapsed_seconds;
  };
}
