// What a line is, and which fields every line has.
import { describe, expect, test } from 'vitest';
import { given } from '../helpers/given.ts';
import {
  A, B, DAY, NOTES, RUN,
  annotated, at, closed, created, errorEvent, metric, notes, result, sample, slurm, status, text,
  writerFile, writerFileWith,
} from '../helpers/lines.ts'; // prettier-ignore

const PATH_A = `events/${DAY}/${A}-h-1.ndjson`;

describe('bytes', () => {
  test('UTF-8', async () => {
    const outcome = await given(
      notes(text(errorEvent(1, { message: 'é 😀 \u0007' })), '\n', Buffer.from('"\xff"\n', 'latin1')),
    );
    outcome.expectRejected('invalid_utf8').expectRows('run_errors', [{ message: 'é 😀 \u0007' }]);
  });

  test('LF; one CR before it is tolerated', async () => {
    // the repeat is equal although its terminator is another one
    const repeated = writerFile(A, `${text(metric(1, { seq: 2 }))}\r\n`, `${text(metric(1, { seq: 2 }))}\n`);
    (await given(repeated))
      .expectRejected()
      .expectRows('run_metrics', [{ seq: 2 }])
      .expectFile(PATH_A, { repeats: 1 });
    // CR alone ends no line
    (await given(notes(`${text(metric(1))}\r${text(metric(2))}\n`))).expectRejected('not_json');
  });

  test('a part without LF waits', async () => {
    const rest = text(metric(2));
    (await given(notes(`${text(metric(1))}\n${rest}`)))
      .expectRejected()
      .expectRows('run_metrics', [{ ts: at(1) }])
      .expectFile(NOTES, { state: 'live', offset: text(metric(1)).length + 1 });
  });

  test('no BOM', async () => {
    (await given(notes(`\ufeff${text(metric(1))}\n`, metric(2))))
      .expectRejected('byte_order_mark')
      .expectRows('run_metrics', [{ ts: at(2) }]);
  });

  test('one JSON object a line', async () => {
    const two = `${text(metric(1))}${text(metric(2))}\n`;
    const over = `{"type":"metric",\n"ts":"${at(1)}"}\n`;
    (await given(notes(two, over, '[]\n', '7\n', 'null\n', '"x"\n', '{"a":NaN}\n', "{'a':1}\n")))
      .expectRejected(
        'not_json',
        'not_json',
        'not_json',
        'not_an_object',
        'not_an_object',
        'not_an_object',
        'not_an_object',
        'not_json',
        'not_json',
      ) // prettier-ignore
      .expectRows('run_metrics', []);
  });

  test('at most 1,048,576 bytes, its LF and the CR before that not counted', async () => {
    const ofLength = (bytes: number): string => {
      const empty = text(errorEvent(1, { message: '' })).length;
      return text(errorEvent(1, { message: 'x'.repeat(bytes - empty) }));
    };
    const [longest, tooLong] = [ofLength(1_048_576), ofLength(1_048_577)];
    const outcome = await given(
      notes(`${longest}\r\n`, `${tooLong}\n`, `${longest}\n`, `${tooLong}\r\n`, metric(2)),
    );
    outcome.expectRejected('too_long', 'too_long').expectRows('run_metrics', [{ ts: at(2) }]);
    outcome.expectRows('run_errors', [{ seq: 0 }, { seq: 1_048_578 + 1_048_578 }]);
    outcome.expectRows('_rejected', [
      { offset: 1_048_578, length: 1_048_578 },
      { offset: 3 * 1_048_578 - 1, length: 1_048_579 },
    ]);
  });

  test('at most 64 deep', async () => {
    const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    const line = (levels: number): string =>
      `{"type":"result","ts":"${at(1)}","run_id":"${RUN}","results":${deep(levels)}}\n`;
    const brackets = text(result(2, { a: '[{'.repeat(99) }));
    const outcome = await given(notes(created(0), line(63), line(64), `${brackets}\n`));
    outcome.expectRejected('too_deep').expectResults({ results: { a: '[{'.repeat(99) } });
  });

  test('an empty line is nothing', async () => {
    const gaps = writerFile(A, '\n', '\r\n', metric(1), '\n\n', metric(2), '\n');
    (await given(gaps))
      .expectRejected()
      .expectRows('run_metrics', [{ seq: 2 }, { seq: 3 }])
      .expectFile(PATH_A, { maxSeq: 3 });
    // a blank is not empty
    (await given(notes(' \n'))).expectRejected('not_json');
  });
});

describe('fields', () => {
  test('null is the same as absent', async () => {
    const nulls = { epoch: null, step: null, loss: null, extra: null, attempt: null, gpu_memory_mb: null };
    const withNulls = writerFileWith(
      A, { attempt: null }, created(0, { subject: null, config: null, tags: null, code: null, resume: null }),
      status(1, 'running', { source: null, reason: null, exit_code: null }), metric(2, nulls),
    ); // prettier-ignore
    const without = writerFileWith(A, {}, created(0), status(1, 'running'), metric(2));
    const [one, other] = [await given(withNulls), await given(without)];
    one.expectRejected();
    for (const table of ['experiment_runs', 'run_metrics', 'run_results'] as const) {
      expect(one.rows(table)).toEqual(other.rows(table));
      expect(one.rows(table)).toHaveLength(1);
    }
    // what must be there may not be null either
    (
      await given(notes(metric(1, { elapsed_seconds: null }), { ...created(0), dataset: null }))
    ).expectRejected('bad_field', 'bad_field');
  });

  test('unknown fields are ignored', async () => {
    const more = { loss_2: 'x', nested: { a: [1e300] }, status: 7, é: null };
    const inner = { code: { git_commit: 'c', branch: 7 } };
    (await given(notes(created(0, inner), metric(1, { loss: 2, ...more }), '{"type":"metric","x":1e999}\n')))
      .expectRejected('bad_field')
      .expectRun({ git_commit: 'c' })
      .expectResults({ best_loss: 2 });
    // a number that overflows in a field that nobody reads is no harm
    (await given(notes(`${text(metric(1)).slice(0, -1)},"x":1e999}\n`))).expectRejected();
  });

  const WRONG: [string, object][] = [
    ['a string where a number belongs', metric(1, { elapsed_seconds: '1' })],
    ['a number where a string belongs', errorEvent(1, { message: 7 })],
    ['a fraction where a whole number belongs', metric(1, { epoch: 1.5 })],
    ['a whole number beyond 2^53', metric(1, { step: 2 ** 53 })],
    ['a list where an object belongs', result(1, [] as unknown as Record<string, unknown>)],
    ['an object where a list belongs', annotated(1, { tags: {} })],
    ['a list with a member of another type', annotated(1, { tags: ['a', 1] })],
    ['a truth value where a string belongs', annotated(1, { notes: true })],
    ['a string where a truth value belongs', annotated(1, { hidden: 'yes' })],
    ['a status outside the set', status(1, 'cancelled')],
    ['a status in capitals', status(1, 'FAILED')],
    ['a source outside the set', status(1, 'failed', { source: 'squeue' })],
    ['a source of slurm_info outside the set', { ...slurm(1, 'env'), source: 'slurm' }],
    ['a metric that is another word', metric(1, { loss: 'nan' })],
    ['an extra metric that is another word', metric(1, { extra: { acc: 'inf' } })],
    ['a time that is none', metric(1, { ts: '2026-11-23 10:00:00' })],
    ['a run_id that is none', metric(1, { run_id: RUN.toUpperCase() })],
    ['seq 0', metric(1, { seq: 0 })],
  ];
  test.each(WRONG)('a wrong type or a value outside a named set rejects the line: %s', async (_, line) => {
    const outcome = await given(notes(text(line as Record<string, unknown>), '\n', metric(9)));
    outcome.expectRejected('bad_field').expectRows('run_metrics', [{ ts: at(9) }]);
    expect(outcome.rows('_rejected')[0]?.['message']).not.toBe('');
  });

  test('a number that overflows rejects the line', async () => {
    const overflowing = [
      text(metric(1, { loss: 0 })).replace('"loss":0', '"loss":1e309'),
      text(metric(1, { extra: { a: 0 } })).replace('"a":0', '"a":-1e400'),
      text(sample(1)).replace(':60', ':1e999'),
      text(result(1, { deep: [{ x: 0 }] })).replace('"x":0', '"x":1e999'),
      text(created(0, { config: { lr: 0 } })).replace('"lr":0', '"lr":1e999'),
    ];
    (await given(notes(overflowing.join('\n'), '\n'))).expectRejected(...overflowing.map(() => 'bad_field'));
    // the greatest double and the least one are numbers
    (await given(notes(created(0), metric(1, { loss: Number.MAX_VALUE, f1: 5e-324 })))).expectResults({
      best_loss: Number.MAX_VALUE,
      best_f1: 5e-324,
    });
  });

  test('the last of duplicate keys wins', async () => {
    const twice = `{"type":"error","loss":1,"type":"metric","ts":"x","ts":"${at(1)}","run_id":"${RUN}","elapsed_seconds":1,"loss":2}\n`;
    (await given(notes(created(0), twice)))
      .expectRejected()
      .expectRows('run_metrics', [{ loss: 2, ts: at(1) }]);
  });

  test('a line of unknown type is counted, kept in place, never an error, whatever else it has', async () => {
    const strange = [
      '{"type":"gpu_event","seq":-5,"ts":7,"x":1e999}',
      '{"type":"Metric"}',
      '{"type":"","run_id":{}}',
    ];
    const mixed = writerFile(A, created(0), ...strange.map((line) => `${line}\n`), metric(1));
    (await given(mixed))
      .expectRejected()
      .expectResults({ points: 1 })
      .expectFile(PATH_A, { unknown: 3, state: 'live' });
    (await given(notes('{"type":7}\n', '{}\n'))).expectRejected('bad_type', 'bad_type');
  });

  test('ts: any offset and fraction is accepted, cut to milliseconds, stored and sorted as UTC', async () => {
    const written = {
      '2026-11-23T11:00:01+01:00': '2026-11-23T10:00:01.000Z',
      '2026-11-23T10:00:02.9999999Z': '2026-11-23T10:00:02.999Z',
      '2026-11-22t22:30:03.5-11:30': '2026-11-23T10:00:03.500Z',
      '2026-11-23T10:00:04z': '2026-11-23T10:00:04.000Z',
      '2026-11-23T10:00:60Z': '2026-11-23T10:01:00.000Z',
    };
    const [first = '', ...rest] = Object.keys(written);
    const lines = [first, ...rest].map((ts) => ({ ...errorEvent(0), ts }));
    (await given(notes(...lines))).expectRows(
      'run_errors',
      Object.values(written).map((ts) => ({ ts })),
    );
    // 11:00:01+01:00 is before 10:30Z, whatever its text says
    const words = [
      status(30, 'completed', { exit_code: 2 }),
      { ...status(0, 'failed', { exit_code: 3 }), ts: first },
    ];
    (await given(notes(created(0), ...words))).expectRun({ status: 'completed', exit_code: 2 });
  });

  test('run_id: on all but writer_*', async () => {
    const { run_id: _, ...without } = metric(1);
    (await given(writerFile(A, without, closed(2, 2, { seq: 3 })))).expectRejected('bad_field');
    const kinds = [
      created(0),
      status(0, 'running'),
      metric(0),
      result(0, {}),
      errorEvent(0),
      slurm(0, 'env'),
      annotated(0, {}),
      sample(0),
    ];
    for (const { run_id: _id, ...line } of kinds) (await given(notes(line))).expectRejected('bad_field');
    expect(kinds).toHaveLength(8);
  });

  test('attempt: the default is the header’s, else the writer’s id', async () => {
    const plain = writerFile(A, errorEvent(1), errorEvent(2, { attempt: 'own' }));
    const joining = writerFileWith(
      B,
      { attempt: 'launch-1' },
      errorEvent(3),
      errorEvent(4, { attempt: 'own' }),
    );
    const attempts = [A, 'own', 'launch-1', 'own', `${DAY}/notes`];
    (await given(plain, joining, notes(errorEvent(5)))).expectRows(
      'run_errors',
      attempts.map((attempt, index) => ({ attempt, ts: at(index + 1) })),
    );
  });

  test('attempt: events of source squeue, sacct or slurm must have it', async () => {
    const { attempt: _, ...squeue } = slurm(1, 'squeue');
    const sacct = slurm(2, 'sacct', { attempt: null });
    const word = status(3, 'failed', { source: 'slurm' });
    (
      await given(
        writerFile(
          A,
          created(0),
          squeue,
          sacct,
          word,
          slurm(4, 'env'),
          status(5, 'failed', { source: 'wrapper' }),
        ),
      )
    )
      .expectRejected('missing_attempt', 'missing_attempt', 'missing_attempt')
      .expectRun({ status: 'failed', slurm_job_id: '100' });
  });
});
