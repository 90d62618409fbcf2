// Errors -> tables.
import type { ErrorGroup } from '../query/error-groups.ts';
import type { RunError } from '../query/run-errors.ts';
import { cell, type Table } from './format/table.ts';
import { SHORT_ID } from './run-table.ts';
import { ago } from './value-text.ts';

const SHOWN_RUNS = 3;

export function errorGroupTable(groups: readonly ErrorGroup[], nowMs: number): Table {
  const hasPlaces = groups.some(({ place }) => place !== null);
  return {
    columns: [
      { name: 'exception_type', label: 'error', shrink: 'cut' },
      ...(hasPlaces ? [{ name: 'place', shrink: 'cut' as const }] : []),
      { name: 'runs' },
      { name: 'errors' },
      { name: 'last_ts', label: 'last' },
      { name: 'run_ids', label: 'in runs', shrink: 'cut' },
      { name: 'message', label: 'the last one said', shrink: 'cut' },
    ],
    rows: groups.map(({ exception_type, place, run_ids, count, last_ts, message }) => [
      cell(exception_type, undefined, 'bad'),
      ...(hasPlaces ? [cell(place)] : []),
      cell(run_ids.length),
      cell(count),
      cell(last_ts, ago(last_ts, nowMs)),
      cell(run_ids, shortIds(run_ids)),
      cell(message),
    ]),
  };
}

export function shortIds(ids: readonly string[]): string {
  const shown = ids.slice(0, SHOWN_RUNS).map((id) => id.slice(0, SHORT_ID));
  return ids.length > SHOWN_RUNS ? `${shown.join(' ')} …` : shown.join(' ');
}

export function errorTable(errors: readonly RunError[]): Table {
  const names = ['run_id', 'ts', 'attempt', 'exception_type', 'message', 'traceback'] as const;
  return {
    columns: names.map((name) => ({ name, shrink: 'cut' })),
    rows: errors.map((error) => names.map((name) => cell(error[name]))),
  };
}
