// Hours by how runs ended -> a table.
import type { StatusHours } from '../query/job-hours.ts';
import { cell, missing, type Cell, type Table } from './format/table.ts';
import { hours } from './human.ts';
import { statusEmphasis } from './run-table.ts';

/** Of each status what was spent, with its part of the whole. */
export function hoursTable(spent: readonly StatusHours[]): Table {
  const hasGpus = spent.some(({ gpu_hours }) => gpu_hours !== null);
  const totals = {
    gpu: spent.reduce((sum, { gpu_hours }) => sum + (gpu_hours ?? 0), 0),
    cpu: spent.reduce((sum, { cpu_hours }) => sum + (cpu_hours ?? 0), 0),
  };
  return {
    columns: [
      { name: 'status', label: 'spent on runs' },
      { name: 'starts', label: 'starts', align: 'right' },
      ...(hasGpus ? [{ name: 'gpu_hours', label: 'GPU hours', align: 'right' } as const] : []),
      { name: 'cpu_hours', label: 'CPU hours', align: 'right' },
    ],
    rows: spent.map(({ status, starts, gpu_hours, cpu_hours }) => [
      cell(status, undefined, statusEmphasis(status)),
      cell(starts),
      ...(hasGpus ? [partCell(gpu_hours, totals.gpu)] : []),
      partCell(cpu_hours, totals.cpu),
    ]),
  };
}

function partCell(value: number | null, total: number): Cell {
  if (value === null) return missing();
  return cell(value, total === 0 ? hours(value) : `${hours(value)} (${Math.round((value / total) * 100)} %)`);
}
