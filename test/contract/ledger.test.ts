// Which files of a ledger count, and as what.
import { describe, expect, test } from 'vitest';
import { given } from '../helpers/given.ts';
import {
  A, B, DAY, KEY, NOTES, RUN, TOMORROW,
  created, errorEvent, file, header, metric, notes, numbered, status, text, writerFile, writerFileWith,
} from '../helpers/lines.ts'; // prettier-ignore

const PATH_A = `events/${DAY}/${A}-h-1.ndjson`;
const PATH_B = `events/${DAY}/${B}-h-1.ndjson`;

describe('writers', () => {
  test('a writer’s id is a ULID of 26 characters in canonical upper case', async () => {
    for (const writer of [A.toLowerCase(), A.slice(1), `${A}A`, A.replace('A', 'U'), `8${A.slice(1)}`]) {
      const path = `events/${DAY}/${writer}-h-1.ndjson`;
      const outcome = await given(file(path, header(writer), ...numbered([created(0)])));
      expect(outcome.rows('_rejected')[0], writer).toMatchObject({
        file: path,
        offset: 0,
        code: 'bad_field',
      });
    }
    (await given(writerFile(A, created(0)))).expectRejected().expectRun({ run_id: RUN });
  });

  test('an origin has only A-Z a-z 0-9 . _ - and at most 64 characters', async () => {
    const longest = 'slurm1_2r3.a-Z'.padEnd(64, 'x');
    (await given(writerFileWith(A, { origin: longest }, created(0))))
      .expectRejected()
      .expectRun({ run_id: RUN });
    for (const origin of [`${longest}x`, 'a b', 'é', 'a+b', '']) {
      const misnamed = file(
        `events/${DAY}/${A}-${origin}.ndjson`,
        header(A, { origin }),
        ...numbered([created(0)]),
      );
      (await given(misnamed)).expectRows('experiment_runs', []).expectRejected('bad_field', 'no_header');
    }
  });

  test('every array task and every requeue has its own file; a fork’s has its parent’s attempt in its header', async () => {
    const parent = writerFile(A, created(0), metric(1, { loss: 3 }));
    const fork = writerFileWith(B, { attempt: A }, metric(2, { loss: 2 }));
    (await given(parent, fork))
      .expectRun({ attempt_count: 1 })
      .expectResults({ points: 2, best_loss: 2, final_loss: 2 })
      .expectRows('run_metrics', [{ writer: A, seq: 3 }, { writer: B, seq: 2 }]); // prettier-ignore
  });
});

describe('headers', () => {
  test('the header is the first valid line', async () => {
    // a torn line and one of a type of a later release come before it
    const torn = '{"type":"writer_op\n';
    const unknown = '{"type":"from_the_future"}\n';
    const outcome = await given(file(PATH_A, torn, unknown, header(A), ...numbered([created(0)])));
    outcome
      .expectRejected('not_json')
      .expectRun({ run_id: RUN, host: 'node1', user_name: 'ada' })
      .expectFile(PATH_A, { kind: 'writer', writer: A, unknown: 1, state: 'live' });
  });

  test('a file must be named exactly after its header, else it is not read but reported as misplaced', async () => {
    const misnamed = [
      `events/${DAY}/${A}-other.ndjson`,
      `events/${DAY}/${A}.ndjson`,
      `events/${DAY}/${A}-h-1.bak.ndjson`,
      `events/${DAY}/copy of ${A}-h-1.ndjson`,
      `events/${DAY}/${B}-h-1.ndjson`,
      `events/${DAY}/run.ndjson`,
      `events/2026-11-24/${A}-h-1.ndjson`,
      `events/misc/${A}-h-1.ndjson`,
    ];
    for (const path of misnamed) {
      const outcome = await given(file(path, header(A), ...numbered([created(0)])));
      outcome.expectRows('experiment_runs', []).expectRejected();
      outcome.expectFile(path, { state: 'misplaced', reason: `belongs at ${PATH_A}`, events: 0 });
    }
  });

  test('in the folder of the id’s day, which is the UTC day of the ULID', async () => {
    // the last millisecond of the 23rd and the first of the 24th
    const before = `01M85DMAZZ${'0'.repeat(16)}`;
    const after = `01M85DMB00${'0'.repeat(16)}`;
    const right = [
      file(`events/2026-11-23/${before}-h-1.ndjson`, header(before)),
      file(`events/2026-11-24/${after}-h-1.ndjson`, header(after)),
    ];
    const wrong = [
      file(`events/2026-11-24/${before}-h-1.ndjson`, header(before)),
      file(`events/2026-11-23/${after}-h-1.ndjson`, header(after)),
    ];
    const outcome = await given(...right, ...wrong);
    for (const { path } of right) outcome.expectFile(path, { state: 'live', kind: 'writer' });
    for (const { path } of wrong) outcome.expectFile(path, { state: 'misplaced' });
  });

  test('reported as misplaced, with the rename that mends it', async () => {
    const path = `events/misc/it's ${A}.ndjson`;
    (await given(file(path, header(A)))).expectFinding({
      kind: 'misplaced',
      severity: 'problem',
      where: path,
      what: `nothing of it is read: belongs at ${PATH_A}`,
      advice: expect.stringMatching(/\bmv (-n )?'events\/misc\/it'\\''s .*\.ndjson' events\/2026/) as string,
    });
  });

  test('a copy or an editor’s backup never counts twice', async () => {
    const original = writerFile(A, created(0), metric(1), metric(2));
    const copies = [`${A}-h-1 (copy).ndjson`, `${A}-h-1.ndjson~.ndjson`, `a.ndjson`, `~${A}-h-1.ndjson`];
    const files = copies.map((name) => ({ path: `events/${DAY}/${name}`, bytes: original.bytes }));
    const elsewhere = { path: `events/2026-01-01/${A}-h-1.ndjson`, bytes: original.bytes };
    (await given(original, elsewhere, ...files))
      .expectResults({ points: 2, total_elapsed_seconds: 120 })
      .expectRows('run_metrics', [{ writer: A, seq: 3 }, { writer: A, seq: 4 }]); // prettier-ignore
  });

  test('a file named like a ULID is never hand-made: until a valid header nothing of it is applied', async () => {
    const before = [metric(1, { seq: 5 }), created(0, { seq: 6 }), 'no json\n'];
    for (const name of [`${A}-h-1`, `${A.toLowerCase()}-x`, A, `${A}AAAA`]) {
      const path = `events/${DAY}/${name}.ndjson`;
      const outcome = await given(file(path, ...before));
      outcome.expectRows('run_metrics', []).expectRejected('no_header', 'no_header', 'not_json');
      outcome.expectFile(path, { state: 'live', kind: null, events: 0 });
    }
    // then the header comes: what stood before it stays rejected, what follows counts
    (await given(file(PATH_A, ...before, header(A), metric(2, { seq: 5 }))))
      .expectRejected('no_header', 'no_header', 'not_json')
      .expectRows('run_metrics', [{ seq: 5, elapsed_seconds: 120 }]);
  });

  test('if two files name one writer, the smaller path is the writer and the other misplaced', async () => {
    const smaller = writerFileWith(A, { origin: 'a' }, created(0), metric(1, { loss: 1 }));
    const larger = writerFileWith(A, { origin: 'b' }, created(0), metric(1, { loss: 2 }), errorEvent(2));
    // both orders of appearance: one of the ways of `given` reads the larger one first
    const outcome = await given(larger, smaller);
    outcome.expectResults({ points: 1, best_loss: 1 }).expectRows('run_errors', []);
    outcome.expectFile(smaller.path, { state: 'live', maxSeq: 3 });
    outcome.expectFile(larger.path, { state: 'misplaced', reason: `${smaller.path} is this writer’s file` });
    outcome.expectFinding({ kind: 'misplaced', where: larger.path });
  });

  test('smaller is by the bytes of the path: capitals come before small letters', async () => {
    const smaller = writerFileWith(A, { origin: 'Z' }, created(0, { notes: 'Z' }));
    const larger = writerFileWith(A, { origin: 'a' }, created(0, { notes: 'a' }));
    (await given(smaller, larger)).expectRun({ notes: 'Z' });
  });

  test('a second header is reported and the file not read on; what came before stays', async () => {
    const joined = writerFile(A, created(0), metric(1), header(B), metric(2, { seq: 2 }), 'no json\n');
    (await given(joined))
      .expectRejected('second_header')
      .expectResults({ points: 1 })
      .expectFile(PATH_A, { state: 'frozen', reason: 'second_header' })
      .expectFinding({ kind: 'frozen', where: PATH_A }, { kind: 'rejected', where: PATH_A });
  });

  test('a header of another format is reported and the file not read on', async () => {
    const later = header(A, { format: 2, host: 7 });
    const first = file(PATH_A, later, ...numbered([created(0)]));
    const second = writerFile(B, created(1), later, metric(2));
    (await given(first, second))
      .expectRejected('other_format', 'other_format')
      .expectRun({ created_at: `${DAY}T10:01:00.000Z` })
      .expectRows('run_metrics', [])
      .expectFile(PATH_A, { state: 'frozen', reason: 'other_format', events: 0 })
      .expectFile(PATH_B, { state: 'frozen', reason: 'other_format', maxSeq: 2 });
  });
});

describe('hand-made files', () => {
  test('any other file is hand-made: the writer <folder>/<stem>, a line’s byte offset is its seq', async () => {
    const first = text(created(0, { seq: 99 }));
    const second = text(metric(1, { loss: 0.5 }));
    // é is two bytes, CR and LF count, and so do empty lines and lines that are rejected
    const third = text(errorEvent(2, { message: 'é' }));
    const outcome = await given(notes(`${first}\r\n\n${second}\n[]\n${third}\n${text(metric(3))}\n`));
    const metricAt = first.length + 3;
    const errorAt = metricAt + second.length + 1 + 3;
    const lastAt = errorAt + Buffer.byteLength(third) + 1;
    const writer = `${DAY}/notes`;
    outcome
      .expectRejected('not_an_object')
      .expectRows('run_metrics', [
        { writer, seq: metricAt },
        { writer, seq: lastAt },
      ]) // prettier-ignore
      .expectRows('run_errors', [{ writer, seq: errorAt, attempt: writer }])
      .expectRun({ run_id: RUN, attempt_count: 1, host: null, user_name: null })
      .expectFile(NOTES, { kind: 'hand_made', writer, attempt: writer });
  });

  test('the folder of a hand-made file need be no day', async () => {
    const outcome = await given(file('events/by hand/my.notes.ndjson', created(0), status(1, 'completed')));
    outcome.expectRun({ ...KEY, status: 'completed' });
    outcome.expectFile('events/by hand/my.notes.ndjson', { writer: 'by hand/my.notes' });
  });

  test('two hand-made files are two writers, in two folders of one day too', async () => {
    const line = created(0);
    (await given(file('events/x/notes.ndjson', line), file('events/y/notes.ndjson', line))).expectRun({
      attempt_count: 2,
    });
  });

  test('a header of another writer in a hand-made file stops it there', async () => {
    (await given(notes(created(0), header(TOMORROW), metric(1))))
      .expectRejected('second_header')
      .expectRun({ run_id: RUN })
      .expectRows('run_metrics', []);
  });
});
