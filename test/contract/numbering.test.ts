// seq and writer_closed: whether every line of a writer has come, and none twice.
import { describe, expect, test } from 'vitest';
import { given } from '../helpers/given.ts';
import {
  A, DAY, NOTES, RUN,
  annotated, at, closed, created, errorEvent, file, header, metric, notes, sample, status, text, writerFile,
} from '../helpers/lines.ts'; // prettier-ignore

const PATH_A = `events/${DAY}/${A}-h-1.ndjson`;
const OTHER_RUN = '0123456789abcdef';

describe('seq', () => {
  test('is 1, 2, 3 … in a file with a header (the header is 1), whatever the run or type', async () => {
    const other = { run_id: OTHER_RUN };
    const lines = [
      created(0),
      metric(1),
      metric(1, other),
      errorEvent(2, other),
      status(3, 'completed'),
      closed(4, 6),
    ];
    const outcome = await given(writerFile(A, ...lines));
    outcome.expectRejected().expectFile(PATH_A, { state: 'complete', maxSeq: 7, closedSeq: 7 });
    outcome.expectRows('run_metrics', [{ run_id: OTHER_RUN, seq: 4 }, { run_id: RUN, seq: 3 }]); // prettier-ignore
    expect(outcome.findings().map(({ kind, where }) => [kind, where])).toEqual([
      ['orphan', `run ${OTHER_RUN}`],
    ]);
  });

  test('the header is 1: one with another seq is none', async () => {
    (await given(file(PATH_A, header(A, { seq: 2 }), metric(1, { seq: 3 })))).expectRejected(
      'missing_seq',
      'no_header',
    );
    (await given(file(PATH_A, header(A, { seq: undefined }), header(A), metric(1, { seq: 2 }))))
      .expectRejected('missing_seq')
      .expectRows('run_metrics', [{ seq: 2 }]);
  });

  test('a line without one is rejected in a file with a header; in a hand-made file it is of no use', async () => {
    (await given(writerFile(A, text(metric(1)), '\n', metric(2))))
      .expectRejected('missing_seq')
      .expectRows('run_metrics', [{ seq: 2 }]);
    (await given(notes(metric(1), metric(2, { seq: 7 }), metric(3, { seq: 7 }))))
      .expectRejected()
      .expectRows('run_metrics', [{ ts: at(1) }, { ts: at(2) }, { ts: at(3) }]);
    (await given(notes(metric(1, { seq: 1.5 })))).expectRejected('bad_field');
  });

  test('a gap is reported', async () => {
    const outcome = await given(writerFile(A, metric(1), metric(2, { seq: 5 }), metric(3, { seq: 7 })));
    outcome.expectRejected().expectRows('run_metrics', [{ seq: 2 }, { seq: 5 }, { seq: 7 }]);
    outcome.expectFinding(
      { kind: 'gap', where: PATH_A, what: 'seq 3 to 4 are missing' },
      { kind: 'gap', where: PATH_A, what: 'seq 6 is missing' },
    );
  });

  test('a gap is filled by a line that comes later in the file, and by one of unknown type', async () => {
    const late = writerFile(
      A,
      metric(1),
      metric(4, { seq: 5 }),
      '{"type":"later","seq":4}\n',
      metric(2, { seq: 3 }),
    );
    const outcome = await given(late);
    outcome.expectRejected().expectRows('run_metrics', [{ seq: 2 }, { seq: 3 }, { seq: 5 }]);
    expect(outcome.findings().filter(({ kind }) => kind === 'gap')).toEqual([]);
  });

  test('a byte-equal repeat is one event', async () => {
    const again = [created(0), metric(1), metric(2)].map((line, index) => ({ ...line, seq: index + 2 }));
    // a retried write: three lines come once more, between others; the last of them twice
    (await given(writerFile(A, ...again, ...again, metric(2, { seq: 4 }), metric(3), header(A))))
      .expectRejected()
      .expectRun({ attempt_count: 1 })
      .expectResults({ points: 3 })
      .expectFile(PATH_A, { repeats: 5, maxSeq: 5, state: 'live' });
  });

  test('another line with a seq that a valid line of the file has is rejected', async () => {
    const conflicts = [
      metric(9, { seq: 2 }),
      metric(1, { seq: 2, loss: 1 }),
      `${text(metric(1, { seq: 2 }))} \n`,
    ];
    (await given(writerFile(A, metric(1), metric(2), ...conflicts, metric(3, { seq: 4 }))))
      .expectRejected('seq_conflict', 'seq_conflict', 'seq_conflict')
      .expectRows('run_metrics', [{ seq: 2, ts: at(1) }, { seq: 3 }, { seq: 4 }]); // prettier-ignore
  });

  test('a seq of a line that was rejected is free', async () => {
    (await given(writerFile(A, metric(1, { elapsed_seconds: 'x', seq: 2 }), metric(2, { seq: 2 }))))
      .expectRejected('bad_field')
      .expectRows('run_metrics', [{ seq: 2, ts: at(2) }]);
  });
});

describe('writer_closed', () => {
  test('events is its line’s seq minus 1', async () => {
    (await given(writerFile(A, metric(1), closed(2, 2))))
      .expectRejected()
      .expectFile(PATH_A, { state: 'complete', closedSeq: 3 });
    (await given(writerFile(A, metric(1), closed(2, 3), metric(3, { seq: 3 }))))
      .expectRejected('writer_closed_mismatch')
      .expectRows('run_metrics', [{ seq: 2 }, { seq: 3 }])
      .expectFile(PATH_A, { state: 'live', closedSeq: null });
  });

  test('a file is complete when all of 1 to seq were seen', async () => {
    const gap = [metric(1), closed(3, 3, { seq: 4 })];
    (await given(writerFile(A, ...gap)))
      .expectFile(PATH_A, { state: 'live', closedSeq: 4 })
      .expectFinding({ kind: 'gap', what: 'seq 3 is missing' });
    (await given(writerFile(A, ...gap, metric(2, { seq: 3 })))).expectFile(PATH_A, { state: 'complete' });
  });

  test('lines after it are applied, and reported', async () => {
    const outcome = await given(
      writerFile(A, created(0), closed(1, 2), metric(2), annotated(3, { notes: 'late' })),
    );
    outcome.expectRejected().expectRun({ notes: 'late' }).expectResults({ points: 1 });
    outcome.expectFile(PATH_A, { afterClose: 2, closedSeq: 3 });
    outcome.expectFinding({ kind: 'after_close', where: PATH_A, severity: 'note' });
  });

  test('has no meaning in a hand-made file', async () => {
    (await given(notes(sample(1), closed(2, 0, { seq: 1 }), sample(3))))
      .expectRejected('writer_closed_mismatch')
      .expectRows('_samples', [{ ts: at(1) }, { ts: at(3) }])
      .expectFile(NOTES, { state: 'live' });
  });
});
