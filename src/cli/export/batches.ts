// Rows by the handful: few enough for memory, many enough to be written at once.

export interface BatchLimits {
  rows: number;
  /** Of text in the batch; one row may be longer. */
  characters: number;
}

/** The same rows in arrays that are not empty. */
export function* batchesOf<Row extends readonly unknown[]>(
  rows: Iterable<Row>,
  limits: BatchLimits,
): Generator<Row[]> {
  let batch: Row[] = [];
  let characters = 0;
  for (const row of rows) {
    batch.push(row);
    for (const value of row) if (typeof value === 'string') characters += value.length;
    if (batch.length < limits.rows && characters < limits.characters) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}
