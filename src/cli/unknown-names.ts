// What is told of a question that finds nothing, or that names what no run has.
import type { Db } from '../db/open.ts';
import { parseCondition } from '../query/condition.ts';
import type { RunFilter } from '../query/run-filter.ts';
import { countRuns } from '../query/runs.ts';
import { fieldsOfNoRun, valuesOfNoRun, type UnknownName } from '../query/unknown-names.ts';
import { say, type CliIo } from './io.ts';
import { printSafe } from './print-safe.ts';

const SHOWN_NAMES = 20;

/**
 * Says which names no run has, of the filter and of other fields.
 *
 * @throws RunfoldError `usage` for a field or a condition that there cannot be.
 */
export function sayUnknownNames(db: Db, filter: RunFilter, fields: readonly string[], io: CliIo): void {
  const conditions = (filter.where ?? []).map((condition) =>
    typeof condition === 'string' ? parseCondition(condition) : condition,
  );
  const unknown = fieldsOfNoRun(db, [...fields, ...conditions.map(({ field }) => field)]);
  if (countRuns(db, { includeHidden: true }) === 0) return;
  for (const name of [...unknown, ...valuesOfNoRun(db, filter)]) say(io.stderr, sentence(name));
}

function sentence({ name, of, known, near }: UnknownName): string {
  const what = of === undefined ? printSafe(name) : `${of} ${printSafe(name)}`;
  const more = known.length > SHOWN_NAMES ? ', …' : '';
  const list = `${known.slice(0, SHOWN_NAMES).map(printSafe).join(', ')}${more}`;
  const there = known.length === 0 ? '' : `; there ${known.length === 1 ? 'is' : 'are'} ${list}`;
  return `no run has ${what}${there}${near === undefined ? '' : `; did you mean ${printSafe(near)}?`}`;
}

/** Says so if no run matches, and returns whether one does. */
export function sayIfNone(db: Db, filter: RunFilter, io: CliIo): boolean {
  if (countRuns(db, filter) > 0) return true;
  const all = countRuns(db, { includeHidden: true });
  say(
    io.stderr,
    all === 0
      ? 'no runs yet: a job makes one with RunLogger, or with runfold emit run-created'
      : `no run matches; there ${all === 1 ? 'is 1' : `are ${all}`} in all`,
  );
  return false;
}
