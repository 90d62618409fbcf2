// Parquet, row group by row group, so that no more than one of them is in memory.
import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { RunfoldError } from '../../errors.ts';
import type { ExportColumn, Kind, RawRow } from './columns.ts';

type ParquetValue = string | number | bigint | boolean | null;

type Physical = Pick<SchemaElement, 'type' | 'converted_type' | 'logical_type'>;

const TYPES: Readonly<Record<Kind, Physical>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  integer: { type: 'INT64' },
  real: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  json: { type: 'BYTE_ARRAY', converted_type: 'JSON', logical_type: { type: 'JSON' } },
  time: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
};

/** The bytes of a Parquet file (snappy): one row group a batch, then the footer. */
export function* parquetChunks(
  columns: readonly ExportColumn[],
  batches: Iterable<readonly RawRow[]>,
): Generator<Uint8Array> {
  const bytes = new ByteWriter();
  // JSON goes in as the text that it is: the library would print values anew, and lose a key `__proto__`
  const schema = schemaOf(columns, { ...TYPES, json: TYPES.text });
  const writer = new ParquetWriter({ writer: bytes, schema, createdBy: 'runfold' });
  for (const rows of batches) {
    const columnData = columns.map((column, index) => {
      const data = rows.map((row) => parquetValue(column, row[index] ?? null));
      // JSON has no order that a minimum and a maximum would be of
      return { name: column.name, data, statistics: column.kind !== 'json' };
    });
    // returns a promise only of a writer that flushes
    void writer.write({ columnData, rowGroupSize: rows.length });
    yield taken(bytes);
  }
  writer.schema = schemaOf(columns, TYPES);
  void writer.finish();
  yield taken(bytes);
}

function schemaOf(columns: readonly ExportColumn[], types: typeof TYPES): SchemaElement[] {
  return [
    { name: 'root', num_children: columns.length },
    ...columns.map(({ name, kind, isNullable }): SchemaElement => {
      return { name, repetition_type: isNullable ? 'OPTIONAL' : 'REQUIRED', ...types[kind] };
    }),
  ];
}

/** What has been written so far, out of the buffer; the offset in the file goes on. */
function taken(bytes: ByteWriter): Uint8Array {
  const chunk = Uint8Array.from(bytes.getBytes());
  bytes.index = 0;
  return chunk;
}

function parquetValue({ name, kind }: ExportColumn, value: RawRow[number]): ParquetValue {
  if (value === null) return null;
  switch (kind) {
    case 'integer':
      return BigInt(whole(name, Number(value)));
    case 'boolean':
      return value === 1;
    case 'time':
      return BigInt(whole(name, Date.parse(String(value))));
    case 'real':
      return Number(value);
    case 'text':
    case 'json':
      return String(value);
  }
}

/** SQLite lets anything stand in any column of a file that was tampered with. */
function whole(name: string, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new RunfoldError('database_corrupt', `a value of column ${name} is not of its type`, {
    hint: 'Run: runfold sync --rebuild',
  });
}
