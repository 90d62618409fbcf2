// Which metrics and results runs have, for a person who named one that is not there.
import sql, { join, raw } from 'sql-template-tag';
import type { Db } from '../db/open.ts';
import { shown } from './arguments.ts';
import { FROM_RUNS } from './field-sql.ts';
import { presenceSql, RESULTS_PREFIX } from './leaderboard-metric.ts';
import { metricsThatDiverged } from './metric-inventory.ts';
import { EXTRA_PREFIX, METRIC_COLUMNS, nameOfExtra } from './metric-point.ts';
import { nearest } from '../nearest.ts';
import { formatPath } from './path.ts';
import { filterSql, type RunFilter } from './run-filter.ts';

const SHOWN_NAMES = 12;

/** What a leaderboard can be of: metrics as `meaningsOf` reads them, then results. */
export function whatThereIs(db: Db, filter: RunFilter): string[] {
  const diverged = metricsThatDiverged(db, filter);
  const extra = diverged.filter((name) => name.startsWith(EXTRA_PREFIX));
  const names = [...keysThere(db, filter, 'extra'), ...extra.map((name) => name.slice(EXTRA_PREFIX.length))];
  return [
    ...columnsThere(db, filter, diverged),
    ...new Set(names.map(nameOfExtra)),
    ...keysThere(db, filter, 'results').map((name) => RESULTS_PREFIX + formatPath([name])),
  ];
}

/** `Did you mean "f1"? There are: "f1", "val/acc", "results.accuracy", ….` */
export function hintFor(name: string, names: readonly string[]): string {
  if (names.length === 0) return 'These runs have none.';
  const bare = names.map((each) =>
    each.startsWith(RESULTS_PREFIX) ? each.slice(RESULTS_PREFIX.length) : each,
  );
  const near = nearest(name, names) ?? names[bare.indexOf(nearest(name, bare) ?? '')];
  const question = near === undefined ? '' : `Did you mean ${shown(near)}? `;
  const more = names.length > SHOWN_NAMES ? ', …' : '';
  return `${question}There are: ${names.slice(0, SHOWN_NAMES).map(shown).join(', ')}${more}.`;
}

function columnsThere(db: Db, filter: RunFilter, others: readonly string[]): string[] {
  const counts = METRIC_COLUMNS.map((name) => sql`count(${presenceSql({ kind: 'column', name })})`);
  const { sql: text, values } = sql`SELECT ${join(counts)} FROM ${FROM_RUNS} WHERE ${filterSql(filter)}`;
  const row = db
    .prepare<unknown[], number[]>(text)
    .raw()
    .get(...values);
  return METRIC_COLUMNS.filter((name, index) => (row?.[index] ?? 0) > 0 || others.includes(name));
}

/** Of results, only those that are numbers or may have some in them. */
function keysThere(db: Db, filter: RunFilter, column: 'extra' | 'results'): string[] {
  const { sql: text, values } =
    sql`SELECT DISTINCT e.key FROM ${FROM_RUNS}, json_each(${raw(`s.${column}`)}) e
    WHERE ${filterSql(filter)} AND e.type IN ('integer', 'real', 'object')
    ORDER BY e.key`;
  return db
    .prepare<unknown[], string>(text)
    .pluck()
    .all(...values);
}
