// What people want to see at a glance and no column of a run says by itself: that it diverged, and what it failed with.
import type { Db } from '../db/open.ts';
import { divergedMetrics } from '../query/diverged.ts';
import { EXTRA_PREFIX } from '../query/metric-point.ts';
import type { ExtraResult } from '../query/results.ts';
import { getRunErrors } from '../query/run-errors.ts';
import { USUAL_FIELDS, type UsualField } from './run-table.ts';

/**
 * A row of `USUAL_FIELDS` with `NaN` or the like in the place of a metric's last finite value if that was not its last
 * one, and with the type of its last error as the reason if a failed run has none.
 */
export function plainWords(db: Db, row: readonly unknown[]): unknown[] {
  const fields = new Map<UsualField, unknown>(
    USUAL_FIELDS.map((field, index) => [field, row[index] ?? null]),
  );
  const runId = String(fields.get('run_id'));
  for (const [metric, word] of divergedMetrics(db, runId)) {
    if (metric.startsWith(EXTRA_PREFIX)) {
      fields.set('extra', withFinal(fields.get('extra'), metric.slice(EXTRA_PREFIX.length), word));
    } else fields.set(`final.${metric}` as UsualField, word);
  }
  const hasFailed = fields.get('status') === 'failed' || fields.get('status') === 'timeout';
  if (hasFailed && fields.get('status_reason') === null) {
    fields.set('status_reason', getRunErrors(db, runId).at(-1)?.exception_type ?? null);
  }
  return USUAL_FIELDS.map((field) => fields.get(field) ?? null);
}

function withFinal(extra: unknown, name: string, final: string): object {
  const known = (extra ?? {}) as Readonly<Record<string, ExtraResult>>;
  const entries = Object.entries(known).filter(([other]) => other !== name);
  return Object.fromEntries([...entries, [name, { final }]]);
}
