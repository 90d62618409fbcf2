// Methods by data sets, or whatever else, with what their runs came to.
import type { Db } from '../db/open.ts';
import { RunfoldError } from '../errors.ts';
import type { RunKey } from '../events/run-id.ts';
import { shown } from './arguments.ts';
import type { Label } from './label.ts';
import { boardCells, divergedIn, type DivergedRuns, type LeaderboardCells } from './leaderboard-cells.ts';
import { divergenceIn } from './leaderboard-diverged.ts';
import {
  fullName,
  RESULTS_PREFIX,
  shortName,
  sourceOf,
  type LeaderboardMetric,
} from './leaderboard-metric.ts';
import { hintFor, whatThereIs } from './leaderboard-names.ts';
import {
  goalNotKnown,
  parseOptions,
  resultHasNoCurve,
  type LeaderboardOptions,
  type Question,
} from './leaderboard-options.ts';
import { gatherRuns, withValues, type GatheredRuns } from './leaderboard-runs.ts';
import { isColumn, scanRuns } from './leaderboard-scan.ts';
import { prepareMetricAt, type CurveMetric, type Goal } from './metric-at.ts';

export interface Leaderboard {
  /** What `metric` turned out to mean. */
  metric: LeaderboardMetric;
  goal: Goal;
  /** As asked for; null for a result, which has one value. */
  at: 'final' | 'best' | { metric: CurveMetric; goal: Goal } | null;
  /** The fields that tell rows and columns apart. */
  fields: { rows: string; columns: string };
  /** Labels: numbers by size, then texts in natural order, null last. */
  rows: readonly Label[];
  columns: readonly Label[];
  /** By row and column; null where no run was seen. */
  cells: LeaderboardCells;
  /** Key columns, other than the seed, that some cell has several values of, and how many at most. */
  mixed: readonly { field: keyof RunKey; values: number }[];
  /** Runs: all that were seen, those whose values count, those that only lack one, those of another status. */
  totals: {
    seen: number;
    counted: number;
    withoutValue: number;
    otherStatus: number;
    /** As in the cells. */
    diverged: DivergedRuns;
  };
}

/**
 * Mean, spread and rank of a metric over the runs of each cell. A run that has diverged counts by its last finite value
 * (or its best one), and is told of; where it is asked for the value at a place, one that is not finite is none. All is
 * of one moment.
 *
 * @throws RunfoldError `usage` if an option makes no sense, no run has the metric, or its name means a metric and a
 *   result; `invalid_key` for a key that no run can have.
 */
export function leaderboard(db: Db, options: LeaderboardOptions): Leaderboard {
  const question = parseOptions(options);
  return db.transaction(() => board(db, question))();
}

function board(db: Db, question: Question): Leaderboard {
  const { goal, place, rows, columns } = question;
  const found = gatherRuns(scanRuns(db, question), question, divergenceIn(db, question));
  const metric = meaningIn(db, found, question);
  // not before: who has mistyped the metric is to be told that first
  if (!question.hasGoal) throw goalNotKnown(question.metric);
  const { points } = sourceOf(metric, place);
  const gathered =
    points === undefined ? found : withValues(found, prepareMetricAt(db, points.metric, points.place));
  const isSeedAxis = isColumn(rows.field, 'seed') || isColumn(columns.field, 'seed');
  return {
    metric,
    goal,
    at: metric.kind === 'result' ? null : atOf(place),
    fields: { rows: rows.name, columns: columns.name },
    rows: gathered.rows,
    columns: gathered.columns,
    cells: boardCells(gathered, goal, !isSeedAxis),
    mixed: mostMixed(gathered),
    totals: totalsOf(gathered),
  };
}

/** What the runs say that the name means. With no run at all it does not matter. */
function meaningIn(db: Db, { rows, has, hasChooser }: GatheredRuns, question: Question): LeaderboardMetric {
  const { meanings, metric, place, filter } = question;
  const [first, second] = rows.length === 0 ? meanings : meanings.filter((_, index) => has[index]);
  if (first === undefined) {
    const what = meanings.length > 1 ? 'metric or result' : wordFor(meanings[0]);
    const [meaning] = meanings;
    const names = whatThereIs(db, filter);
    // nothing was logged yet: not a wrong name, but cells without a value
    if (names.length === 0 && meaning !== undefined) return meaning;
    throw noRunHas(`a ${what} ${shown(metric)}`, metric, names);
  }
  if (rows.length === 0) return first;
  if (second !== undefined) {
    throw new RunfoldError('usage', `${shown(metric)} is a metric and also a result`, {
      hint: `Say ${shown(fullName(first))} or ${shown(fullName(second))}.`,
    });
  }
  if (place === 'final') return first;
  if (first.kind === 'result') throw resultHasNoCurve(metric);
  if ('bestOf' in place && !hasChooser) {
    const name = shortName(place.bestOf);
    const names = whatThereIs(db, filter).filter((each) => !each.startsWith(RESULTS_PREFIX));
    throw noRunHas(`a metric ${shown(name)} to choose by`, name, names);
  }
  return first;
}

function wordFor(meaning: LeaderboardMetric | undefined): string {
  return meaning?.kind === 'result' ? 'result' : 'metric';
}

function noRunHas(what: string, name: string, names: readonly string[]): RunfoldError {
  return new RunfoldError('usage', `no run has ${what}`, { hint: hintFor(name, names) });
}

function atOf(place: Question['place']): Leaderboard['at'] {
  if (place === 'final') return 'final';
  return 'best' in place ? 'best' : { metric: place.bestOf, goal: place.goal };
}

function mostMixed({ cells }: GatheredRuns): Leaderboard['mixed'] {
  const most = new Map<keyof RunKey, number>();
  for (const cell of cells.flat()) {
    const others = cell?.others ?? [];
    for (const name of Object.keys(others[0] ?? {}) as (keyof RunKey)[]) {
      const { size } = new Set(others.map((other) => other[name]));
      if (size > (most.get(name) ?? 1)) most.set(name, size);
    }
  }
  return [...most].map(([field, values]) => ({ field, values }));
}

function totalsOf({ cells }: GatheredRuns): Leaderboard['totals'] {
  const diverged = { withValue: 0, withoutValue: 0 };
  const totals = { seen: 0, counted: 0, withoutValue: 0, otherStatus: 0, diverged };
  for (const cell of cells.flat()) {
    if (cell === undefined) continue;
    totals.seen += cell.seen;
    totals.counted += cell.runs.length;
    totals.withoutValue += cell.counted - cell.runs.length;
    totals.otherStatus += cell.seen - cell.counted;
    const { withValue, withoutValue } = divergedIn(cell);
    diverged.withValue += withValue;
    diverged.withoutValue += withoutValue;
  }
  return totals;
}
