// Runs that have not ended -> a table.
import type { ActiveRun } from '../query/active-runs.ts';
import { cell, type Cell, type Column, type Table } from './format/table.ts';
import { SHORT_ID, statusEmphasis } from './run-table.ts';
import { ago, valueText } from './value-text.ts';

const COLUMNS: readonly Column[] = [
  { name: 'run_id', label: 'run' },
  { name: 'status' },
  { name: 'newest_line_at', label: 'newest line' },
  { name: 'status_reason', label: 'reason', shrink: 'cut' },
  { name: 'dataset', shrink: 'cut' },
  { name: 'method', shrink: 'cut' },
  { name: 'subject', shrink: 'cut', leaveOut: 1 },
  { name: 'cl_info', label: 'variant', shrink: 'cut', leaveOut: 1 },
  { name: 'seed', leaveOut: 1 },
  { name: 'host', shrink: 'cut', leaveOut: 2 },
  { name: 'slurm_job_id', label: 'job', leaveOut: 2 },
  { name: 'started_at', label: 'started', leaveOut: 2 },
];
const ALWAYS = 6;

export function activeTable(runs: readonly ActiveRun[], nowMs: number): Table {
  const columns = COLUMNS.filter(
    ({ name }, index) => index < ALWAYS || runs.some((run) => run[name as keyof ActiveRun] !== null),
  );
  return {
    columns,
    rows: runs.map((run) => columns.map(({ name }) => activeCell(name as keyof ActiveRun, run, nowMs))),
    notes: ['The newest line is the last sign of life; a run that died without a word stays running.'],
  };
}

function activeCell(name: keyof ActiveRun, run: ActiveRun, nowMs: number): Cell {
  const value = run[name];
  if (name === 'run_id') return cell(run.run_id, run.run_id.slice(0, SHORT_ID));
  if (name === 'newest_line_at') return cell(run.newest_line_at, ago(run.newest_line_at, nowMs));
  if (name === 'started_at' && run.started_at !== null) return cell(value, ago(run.started_at, nowMs));
  return cell(value, valueText(value), name === 'status' ? statusEmphasis(value) : undefined);
}
