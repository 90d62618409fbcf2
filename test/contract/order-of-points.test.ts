// Points are ordered by (attempt, writer, seq) and by nothing else: not by time, nor by where they stand.
import { describe, expect, test } from 'vitest';
import { given } from '../helpers/given.ts';
import {
  A, B, C,
  created, metric, notes, writerFile, writerFileWith,
  type Fields, type GivenFile,
} from '../helpers/lines.ts'; // prettier-ignore

const RESUMED = { resume: true };

describe('the order of points', () => {
  test('attempts come in the order of their creation, not of their writers', async () => {
    const first = writerFile(C, created(0), metric(1, { loss: 3, epoch: 1 }));
    const second = writerFile(A, created(10, RESUMED), metric(1, { loss: 2, epoch: 2 }));
    const third = writerFile(B, created(20, RESUMED), metric(1, { loss: 2, epoch: 3 }));
    (await given(first, second, third)).expectResults({ final_loss: 2, best_loss: 2, best_loss_epoch: 2 });
    (await given(first, second)).expectResults({ final_loss: 2 });
    const last = writerFile(B, created(5, RESUMED), metric(1, { loss: 4, epoch: 3 }));
    // the third was created between the two
    (await given(first, second, last)).expectResults({ final_loss: 2 });
  });

  test('within one file seq decides, where it is not the order of the lines', async () => {
    const lines = [
      created(0),
      metric(1, { seq: 9, loss: 1, epoch: 9, extra: { m: 9 } }),
      metric(2, { seq: 5, loss: 1, epoch: 5, extra: { m: 5 } }),
      metric(3, { seq: 7, loss: 7, epoch: 7, extra: { m: 7 } }),
    ];
    (await given(writerFile(A, ...lines))).expectResults({
      best_loss: 1,
      best_loss_epoch: 5,
      final_loss: 1,
      extra: { m: { min: 5, max: 9, final: 9 } },
    });
  });

  test('points of no attempt come last, by writer and seq, whatever attempts they name', async () => {
    const point = (attempt: string, loss: number): Fields =>
      metric(1, { attempt, loss, epoch: loss, f1: 1, extra: { m: loss } });
    const lost = notes(point('y', 4), point('x', 3), point('y', 2), point('y', 5), point('x', 6));
    const run = writerFile(A, created(0), metric(1, { loss: 9 }));
    // the file’s points stand in the order of their bytes; 4 is its first, 6 its last
    (await given(run, lost)).expectResults({
      final_loss: 6,
      best_loss: 2,
      best_f1: 1,
      best_f1_epoch: 4,
      extra: { m: { min: 2, max: 6, final: 6 } },
      points: 6,
    });
  });

  test('seconds are added up in the order of attempts: sums of doubles depend on it', async () => {
    const attempt = (writer: string, minute: number, seconds: number): GivenFile =>
      writerFile(writer, created(minute, RESUMED), metric(1, { elapsed_seconds: seconds }));
    expect(0.1 + 0.2 + 0.3).not.toBe(0.3 + 0.2 + 0.1);
    (await given(attempt(A, 20, 0.3), attempt(B, 10, 0.2), attempt(C, 0, 0.1))).expectResults({
      total_elapsed_seconds: 0.1 + 0.2 + 0.3,
    });
    (await given(attempt(A, 20, 0.1), attempt(B, 10, 0.2), attempt(C, 0, 0.3))).expectResults({
      total_elapsed_seconds: 0.3 + 0.2 + 0.1,
    });
    // the greatest of an attempt may be below 0, as of a clock that was set back
    (await given(attempt(A, 0, -5))).expectResults({ total_elapsed_seconds: -5 });
  });

  test('extra metrics are those of all attempts in the view, sorted by name', async () => {
    const first = writerFile(A, created(0), metric(1, { extra: { z: 5, b: 1 } }));
    const fork = writerFileWith(C, { attempt: A }, metric(1, { extra: { b: 9 } }));
    const second = writerFile(B, created(9, RESUMED), metric(1, { extra: { b: 4, a: 0 } }));
    const [row] = (await given(first, fork, second)).rows('run_results');
    expect(row?.['extra']).toBe(
      '{"a":{"min":0,"max":0,"final":0},"b":{"min":1,"max":9,"final":4},"z":{"min":5,"max":5,"final":5}}',
    );
  });
});

describe('what supersedes', () => {
  test('the lowest epoch of an attempt is over all its writers', async () => {
    const first = writerFile(
      A,
      created(0),
      ...[1, 2, 3, 4].map((epoch) => metric(epoch, { epoch, loss: epoch })),
    );
    const second = writerFile(B, created(9, RESUMED), metric(1, { epoch: 4, loss: 9 }));
    const fork = writerFileWith(C, { attempt: B }, metric(1, { epoch: 3, loss: 8 }), metric(1, { loss: 7 }));
    (await given(first, second)).expectResults({ points: 4 });
    (await given(first, second, fork)).expectResults({ points: 5, final_loss: 7, best_loss: 1 });
    // a file of the attempt that has no epoch, or a higher one, does not take it back
    const none = writerFileWith(C, { attempt: B }, metric(1, { step: 1, loss: 8 }));
    (await given(first, second, none)).expectResults({ points: 5 });
    const higher = writerFileWith(C, { attempt: B }, metric(1, { epoch: 6, loss: 8 }));
    (await given(first, second, higher)).expectResults({ points: 5 });
  });

  test('the lowest epoch of all later attempts counts, not that of the next one', async () => {
    const [first, second, third] = [A, B, C].map((writer, index) =>
      writerFile(
        writer,
        created(index * 10, index === 0 ? {} : RESUMED),
        ...[[1, 2, 3], [4], [2]][index]!.map((epoch) => metric(epoch, { epoch, loss: 10 * index + epoch })),
      ),
    );
    (await given(first!, second!, third!)).expectResults({ points: 2, final_loss: 22, last_epoch: 2 });
    // the later one starts higher: the one between still cuts
    const other = writerFile(C, created(20, RESUMED), metric(1, { epoch: 9, loss: 29 }));
    const between = writerFile(B, created(10, RESUMED), metric(1, { epoch: 2, loss: 12 }));
    (await given(first!, between, other)).expectResults({ points: 3, last_epoch: 9, best_loss: 1 });
  });

  test('attempts out of the view stay out, however many there are', async () => {
    const over = [A, B, C].map((writer, index) =>
      writerFile(writer, created(index), metric(1, { loss: index })),
    );
    (await given(...over)).expectResults({ points: 1, best_loss: 2 });
  });

  test('what is left keeps its extra metrics', async () => {
    const first = writerFile(A, created(0), ...[1, 2].map((step) => metric(1, { step, extra: { m: step } })));
    const second = writerFile(B, created(9, RESUMED), metric(1, { step: 2 }));
    (await given(first, second)).expectResults({ points: 2, extra: { m: { min: 1, max: 1, final: 1 } } });
  });
});
