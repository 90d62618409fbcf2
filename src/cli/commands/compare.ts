// runfold compare: runs side by side, what differs first.
import { compareRuns, type Comparison } from '../../query/compare-runs.ts';
import { cell, type CellValue, type Table } from '../format/table.ts';
import type { FormatFlags } from '../format/options.ts';
import { print } from '../format/print.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { reading, type ReadingFlags } from '../reading.ts';
import { SHORT_ID } from '../run-table.ts';
import { valueText } from '../value-text.ts';

export interface CompareFlags extends ReadingFlags, FormatFlags {
  diff?: boolean;
}

export function compare(ids: readonly string[], flags: CompareFlags, io: CliIo): Promise<ExitCode> {
  return reading(flags, io, (db) => {
    const comparison = compareRuns(db, ids);
    print(comparisonTable(comparison, flags.diff === true), flags, io);
    const same = comparison.fields.filter(({ differs }) => !differs).length;
    if (same === comparison.fields.length) say(io.stderr, 'nothing differs');
    return 0;
  });
}

export function comparisonTable({ run_ids, fields }: Comparison, onlyDifferences: boolean): Table {
  const shown = onlyDifferences ? fields.filter(({ differs }) => differs) : fields;
  return {
    columns: [
      { name: 'field', shrink: 'cut' },
      { name: 'differs', label: '' },
      // the same run twice would be one key in JSON
      ...run_ids.map((id, index) => ({
        name: run_ids.indexOf(id) === index ? id : `${id} (${index + 1})`,
        label: id.slice(0, SHORT_ID),
        shrink: 'cut' as const,
      })),
    ],
    rows: shown.map(({ field, values, differs }) => [
      cell(field, undefined, differs ? undefined : 'dim'),
      cell(differs, differs ? '≠' : ''),
      ...values.map((value) => cell(value as CellValue, valueText(value), differs ? undefined : 'dim')),
    ]),
  };
}
