// Rows that come bit by bit as one JSON array.
import { ndjsonChunks } from './ndjson-stream.ts';
import type { Batches } from './csv.ts';

/** An array with an object on each line, in ASCII. If the rows end in an error so does it, and is no JSON. */
export async function* jsonChunks(names: readonly string[], batches: Batches): AsyncGenerator<string> {
  let before = '[\n  ';
  for await (const lines of ndjsonChunks(names, batches)) {
    yield before + lines.trimEnd().replaceAll('\n', ',\n  ');
    before = ',\n  ';
  }
  yield before.startsWith('[') ? '[]\n' : '\n]\n';
}
