// The points of a run as rows.
import { EXTRA_PREFIX, type MetricPoint } from '../query/metric-point.ts';
import { wantedMetrics } from '../query/metric-names.ts';
import { cell, missing, type Cell, type Column } from './format/table.ts';
import { shortNumber } from './value-text.ts';

const PLACES = ['epoch', 'step', 'elapsed_seconds'] as const;
const SUPERSEDED = 'superseded';

export interface PointColumn extends Column {
  /** Whether people are shown it; programs always get the same columns. */
  isShownFor: (points: readonly MetricPoint[]) => boolean;
  cellOf: (point: MetricPoint) => Cell;
}

/**
 * Where each point is, then the metrics in the given order; `superseded` last, if all points are wanted.
 *
 * @param areChosen a person has named these metrics: none is left out in a narrow terminal
 */
export function pointColumns(metrics: readonly string[], all: boolean, areChosen: boolean): PointColumn[] {
  const taken = new Set<string>([...PLACES, SUPERSEDED]);
  return [
    ...PLACES.map((name) => ({
      name,
      shrink: 'cut' as const,
      isShownFor: (points: readonly MetricPoint[]) => points.some((point) => point[name] !== null),
      cellOf: (point: MetricPoint) => numberCell(point[name]),
    })),
    ...metrics.map((metric, index) => ({
      name: taken.has(metric) ? EXTRA_PREFIX + metric : metric,
      align: 'right' as const,
      shrink: 'cut' as const,
      ...(!areChosen && index > 0 && { leaveOut: 1 }),
      isShownFor: always,
      cellOf: metricCell(metric),
    })),
    ...(all ? [{ name: SUPERSEDED, isShownFor: always, cellOf: supersededCell }] : []),
  ];
}

function always(): boolean {
  return true;
}

function metricCell(metric: string): (point: MetricPoint) => Cell {
  const { columns, extra } = wantedMetrics([metric]);
  const [column] = columns;
  const [name = ''] = extra;
  if (column !== undefined) return (point) => numberCell(point[column]);
  return ({ extra: values }) =>
    numberCell(values !== null && Object.hasOwn(values, name) ? (values[name] ?? null) : null);
}

function numberCell(value: number | null): Cell {
  if (value === null) return missing();
  return cell(value, shortNumber(value), Number.isFinite(value) ? undefined : 'bad');
}

function supersededCell({ superseded }: MetricPoint): Cell {
  return cell(superseded, superseded ? 'yes' : '');
}
