// Lines that went through columns are the lines that parseText gives.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLine } from '../../src/events/parse.ts';
import { metricRow } from '../../src/projector/event-row.ts';
import { ColumnReader } from '../../src/projector/column-reader.ts';
import { columnSpace, metricColumns, type ColumnSpace } from '../../src/projector/metric-columns.ts';
import { anyEvent } from '../events/arbitrary-events.ts';

const metric = anyEvent.filter(({ type }) => type === 'metric');
/** As nearly all are: without what is not finite. */
const finite = metric.map(({ extra, ...event }) => ({ ...finiteOf(event), extra: finiteOf(extra ?? {}) }));
const line = fc.oneof(
  { weight: 6, arbitrary: finite.map((event) => Buffer.from(JSON.stringify(event))) },
  { weight: 3, arbitrary: metric.map((event) => Buffer.from(JSON.stringify(event))) },
  { weight: 2, arbitrary: anyEvent.map((event) => Buffer.from(JSON.stringify(event))) },
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10))),
  fc.constantFrom('', '{', '[]', '{"type":"metric"}').map((text) => Buffer.from(text)),
);
const chunk = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 12 });

function finiteOf(values: object): object {
  const isKept = (value: unknown): boolean =>
    value !== 'NaN' && value !== 'Infinity' && value !== '-Infinity';
  return Object.fromEntries(Object.entries(values).filter(([, value]) => isKept(value) && value !== null));
}

/** Null is the same as absent. */
function said(event: object): object {
  return Object.fromEntries(
    Object.entries(event).filter(([, value]) => value !== null && value !== undefined),
  );
}

function check(lines: readonly (readonly [Buffer, string])[], space: ColumnSpace): number {
  const bytes = Buffer.concat([
    ...lines.flatMap(([content, end]) => [content, Buffer.from(end)]),
    Buffer.from('{"ty'),
  ]);
  const reader = new ColumnReader({ columns: structuredClone(metricColumns(bytes, space)), space });
  let at = 0;
  let found = 0;
  for (const [content, end] of lines) {
    const read = reader.lineAt(at, at + content.length);
    const parsed = parseLine(content);
    at += content.length + end.length;
    if (read === undefined) continue;
    found += 1;
    if (parsed.kind !== 'event' || parsed.event.type !== 'metric')
      throw new Error(`a ${parsed.kind} in the columns`);
    expect(said(read.event)).toEqual(said(parsed.event));
    expect(Object.keys(read.event.extra ?? {})).toEqual(Object.keys(parsed.event.extra ?? {}));
    expect(metricRow(read.event, 'w', 1, read.extraJson)).toEqual(metricRow(parsed.event, 'w', 1));
  }
  return found;
}

test('every line in the columns is the metric that the line says', () => {
  let found = 0;
  fc.assert(
    fc.property(chunk, (lines) => void (found += check(lines, columnSpace(65_536)))),
    { numRuns: 2000 },
  );
  expect(found).toBeGreaterThan(500);
});

test('what finds no room is left to the reader', () => {
  const text = (seq: number): string =>
    `{"type":"metric","ts":"2026-11-23T10:00:00Z","seq":${seq},"run_id":"4sj12dc4ysrdy0ge","elapsed_seconds":1,"extra":{"a":1,"b":2}}`;
  const lines = [1, 2, 3].map((seq) => [Buffer.from(text(seq)), '\n'] as const);
  expect(check(lines, columnSpace(2 * 96))).toBe(2);
  expect(check(lines, { ...columnSpace(1000), extraValues: new Float64Array(3) })).toBe(1);
});

/** A number as some program may write it, or something that is none. */
const number = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  },
  { weight: 4, arbitrary: fc.integer().map(String) },
  fc.stringMatching(/^-?(?:0|[1-9]\d{0,20})(?:\.\d{1,25})?(?:[eE][+-]?\d{1,3})?$/),
  fc.constantFrom(
    '-0',
    '-0.0',
    '0.10',
    '1e400',
    '1.0',
    '2.5e1',
    '9007199254740993',
    '0.30000000000000001',
    '1e-7',
  ),
  fc.constantFrom(
    '01',
    '1.',
    '.5',
    '+1',
    '-',
    '1e',
    '1e+',
    '--1',
    '1.2.3',
    'NaN',
    'null',
    '"1"',
    '',
    '1 ',
    '\t2',
  ),
);
const time = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.integer({ min: 0, max: 90_000 }).map((ms) => new Date(1.77e12 + ms).toISOString()),
  },
  fc.constantFrom('2026-02-30T10:00:00.000Z', '2026-02-01T10:00:60.000Z', '2026-02-01T10:00:00Z', 'now', ''),
  fc.constantFrom(
    '2026-02-02T02:40:61.000Z',
    '2026-02-02T02:40:0a.000Z',
    '2026-02-02T02:40:00.00aZ',
    '2026-02-02T02:40:00.000z',
  ),
);
/** What a line has between its numbers. */
const frame = fc.constantFrom(
  [
    '{"type":"metric","ts":"',
    '","seq":',
    ',"run_id":"4sj12dc4ysrdy0ge","elapsed_seconds":',
    ',"loss":',
    ',"extra":{"a":',
    ',"b/c":',
    '}}',
  ],
  [
    '{"extra" : { "é":',
    ', "b":',
    '},"step": ',
    ', "elapsed_seconds":',
    ',"epoch":',
    ',"ts":"',
    '","type":"metric","run_id":"4sj12dc4ysrdy0ge"} ',
  ],
  [
    '{"type":"metric","ts":"',
    '","run_id":"4sj12dc4ysrdy0ge","attempt":"x","elapsed_seconds":',
    ',"other":',
    ',"gpu_memory_mb":',
    ',"f1":',
    ',"loss":null,"fitness":',
    '}',
  ],
  [
    '{"type":"metric","ts":"',
    '","run_id":"4sj12dc4ysrdy0ge","elapsed_seconds":',
    ',"step":',
    ',"step":',
    ',"extra":{"7":',
    ',"a":',
    '}}',
  ],
  [
    '{"type":"metric","ts":"',
    '","run_id":"4sj12dc4ysrdy0ge","elapsed_seconds":',
    ',"text":"\\"","step":',
    ',"extra":{"a":',
    ',"b\\u00e9":',
    '},"list":[',
    ']}',
  ],
  [
    '{"type":"metric","ts":"',
    '","run_id":"4sj12dc4ysrdy0ge","elapsed_seconds":',
    ',"more":{"step":',
    '},"extra":{"a":',
    ',"a":',
    ',"__proto__":',
    '}}',
  ],
);
const alike = fc
  .tuple(
    fc.array(frame, { minLength: 1, maxLength: 6 }),
    fc.array(fc.tuple(time, fc.array(number, { minLength: 5, maxLength: 5 })), {
      minLength: 1,
      maxLength: 12,
    }),
  )
  .map(([frames, lines]) =>
    lines.map(([ts, numbers], index) => {
      const parts = frames[index % frames.length] ?? [];
      const values = [...numbers];
      const content = parts.map((part, nth) => {
        if (nth === parts.length - 1) return part;
        return part + (part.endsWith('"ts":"') ? ts : (values.shift() ?? '1'));
      });
      return [Buffer.from(content.join('')), '\n'] as const;
    }),
  );

test('lines that are like the one before, but for their numbers and time, are what they say too', () => {
  let found = 0;
  fc.assert(
    fc.property(alike, (lines) => void (found += check(lines, columnSpace(65_536)))),
    { numRuns: 5000 },
  );
  expect(found).toBeGreaterThan(2000);
});
