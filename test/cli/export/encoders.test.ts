// Each format read back by another program: the same values, whatever they are.
import * as fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchesOf } from '../../../src/cli/export/batches.ts';
import type { ExportColumn, RawRow } from '../../../src/cli/export/columns.ts';
import { parquetChunks } from '../../../src/cli/export/parquet.ts';
import { csvChunks } from '../../../src/cli/format/csv.ts';
import { jsonChunks } from '../../../src/cli/format/json-stream.ts';
import { ndjsonChunks } from '../../../src/cli/format/ndjson-stream.ts';
import { tempDir } from '../../events/temp-dir.ts';
import { readCsv } from '../format/csv-reader.ts';
import { csv, Duck, lines, parquet } from './duck.ts';

const COLUMNS: readonly ExportColumn[] = [
  { name: 'id', kind: 'text', isNullable: false },
  { name: 'text', kind: 'text', isNullable: true },
  { name: 'count', kind: 'integer', isNullable: true },
  { name: 'number', kind: 'real', isNullable: true },
  { name: 'flag', kind: 'boolean', isNullable: true },
  { name: 'json', kind: 'json', isNullable: true },
  { name: 'at', kind: 'time', isNullable: true },
];
const NAMES = COLUMNS.map(({ name }) => name);
const SPECIAL = [
  '',
  '=1+1',
  '@x',
  'a,b',
  'say "hi"',
  'a\nb',
  'a\r\nb',
  '\r',
  ' x ',
  'NULL',
  'null',
  'NaN',
  '\u202E',
  '語😀',
  "'",
  '\t',
];

// SQLite gives text that is well-formed
const text = fc.oneof(fc.constantFrom(...SPECIAL), fc.string({ unit: 'binary' }));
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const time = fc
  .date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const json = fc
  .dictionary(
    fc.oneof(fc.constant('__proto__'), text),
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
  )
  .map((value) => JSON.stringify(value));

const rowsArbitrary: fc.Arbitrary<RawRow[]> = fc.array(
  fc.tuple<RawRow[number][]>(
    text,
    fc.option(text),
    fc.option(fc.maxSafeInteger()),
    fc.option(number),
    fc.option(fc.constantFrom(0, 1)),
    fc.option(json),
    fc.option(time),
  ),
  { maxLength: 40 },
);

const batched = (rows: readonly RawRow[], size: number): Generator<RawRow[]> =>
  batchesOf(rows, { rows: size, characters: 200 });

async function write(file: string, chunks: AsyncIterable<string> | Iterable<Uint8Array>): Promise<void> {
  fs.writeFileSync(file, '');
  for await (const chunk of chunks) fs.appendFileSync(file, chunk);
}

test('property: batches are the rows, none of them empty or too large', () => {
  fc.assert(
    fc.property(rowsArbitrary, fc.integer({ min: 1, max: 7 }), (rows, size) => {
      const batches = [...batched(rows, size)];
      expect(batches.flat()).toEqual(rows);
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(size);
        const before = batch.slice(0, -1).flat();
        expect(before.map((value) => (typeof value === 'string' ? value : '')).join('').length).toBeLessThan(
          200,
        );
      }
    }),
  );
});

test('property: Parquet has the values, their types and the NULLs', async () => {
  const duck = await Duck.start();
  const folder = tempDir();
  // a name of its own for each: DuckDB remembers what it has read of a file
  let file = '';
  let files = 0;
  await fc.assert(
    fc.asyncProperty(rowsArbitrary, fc.integer({ min: 1, max: 9 }), async (rows, size) => {
      file = path.join(folder, `rows-${(files += 1)}.parquet`);
      await write(file, parquetChunks(COLUMNS, batched(rows, size)));
      const expected = rows.map(([id, string, count, real, flag, object, at]) => [
        id,
        string,
        count === null ? null : BigInt(Number(count)),
        real,
        flag === null ? null : flag === 1,
        object,
        at === null ? null : BigInt(Date.parse(String(at))),
      ]);
      const query = `SELECT * REPLACE (epoch_ms("at") AS "at", CAST("json" AS VARCHAR) AS "json") FROM read_parquet('${file}')`;
      const read = await duck.rows(query);
      expect(read).toEqual(expected);
    }),
    { numRuns: 60 },
  );
  expect(await duck.types(parquet(file))).toEqual({
    id: 'VARCHAR',
    text: 'VARCHAR',
    count: 'BIGINT',
    number: 'DOUBLE',
    flag: 'BOOLEAN',
    json: 'JSON',
    at: 'TIMESTAMP WITH TIME ZONE',
  });
});

test('property: exact CSV has every text as it is, and tells the empty from the missing', async () => {
  await fc.assert(
    fc.asyncProperty(rowsArbitrary, fc.integer({ min: 1, max: 9 }), async (rows, size) => {
      let file = '';
      for await (const chunk of csvChunks(NAMES, batched(rows, size), { isExact: true })) file += chunk;
      const expected = rows.map((row) => row.map((value) => (value === null ? null : String(value))));
      expect(readCsv(file)).toEqual([NAMES, ...expected]);
    }),
  );
  const duck = await Duck.start();
  const file = path.join(tempDir(), 'rows.csv');
  const rows: RawRow[] = SPECIAL.map((value, index) => [
    value,
    index % 2 === 0 ? value : null,
    index,
    0.1,
    1,
    '{}',
    null,
  ]);
  await write(file, csvChunks(NAMES, batched(rows, 3), { isExact: true }));
  const expected = rows.map((row) => row.map((value) => (value === null ? null : String(value))));
  expect(await duck.rows(csv(file))).toEqual(expected);
});

test('property: NDJSON and JSON have the values', async () => {
  const duck = await Duck.start();
  const folder = tempDir();
  let file = '';
  let files = 0;
  await fc.assert(
    fc.asyncProperty(rowsArbitrary, fc.integer({ min: 1, max: 9 }), async (rows, size) => {
      const expected = rows.map((row) => Object.fromEntries(NAMES.map((name, index) => [name, row[index]])));
      file = path.join(folder, `rows-${(files += 1)}.ndjson`);
      await write(file, ndjsonChunks(NAMES, batched(rows, size)));
      const written = fs.readFileSync(file, 'utf8');
      expect(written).toMatch(/^[\n -~]*$/);
      const read = written === '' ? [] : written.trimEnd().split('\n');
      expect(read.map((line) => JSON.parse(line) as unknown)).toEqual(expected);
      expect((await duck.rows(lines(file))).map(([line]) => JSON.parse(String(line)) as unknown)).toEqual(
        expected,
      );
      let array = '';
      for await (const chunk of jsonChunks(NAMES, batched(rows, size))) array += chunk;
      expect(JSON.parse(array)).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test('rows without end come out as they go in: nothing waits for the last', async () => {
  function* endless(): Generator<RawRow> {
    for (let count = 0; ; count += 1) yield ['id', 'text', count, 0.5, 1, '{}', '2026-11-23T10:00:00.000Z'];
  }
  const batches = (): Generator<RawRow[]> => batchesOf(endless(), { rows: 10, characters: 10_000 });
  const formats = [
    csvChunks(NAMES, batches()),
    ndjsonChunks(NAMES, batches()),
    jsonChunks(NAMES, batches()),
    parquetChunks(COLUMNS, batches()),
  ];
  for (const chunks of formats) {
    for (let taken = 0; taken < 5; taken += 1) {
      const chunk = await chunks.next();
      expect(chunk.done).toBe(false);
      expect(chunk.value?.length).toBeGreaterThan(0);
      expect(chunk.value?.length).toBeLessThan(10_000);
    }
    await chunks.return(undefined);
  }
});
