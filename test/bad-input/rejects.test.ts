// Every kind of broken line gets its reason, at its place, and never stops the lines after it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_LINE_BYTES } from '../../src/events/parse.ts';
import { REJECT_CODES, type RejectCode } from '../../src/events/reject-codes.ts';
import {
  A,
  DAY,
  KEY,
  RUN,
  at,
  created,
  file,
  header,
  metric,
  status,
  text,
  writerFile,
  type Fields,
} from '../helpers/lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';

const PATH_A = `events/${DAY}/${A}-h-1.ndjson`;
const withSeq = (event: Fields, seq = 1000): string => text({ seq, ...event });
const raw = (...bytes: number[]): Buffer => Buffer.from(bytes);
const join = (...parts: (string | Buffer)[]): Buffer => Buffer.concat(parts.map((part) => Buffer.from(part)));

/** Lines without their LF, in a file with a header whose lines before have the seq 1 to 3. */
const BAD: [RejectCode, string, Buffer][] = [
  ['too_long', 'one byte too long', join('{"type":"x","pad":"', 'a'.repeat(MAX_LINE_BYTES - 20), '"}')],
  ['too_long', 'longer than a chunk', join('a'.repeat(3 * MAX_LINE_BYTES))],
  ['nul_hole', 'a NUL in a string', join('{"type":"metric","x":"\u0000"}')],
  ['nul_hole', 'nothing but NULs', Buffer.alloc(10_000)],
  ['nul_hole', 'a hole longer than any line', Buffer.alloc(2 * MAX_LINE_BYTES)],
  ['byte_order_mark', 'a BOM before a valid line', join('\ufeff', withSeq(metric(2)))],
  ['byte_order_mark', 'UTF-16 would begin so, but not UTF-8', join('\ufeff')],
  ['invalid_utf8', 'UTF-16', raw(0xff, 0xfe, 0x7b)],
  ['invalid_utf8', 'Latin-1', Buffer.from('{"type":"x","name":"café"}', 'latin1')],
  ['invalid_utf8', 'an overlong NUL', join('"', raw(0xc0, 0x80), '"')],
  ['invalid_utf8', 'an encoded surrogate', join('"', raw(0xed, 0xa0, 0x80), '"')],
  ['invalid_utf8', 'beyond U+10FFFF', join('"', raw(0xf4, 0x90, 0x80, 0x80), '"')],
  ['invalid_utf8', 'cut within a character', join('"', raw(0xe2, 0x82))],
  ['too_deep', '65 lists', join('['.repeat(65), ']'.repeat(65))],
  ['too_deep', 'a million lists', join('['.repeat(1_000_000))],
  ['too_deep', 'half a million objects', join('{"":'.repeat(250_000))],
  ['too_deep', 'a config 64 deep in its line', join(`{"config":${'[{"a":'.repeat(32)}1${'}]'.repeat(32)}}`)],
  ['not_json', 'torn', join(withSeq(metric(2)).slice(0, 50))],
  ['not_json', 'two lines run into one', join(withSeq(metric(2)).slice(0, 50), withSeq(metric(2)))],
  ['not_json', 'two objects', join(withSeq(metric(2)), ',', withSeq(metric(2)))],
  ['not_json', 'NaN, as Python writes it', join(withSeq(metric(2)).replace('}', ',"loss":NaN}'))],
  ['not_json', 'a comment', join('// ', withSeq(metric(2)))],
  ['not_json', 'a control character in a string', join('{"type":"x\u0001"}')],
  ['not_json', 'binary', raw(0x01, 0x02, 0x1b, 0x5b, 0x33, 0x31, 0x6d)],
  ['not_json', 'a blank', join(' ')],
  ['not_an_object', 'a list of events', join('[', withSeq(metric(2)), ']')],
  ['not_an_object', 'a number', join('17')],
  ['bad_type', 'no type', join('{}')],
  ['bad_type', 'a type that is a list', join('{"type":["metric"]}')],
  ['bad_field', 'a time that is none', join(withSeq({ ...metric(2), ts: 'now' }))],
  [
    'bad_field',
    'a whole number beyond 2^53',
    join(withSeq(metric(2)).replace('}', ',"step":9007199254740993}')),
  ],
  ['bad_field', 'a number beyond a double', join(withSeq(metric(2)).replace('}', ',"loss":1e400}'))],
  ['bad_field', 'a lone surrogate in the key', join(withSeq(created(2, { subject: '\ud800' })))],
  ['run_id_mismatch', 'another key', join(withSeq(created(2, { seed: 8 })))],
  ['missing_attempt', 'SLURM’s word about nobody', join(withSeq(status(2, 'failed', { source: 'slurm' })))],
  ['missing_seq', 'no seq', join(text(metric(2)))],
  ['seq_conflict', 'a seq that is taken', join(withSeq(metric(2, { loss: 1 }), 2))],
  [
    'writer_closed_mismatch',
    'a wrong count',
    join(`{"type":"writer_closed","ts":"${at(2)}","seq":1000,"events":7}`),
  ],
];

/** Reasons that a line between two good ones cannot have: there the file begins, or ends to be read. */
const ELSEWHERE = ['no_header', 'second_header', 'other_format'];

test('every reason is among the examples', () => {
  const codes = new Set(BAD.map(([code]) => code));
  expect([...codes, ...ELSEWHERE].toSorted()).toEqual(Object.keys(REJECT_CODES).toSorted());
});

describe('each broken line', () => {
  test.each(BAD)('%s: %s', async (code, _, line) => {
    const before = file(PATH_A, header(A), created(0, { seq: 2 }), metric(1, { seq: 3, loss: 1 }));
    const bytes = Buffer.concat([
      before.bytes,
      line,
      Buffer.from(`\n${withSeq(metric(9, { loss: 9 }), 4)}\n`),
    ]);
    const ledger = new TempLedger({ path: PATH_A, bytes });
    ledger.aheadMs = 3_600_000;
    (await ledger.pass())
      .expectRows('_rejected', [{ file: PATH_A, offset: before.bytes.length, length: line.length + 1, code }])
      .expectRows('run_metrics', [
        { seq: 3, loss: 1 },
        { seq: 4, loss: 9 },
      ])
      .expectResults({ points: 2, final_loss: 9 })
      .expectFile(PATH_A, { state: 'live', offset: bytes.length })
      .expectFinding({
        kind: 'rejected',
        where: PATH_A,
        offset: before.bytes.length,
        advice: REJECT_CODES[code],
      });
    const [row] = ledger.outcome().rows('_rejected');
    expect(String(row?.['message'])).not.toBe('');
    expect(Buffer.byteLength(String(row?.['excerpt']))).toBeLessThanOrEqual(3 * 200);
    // nothing of NULs is shown, and what is shown is how the line begins
    if (code === 'nul_hole') expect(row?.['excerpt']).toBe('');
    else if (line.length < 200) expect(row?.['excerpt']).toBe(line.toString('utf8'));
  });

  test('any of them, any number of times, in any order: each is reported, each good line between is applied', async () => {
    const short = BAD.filter(([code, , line]) => line.length < 20_000 && code !== 'seq_conflict');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: short.length }), { minLength: 1, maxLength: 30 }),
        async (picks) => {
          let seq = 1;
          const expected: Fields[] = [];
          const parts: Buffer[] = [Buffer.from(`${text(header(A))}\n`)];
          for (const pick of picks) {
            const [code, , line] = short[pick] ?? [];
            const offset = parts.reduce((sum, part) => sum + part.length, 0);
            if (code === undefined || line === undefined) {
              seq += 1;
              parts.push(Buffer.from(`${withSeq(metric(seq), seq)}\n`));
            } else {
              expected.push({ offset, length: line.length + 1, code });
              parts.push(line, Buffer.from('\n'));
            }
          }
          const ledger = new TempLedger({ path: PATH_A, bytes: Buffer.concat(parts) });
          ledger.aheadMs = 3_600_000;
          const outcome = await ledger.pass();
          outcome.expectRows('_rejected', expected);
          outcome.expectRows(
            'run_metrics',
            Array.from({ length: seq - 1 }, (__, index) => ({ seq: index + 2 })),
          );
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('where a file begins', () => {
  test.each([['no_header', withSeq(metric(1))], ['missing_seq', text(header(A, { seq: 2 }))]] as const)('%s', async (code, line) => {
    const bytes = Buffer.from(`${line}\n${text(header(A))}\n${withSeq(metric(2), 2)}\n`);
    const ledger = new TempLedger({ path: PATH_A, bytes });
    (await ledger.pass()).expectRows('_rejected', [{ offset: 0, length: line.length + 1, code }]).expectRows('run_metrics', [{ seq: 2 }]);
  }); // prettier-ignore

  test.each([
    ['second_header', text(header(A, { host: 'other' }))],
    ['other_format', text(header(A, { format: 2 }))],
  ] as const)('%s stops its own file only', async (code, line) => {
    const stopped = writerFile(A, created(0), metric(1), `${line}\n`, metric(2));
    const beside = file(`events/${DAY}/notes.ndjson`, metric(3), 'no json\n', metric(4));
    (await new TempLedger(stopped, beside).pass())
      .expectRejected(code, 'not_json')
      .expectRows('run_metrics', [{ ts: at(1) }, { ts: at(3) }, { ts: at(4) }])
      .expectFile(PATH_A, { state: 'frozen', reason: code });
  });
});

describe('encodings', () => {
  const STRANGE = [
    '\u0000',
    '\u001b[31m',
    '\u202e',
    '\ufeff',
    '\ufffe',
    '\uffff',
    '\u{10ffff}',
    'e\u0301',
    '\u2028',
    '\ud800',
    '\udc00x',
    '\\',
    '"',
    '\r\n',
    "'; DROP TABLE experiment_runs; --",
    '',
  ];

  test('any text in any field is stored as it is, a lone surrogate as U+FFFD', async () => {
    for (const strange of STRANGE) {
      const stored = strange.toWellFormed();
      const lines = [
        created(0, {
          notes: strange,
          tags: [strange],
          config: { [`k${strange}`]: strange },
          code: { command: strange },
        }),
        metric(1, { attempt: strange, extra: { [`m${strange}`]: 1 } }),
        {
          type: 'error',
          ts: at(2),
          run_id: RUN,
          exception_type: strange,
          message: strange,
          traceback: strange,
        },
        status(3, 'failed', { reason: strange }),
        { type: 'slurm_info', ts: at(4), run_id: RUN, job_id: strange, node_list: strange, source: 'env' },
      ];
      const outcome = await new TempLedger(writerFile(A, ...lines)).pass();
      outcome.expectRejected();
      outcome.expectRun({
        ...KEY,
        notes: stored,
        tags: [stored],
        config: { [`k${stored}`]: stored },
        command: stored,
        status_reason: stored,
        slurm_job_id: stored,
      });
      outcome.expectRows('run_errors', [{ exception_type: stored, message: stored, traceback: stored }]);
      outcome.expectRows('run_metrics', [{ extra: { [`m${stored}`]: 1 } }]);
      outcome.expectJobs({ job_id: stored, node_list: stored });
      outcome.expectRows('_attempts', [{ attempt: A }]);
    }
  });
});
