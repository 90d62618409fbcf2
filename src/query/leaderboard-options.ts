// What a caller asks of a leaderboard, checked.
import type { RunStatus } from '../events/event.ts';
import { RunfoldError } from '../errors.ts';
import { shown, wrongArgument } from './arguments.ts';
import { parseField, type Field } from './field.ts';
import {
  curveMetric,
  meaningsOf,
  ownGoal,
  type LeaderboardMetric,
  RESULTS_PREFIX,
} from './leaderboard-metric.ts';
import type { Goal, Place } from './metric-at.ts';
import type { RunFilter } from './run-filter.ts';

/**
 * Filters choose the runs. `status`, which chooses whose values count, is `completed` by default; runs of another
 * status are seen all the same.
 */
export interface LeaderboardOptions extends RunFilter {
  /**
   * `loss`, `f1`, `fitness`, `behavioral_comparison` or `gpu_memory_mb`, else the name of an extra metric, else a path
   * in the results. `extra.NAME` and `results.PATH` say which.
   */
  metric: string;
  /** Which way is better. Default for `loss` min, for the other three max; all else has none, and must be told. */
  goal?: Goal | undefined;
  /**
   * Which value of a run's curve: the `final` one (the default), the `best` one, or the one where another metric is
   * best, as a model is chosen by its validation score. Where that is: in the same point, else in the last of the same
   * step, else in the last of the same epoch; a run without a value there has none. A result has but one value.
   */
  at?: 'final' | 'best' | { metric: string; goal?: Goal | undefined } | undefined;
  /** A field that tells the rows apart; default `method`. */
  rows?: string | undefined;
  /** A field that tells the columns apart; default `dataset`. */
  columns?: string | undefined;
}

/** `LeaderboardOptions` with everything said. */
export interface Question {
  /** More than one if it depends on the runs which is meant. */
  meanings: readonly LeaderboardMetric[];
  metric: string;
  goal: Goal;
  /** Whether `goal` was told, or is the metric's own; else it is a guess, and there can be no ranking. */
  hasGoal: boolean;
  place: Place;
  rows: { name: string; field: Field };
  columns: { name: string; field: Field };
  /** Of the runs that are seen. */
  filter: RunFilter;
  /** Of those whose values count. */
  status: RunStatus | readonly RunStatus[];
}

/** @throws RunfoldError `usage`. What is wrong with `filter` and `status` is found later. */
export function parseOptions(options: LeaderboardOptions): Question {
  if (typeof options !== 'object' || options === null) throw wrongArgument('options', 'an object', options);
  const { metric, goal, at = 'final', rows = 'method', columns = 'dataset', status, ...filter } = options;
  const meanings = meaningsOf(metric);
  const known = checkGoal('goal', goal) ?? knownGoal(meanings);
  const direction = known ?? 'max';
  const place = placeOf(at, direction);
  if (place !== 'final' && meanings.every(({ kind }) => kind === 'result')) throw resultHasNoCurve(metric);
  const [row, column] = [axis('rows', rows), axis('columns', columns)];
  if (JSON.stringify(row.field) === JSON.stringify(column.field)) {
    throw new RunfoldError('usage', `rows and columns are both ${shown(rows)}`, {
      hint: 'Name two fields: method, dataset, subject, config.NAME …',
    });
  }
  return {
    meanings,
    metric,
    goal: direction,
    hasGoal: known !== undefined,
    place,
    rows: row,
    columns: column,
    filter,
    status: status ?? ['completed'],
  };
}

function knownGoal([meaning]: readonly LeaderboardMetric[]): Goal | undefined {
  return meaning === undefined ? undefined : ownGoal(meaning);
}

export function goalNotKnown(metric: string): RunfoldError {
  return new RunfoldError(
    'usage',
    `whether the lowest or the highest ${shown(metric)} is best is not known`,
    {
      hint: 'Say so with the goal: --goal min or --goal max, in code goal: "min" or "max".',
    },
  );
}

function checkGoal(name: string, goal: unknown): Goal | undefined {
  if (goal === undefined || goal === 'min' || goal === 'max') return goal;
  throw wrongArgument(name, '"min" or "max"', goal);
}

function placeOf(at: LeaderboardOptions['at'], goal: Goal): Place {
  if (at === 'final') return 'final';
  if (at === 'best') return { best: goal };
  if (typeof at !== 'object' || at === null || typeof at.metric !== 'string' || at.metric === '') {
    throw wrongArgument('at', '"final", "best" or { metric }', at);
  }
  if (at.metric.startsWith(RESULTS_PREFIX)) throw resultHasNoCurve(at.metric);
  const bestOf = curveMetric(at.metric);
  return { bestOf, goal: checkGoal('at.goal', at.goal) ?? ownGoal(bestOf) ?? goal };
}

export function resultHasNoCurve(name: string): RunfoldError {
  return new RunfoldError('usage', `${shown(name)} is a result: a run has one of it, not a curve`, {
    hint: 'Leave out "at", or name a metric that is logged along the run.',
  });
}

function axis(option: string, name: string): { name: string; field: Field } {
  const field = parseField(name);
  if (field.kind === 'column' && (field.type === 'strings' || field.type === 'object')) {
    throw wrongArgument(option, 'a field with one value a run', name);
  }
  return { name, field };
}
