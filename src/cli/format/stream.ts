// Tables that are too long to hold, in the formats of programs that have a row a line.
import { drained, type CliIo } from '../io.ts';
import { csv } from './csv.ts';
import { ndjson } from './ndjson.ts';
import type { Cell, Column, Format } from './table.ts';

/** Rows that are written at once. */
const CHUNK_ROWS = 500;

export type StreamFormat = Extract<Format, 'csv' | 'ndjson'>;

export function isStreamFormat(format: Format): format is StreamFormat {
  return format === 'csv' || format === 'ndjson';
}

/** What `print` writes, but bit by bit, as fast as it is taken away. */
export async function printStream(
  columns: readonly Column[],
  rows: Iterable<readonly Cell[]>,
  format: StreamFormat,
  io: Pick<CliIo, 'stdout' | 'signal'>,
): Promise<void> {
  const text = format === 'csv' ? csv : ndjson;
  const heading = text({ columns, rows: [] });
  io.stdout.write(heading);
  for (const chunk of chunksOf(rows)) {
    io.stdout.write(text({ columns, rows: chunk }).slice(heading.length));
    await drained(io);
    io.signal.throwIfAborted();
  }
}

function* chunksOf<Item>(items: Iterable<Item>): Generator<Item[]> {
  let chunk: Item[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < CHUNK_ROWS) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
