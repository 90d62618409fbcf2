// The runs as a plain table.

const COLUMNS = [
  'dataset',
  'method',
  'seed',
  'status',
  'reason',
  'attempts',
  'epochs',
  'loss',
  'f1',
  'test_f1',
];

/**
 * @param {import('runfold').RunRecord[]} runs
 * @param {(runId: string) => import('runfold').RunResults | null} resultsOf
 * @param {(runId: string) => number | null | undefined} lastLossOf NaN for a run that diverged
 */
export function runTable(runs, resultsOf, lastLossOf) {
  const rows = runs.map((run) => {
    const results = resultsOf(run.run_id);
    return [
      run.dataset,
      run.method,
      String(run.seed),
      run.status,
      run.status_reason ?? '',
      String(run.attempt_count),
      String(results?.last_epoch ?? ''),
      number(lastLossOf(run.run_id)),
      number(results?.final_f1),
      number(results?.results?.['test_f1']),
    ];
  });
  const sorted = rows.toSorted((a, b) => a.join('\0').localeCompare(b.join('\0')));
  const widths = COLUMNS.map((name, index) =>
    Math.max(name.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  return [COLUMNS, ...sorted]
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {unknown} value */
function number(value) {
  return typeof value === 'number' ? value.toFixed(3) : '';
}
