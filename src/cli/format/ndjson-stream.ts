// Rows that come bit by bit as objects, one a line.
import { text } from 'node:stream/consumers';
import ndjson from 'ndjson';
import { inAscii } from '../print-safe.ts';
import type { Batches } from './csv.ts';
import type { CellValue } from './table.ts';

/** One object a line, in ASCII, with the names of the columns as keys. No rows are no lines. */
export async function* ndjsonChunks(names: readonly string[], batches: Batches): AsyncGenerator<string> {
  for await (const rows of batches) {
    // a stream for each batch: when it is over, nothing still reads the rows that come next
    const lines = ndjson.stringify();
    for (const row of rows) lines.write(objectOf(names, row));
    lines.end();
    yield inAscii(await text(lines));
  }
}

/** A column may be named `__proto__`, which an assignment would lose; fromEntries does not assign. */
function objectOf(names: readonly string[], row: readonly CellValue[]): object {
  return Object.fromEntries(names.map((name, index) => [name, row[index] ?? null]));
}
