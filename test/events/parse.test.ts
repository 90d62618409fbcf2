// One line of bytes -> an event, an unknown type or a reason; never an exception, whatever the bytes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EVENT_TYPES } from '../../src/events/event.ts';
import { eventSchemas, type EventSchemas } from '../../src/events/event-schemas.ts';
import { MAX_LINE_BYTES, parseLine, parseText, type ParsedLine } from '../../src/events/parse.ts';
import { REJECT_CODES } from '../../src/events/reject-codes.ts';
import { normalizeTimestamp } from '../../src/events/timestamp.ts';
import { anyEvent, type AnyEvent } from './arbitrary-events.ts';

const RUNS = 2000;

function parse(line: string): ParsedLine {
  return parseLine(Buffer.from(line, 'utf8'));
}

function codeOf(line: string | Buffer): string {
  const parsed = typeof line === 'string' ? parse(line) : parseLine(line);
  return parsed.kind === 'rejected' ? parsed.code : parsed.kind;
}

/** Whatever came in, one of four answers comes out, and a reason that can be shown. */
function expectAnAnswer(parsed: ParsedLine): void {
  switch (parsed.kind) {
    case 'event':
      expect(EVENT_TYPES).toContain(parsed.event.type);
      expect(normalizeTimestamp(parsed.event.ts)).toBe(parsed.event.ts);
      break;
    case 'unknown':
      expect(EVENT_TYPES).not.toContain(parsed.type);
      break;
    case 'other_format':
      expect(parsed.format).not.toBe(1);
      break;
    case 'rejected':
      expect(Object.keys(REJECT_CODES)).toContain(parsed.code);
      expect(parsed.message).not.toBe('');
      break;
  }
}

type Mutation = { at: number; remove: number; insert: Uint8Array };
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat({ max: 400 }),
  remove: fc.nat({ max: 6 }),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
    fc
      .constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        ',',
        ':',
        '\\',
        '\\u',
        '1e999',
        '-0',
        'null',
        'true',
        '"type":',
        '\\ud800',
        '9'.repeat(20),
      )
      .map((text) => Buffer.from(text)),
  ),
});

function mutate(bytes: Buffer, { at, remove, insert }: Mutation): Buffer {
  const from = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]);
}

describe('never throws', () => {
  test('on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
        expectAnAnswer(parseLine(Buffer.from(bytes))),
      ),
      { numRuns: RUNS },
    );
  });

  test('on any text', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom(...'{}[]",:\\u0123eE+-. \t'.split('')),
        fc.string({ unit: 'binary', maxLength: 1 }),
      ),
    });
    fc.assert(
      fc.property(text, (line) => expectAnAnswer(parse(line))),
      { numRuns: RUNS },
    );
  });

  test('on any JSON, with any type in it', () => {
    const value = fc.jsonValue() as fc.Arbitrary<unknown>;
    const typed = fc.tuple(
      fc.constantFrom(...EVENT_TYPES, 'later', 7),
      fc.dictionary(fieldName, value, { noNullPrototype: true }),
    );
    fc.assert(
      fc.property(value, typed, (any, [type, fields]) => {
        expectAnAnswer(parse(JSON.stringify(any)));
        expectAnAnswer(parse(JSON.stringify({ ...fields, type })));
      }),
      { numRuns: RUNS },
    );
  });

  test('on valid lines that were changed', () => {
    fc.assert(
      fc.property(anyEvent, fc.array(mutation, { minLength: 1, maxLength: 4 }), (event, mutations) => {
        const bytes = mutations.reduce(mutate, Buffer.from(JSON.stringify(event)));
        expectAnAnswer(parseLine(bytes));
      }),
      { numRuns: RUNS * 2 },
    );
  });

  test('on a valid line cut anywhere: no part of an object is one', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const bytes = Buffer.from(JSON.stringify(event));
        for (let end = 0; end < bytes.length; end += 1) {
          expect(['not_json', 'invalid_utf8']).toContain(codeOf(bytes.subarray(0, end)));
        }
      }),
      { numRuns: 100 },
    );
  });
});

const fieldName = fc.constantFrom(
  ...new Set(Object.values(eventSchemas()).flatMap((schema) => Object.keys(schema.shape))),
);

function withoutNulls(event: object): AnyEvent {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== null));
}

/** The event that a valid line stands for: its times in one form, unknown fields left out. */
function asRead(event: AnyEvent): AnyEvent {
  const times = ['ts', 'submitted_at', 'started_at', 'ended_at'].filter(
    (name) => typeof event[name] === 'string',
  );
  return {
    ...event,
    ...Object.fromEntries(times.map((name) => [name, normalizeTimestamp(String(event[name]))])),
  };
}

describe('round trips', () => {
  test('a valid event is read as it was written, times in one form', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(parse(JSON.stringify(event))).toEqual({ kind: 'event', event: asRead(event) });
      }),
      { numRuns: RUNS },
    );
  });

  test('what was read is read again as it is', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const first = parse(JSON.stringify(event));
        expect(first.kind).toBe('event');
        expect(first.kind === 'event' && parse(JSON.stringify(first.event))).toEqual(first);
      }),
    );
  });

  test('the order of fields, white space and unknown fields change nothing', () => {
    const unknown = fc.dictionary(fc.string({ minLength: 1 }).map((name) => `x_${name}`), fc.jsonValue() as fc.Arbitrary<unknown>, {
      noNullPrototype: true,
    }); // prettier-ignore
    fc.assert(
      fc.property(anyEvent, unknown, (event, more) => {
        const plain = parse(JSON.stringify(event));
        const reversed = Object.fromEntries(Object.entries({ ...event, ...more }).toReversed());
        expect(parse(JSON.stringify(reversed))).toEqual(plain);
        expect(parse(JSON.stringify(event, null, 2).replaceAll('\n', '\r\t '))).toEqual(plain);
      }),
      { numRuns: 500 },
    );
  });

  test('null and absent are read alike, save in what is data', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const present = withoutNulls(event);
        const [withNulls, without] = [parse(JSON.stringify(event)), parse(JSON.stringify(present))];
        expect(without.kind).toBe('event');
        expect(withNulls.kind === 'event' && withoutNulls(withNulls.event)).toEqual(
          without.kind === 'event' && without.event,
        );
      }),
    );
  });

  test('parseText is parseLine for text that has been looked at', () => {
    fc.assert(
      fc.property(fc.oneof(anyEvent.map((event) => JSON.stringify(event)), fc.string({ unit: 'grapheme' })), (line) => {
        fc.pre(!line.includes('\u0000'));
        expect(parseText(line)).toEqual(parse(line));
      }),
    ); // prettier-ignore
  });
});

describe('fields', () => {
  test('a field that must be there may not be left out, null or of another type', () => {
    const strange = fc.constantFrom<unknown>(undefined, null, [], {}, true, Symbol.iterator);
    fc.assert(
      fc.property(anyEvent, fc.nat(), strange, (event, nth, value) => {
        const schema = eventSchemas()[event['type'] as keyof EventSchemas].shape as Record<
          string,
          { safeParse(value: unknown): { success: boolean } }
        >;
        const required = Object.keys(schema).filter(
          (name) => name !== 'type' && schema[name]?.safeParse(undefined).success === false,
        );
        const name = required[nth % required.length] ?? 'ts';
        const isAllowed =
          name === 'results' && typeof value === 'object' && value !== null && !Array.isArray(value);
        const wrong = JSON.stringify({ ...event, [name]: typeof value === 'symbol' ? undefined : value });
        expect(codeOf(wrong)).toBe(isAllowed ? 'event' : 'bad_field');
      }),
      { numRuns: RUNS },
    );
  });

  test('an unknown type has its seq if that is one', () => {
    expect(parse('{"type":"later","seq":7}')).toEqual({ kind: 'unknown', type: 'later', seq: 7 });
    for (const seq of ['0', '-1', '1.5', '"7"', 'null', '1e999', '9007199254740992', '[7]']) {
      expect(parse(`{"type":"later","seq":${seq}}`), seq).toEqual({
        kind: 'unknown',
        type: 'later',
        seq: null,
      });
    }
    // the names that every object inherits are no types
    for (const type of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(parse(JSON.stringify({ type }))).toMatchObject({ kind: 'unknown', type });
    }
  });

  test('another format is looked at before anything else of a header', () => {
    for (const format of [0, 2, -1, 2 ** 53 - 1]) {
      expect(parse(`{"type":"writer_opened","format":${format},"ts":7}`)).toEqual({
        kind: 'other_format',
        format,
      });
    }
    for (const format of ['1.5', '"2"', 'null', 'true', '9007199254740993', '1e999']) {
      expect(codeOf(`{"type":"writer_opened","format":${format}}`), format).toBe('bad_field');
    }
  });
});

describe('the order of reasons', () => {
  const nul = '\u0000';
  const long = 'x'.repeat(MAX_LINE_BYTES);
  const deep = '['.repeat(65);
  const bad = Buffer.from([0xff]);
  const bom = '\ufeff';
  test.each([
    ['too_long', Buffer.concat([Buffer.from(bom + deep + long), bad])],
    ['nul_hole', Buffer.concat([Buffer.from(bom + deep + nul), bad])],
    ['byte_order_mark', Buffer.concat([Buffer.from(bom + deep), bad])],
    ['invalid_utf8', Buffer.concat([Buffer.from(deep), bad])],
    ['too_deep', deep],
    ['not_json', '[[[['],
    ['not_an_object', '[{"type":7}]'],
    ['bad_type', '{"type":7,"ts":7}'],
    ['unknown', '{"type":"later","ts":7}'],
    ['bad_field', '{"type":"run_created","ts":7,"run_id":"0000000000000000"}'],
  ])('%s', (code, line) => {
    expect(codeOf(line)).toBe(code);
  });
});
