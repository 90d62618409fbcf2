// Points without a wanted metric are left out by SQLite, since to parse their rows is what takes the time.
import { EXTRA_PREFIX, isMetricColumn } from './metric-point.ts';
import type { WantedMetrics } from './metric-names.ts';

/** A condition on a row of `run_metrics`, and the values of its parameters by name. */
export interface PointFilter {
  sql: string;
  values: Readonly<Record<string, string>>;
}

/** Of more names no condition is made: SQLite has a limit of its depth, and so many would take longer to compare. */
const MAX_NAMES = 20;

const EVERY_POINT: PointFilter = { sql: '1', values: {} };

/**
 * Holds for every point that has one of the metrics, finite or not, and for next to no other: only where the end of
 * another name looks like the name, with its quotation mark.
 */
export function pointFilter(wanted: WantedMetrics | undefined): PointFilter {
  if (wanted === undefined) return EVERY_POINT;
  const names = [...wanted.columns, ...[...wanted.extra].map((name) => EXTRA_PREFIX + name)];
  if (names.length > MAX_NAMES) return EVERY_POINT;
  const values: Record<string, string> = {};
  const has = (column: string, key: string): string => {
    const parameter = `key${Object.keys(values).length}`;
    // both are written by JSON.stringify, without blanks
    values[parameter] = `${JSON.stringify(key)}:`;
    return `instr(${column}, @${parameter})`;
  };
  const conditions = names.flatMap((name) => [
    isMetricColumn(name) ? `${name} IS NOT NULL` : has('extra', name.slice(EXTRA_PREFIX.length)),
    has('nonfinite', name),
  ]);
  return { sql: conditions.length === 0 ? '0' : `(${conditions.join(' OR ')})`, values };
}
