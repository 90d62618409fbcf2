// runfold sql: questions that no command answers, in SQL, which only reads.
import { text } from 'node:stream/consumers';
import { RunfoldError } from '../../errors.ts';
import { csvChunks } from '../format/csv.ts';
import { jsonChunks } from '../format/json-stream.ts';
import { ndjsonChunks } from '../format/ndjson-stream.ts';
import { formatOf, type FormatFlags } from '../format/options.ts';
import { print } from '../format/print.ts';
import { cell, type CellValue, type Format } from '../format/table.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { reading, type ReadingFlags } from '../reading.ts';
import { queryInProcess } from '../sql/query-process.ts';
import { streamOut } from '../stream-out.ts';

export interface SqlFlags extends ReadingFlags, FormatFlags {
  /** In seconds; 0 is none. */
  timeout: number;
  /** Rows; 0 is all. */
  limit?: number;
}

type Row = readonly CellValue[];

/** More are no table for people, and would have to be in memory at once. */
const DEFAULT_LIMIT = 1000;

const STREAMS: Readonly<Partial<Record<Format, typeof csvChunks>>> = {
  csv: csvChunks,
  json: jsonChunks,
  ndjson: ndjsonChunks,
};

export async function sql(given: string, flags: SqlFlags, io: CliIo): Promise<ExitCode> {
  const format = formatOf(flags);
  const stream = STREAMS[format];
  const query = given === '-' ? await text(io.stdin) : given;
  const file = await reading(flags, io, (_, place) => place.file);

  const rows = new Rows({ file, query }, flags, stream === undefined ? DEFAULT_LIMIT : 0, io.signal);
  const names = await rows.columns();
  if (stream === undefined) {
    const table = {
      columns: names.map((name) => ({ name, shrink: 'cut' as const })),
      rows: await rows.cells(),
    };
    print(table, flags, io);
    if (table.rows.length === 0) say(io.stderr, 'no rows');
  } else await streamOut(stream(names, rows.batches()), io);
  if (rows.isCut) {
    say(io.stderr, `only the first ${count(rows.limit, 'row')}; --limit 0 prints all`);
  }
  return 0;
}

/** The answer as it comes, up to the limit. */
class Rows {
  readonly limit: number;
  /** Whether there are more rows than the limit. */
  isCut = false;
  readonly #answer: ReturnType<typeof queryInProcess>;

  constructor(
    request: Parameters<typeof queryInProcess>[0],
    { timeout, limit }: SqlFlags,
    unlimited: number,
    signal: AbortSignal,
  ) {
    const timeoutMs = timeout === 0 ? undefined : timeout * 1000;
    this.limit = limit ?? unlimited;
    this.#answer = queryInProcess(request, { timeoutMs, signal });
  }

  async columns(): Promise<string[]> {
    const first = await this.#answer.next();
    if (first.done === true || first.value.kind !== 'columns') {
      throw new RunfoldError('query_failed', 'the query has no columns');
    }
    return first.value.names;
  }

  async *batches(): AsyncGenerator<Row[]> {
    let left = this.limit === 0 ? Number.POSITIVE_INFINITY : this.limit;
    for await (const message of this.#answer) {
      if (message.kind !== 'rows') continue;
      const { rows } = message;
      this.isCut = rows.length > left;
      if (left > 0 && rows.length > 0) yield this.isCut ? rows.slice(0, left) : rows;
      if (this.isCut) return;
      left -= rows.length;
    }
  }

  async cells(): Promise<ReturnType<typeof cell>[][]> {
    const all: ReturnType<typeof cell>[][] = [];
    for await (const rows of this.batches()) {
      for (const row of rows) all.push(row.map((value) => cell(value)));
    }
    return all;
  }
}
