// Which points of a run are its curve, and what the curve comes to.
import { describe, expect, test } from 'vitest';
import { given } from '../helpers/given.ts';
import {
  A,
  B,
  C,
  created,
  metric,
  notes,
  result,
  writerFile,
  writerFileWith,
  type Fields,
} from '../helpers/lines.ts';

const RESUMED = { resume: true };

/** Points with these losses, at steps or epochs 1, 2, 3 … from `first` on. */
function curve(axis: 'step' | 'epoch', first: number, losses: readonly number[]): Fields[] {
  return losses.map((loss, index) => metric(index, { [axis]: first + index, loss }));
}

describe('the view', () => {
  test('is the last attempt with resume false and all later ones', async () => {
    const failed = writerFile(A, created(0), ...curve('step', 1, [9, 8, 7]));
    const over = writerFile(B, created(10), ...curve('step', 1, [6, 5]));
    const goesOn = writerFile(C, created(20, RESUMED), ...curve('step', 3, [4]));
    (await given(failed, over)).expectResults({ points: 2, final_loss: 5 });
    (await given(failed, over, goesOn)).expectResults({ points: 3, final_loss: 4, best_loss: 4 });
  });

  test('is all attempts if all say resume', async () => {
    const [first, second] = [A, B].map((writer, index) =>
      writerFile(writer, created(index, RESUMED), ...curve('step', 1 + index, [3 - index])),
    );
    (await given(first!, second!)).expectResults({ points: 2 });
  });

  test('has the points of attempts without a run_created too', async () => {
    const lost = writerFile(C, ...curve('step', 1, [1]));
    const over = writerFile(B, created(10), ...curve('step', 1, [5]));
    (await given(writerFile(A, created(0), ...curve('step', 1, [9])), over, lost)).expectResults({
      points: 2,
      best_loss: 1,
      final_loss: 1,
    });
  });
});

describe('superseded points', () => {
  test('if a later attempt’s lowest step is at or below a point’s step: a resumed run is one curve', async () => {
    const killed = writerFile(A, created(0), ...curve('step', 1, [10, 9, 8, 7, 0.5]));
    const resumed = writerFile(B, created(10, RESUMED), ...curve('step', 3, [8.5, 7.5]));
    // 10, 9 and then 8.5, 7.5: the 8 at step 3 is at the lowest step, the 0.5 at step 5 beyond it
    (await given(killed, resumed)).expectResults({ points: 4, best_loss: 7.5, final_loss: 7.5 }).expectRows(
      'run_metrics',
      [10, 9, 8, 7, 0.5, 8.5, 7.5].map((loss) => ({ loss })),
    );
  });

  test('the lowest step, wherever it stands: written last, or in any of its files', async () => {
    const killed = writerFile(A, created(0), ...curve('step', 1, [5, 4, 3, 2]));
    const resumed = writerFile(
      B,
      created(10, RESUMED),
      ...curve('step', 4, [1.5]),
      metric(5, { step: 2, loss: 6 }),
    );
    (await given(killed, resumed)).expectResults({ points: 3, final_loss: 6 });
    const fork = writerFileWith(C, { attempt: B }, metric(6, { step: 2, loss: 6 }));
    (
      await given(killed, writerFile(B, created(10, RESUMED), ...curve('step', 4, [1.5])), fork)
    ).expectResults({ points: 3, final_loss: 6 });
  });

  test('by any later attempt, and by the points that it has itself lost again', async () => {
    const first = writerFile(A, created(0), ...curve('step', 1, [5, 4, 3]));
    const second = writerFile(B, created(10, RESUMED), ...curve('step', 2, [4.5, 3.5, 2.5]));
    const third = writerFile(C, created(20, RESUMED), ...curve('step', 2, [1]));
    // all of the second is superseded by the third, and all from step 2 on of the first by either
    (await given(first, second, third)).expectResults({ points: 2, best_loss: 1, final_loss: 1 });
    const far = writerFile(C, created(20, RESUMED), ...curve('step', 4, [1]));
    (await given(first, second, far)).expectResults({ points: 4, final_loss: 1 });
  });

  test('a point with only an epoch is compared with epochs, one with a step with steps only', async () => {
    const mixed = [
      metric(1, { step: 10, epoch: 1, loss: 9 }), metric(2, { step: 20, epoch: 2, loss: 8 }),
      metric(3, { epoch: 1, loss: 7 }), metric(4, { epoch: 2, loss: 6 }), metric(5, { loss: 5 }),
    ]; // prettier-ignore
    const first = writerFile(A, created(0), ...mixed);
    // its lowest epoch is 2: of the points without a step the second goes; no point has a step to be at or below
    (await given(first, writerFile(B, created(10, RESUMED), metric(11, { epoch: 2, f1: 1 })))).expectResults({
      points: 5,
      final_loss: 5,
    });
    // its lowest step is 20: of the points with a step the second goes
    (await given(first, writerFile(B, created(10, RESUMED), metric(11, { step: 20, f1: 1 })))).expectResults({
      points: 5,
      best_loss: 5,
    });
    // a point with both counts for both
    (
      await given(first, writerFile(B, created(10, RESUMED), metric(11, { step: 20, epoch: 2, f1: 1 })))
    ).expectResults({ points: 4 });
    // a point with neither supersedes nothing and is superseded by nothing
    (await given(first, writerFile(B, created(10, RESUMED), metric(11, { f1: 1 })))).expectResults({
      points: 6,
    });
    (
      await given(first, writerFile(B, created(10, RESUMED), metric(11, { step: -5, epoch: -5, f1: 1 })))
    ).expectResults({ points: 2, best_loss: 5 });
  });

  test('only by attempts in the view, and by later ones', async () => {
    // the first starts at step 1 but is not later than the second; what is out of the view supersedes nothing
    const old = writerFile(A, created(0), ...curve('step', 1, [1]));
    const over = writerFile(B, created(10), ...curve('step', 1, [5, 4]));
    (await given(old, over)).expectResults({ points: 2, best_loss: 4 });
  });

  test('points of attempts without a run_created neither supersede nor are superseded', async () => {
    const lost = notes(metric(1, { step: 1, loss: 3 }), metric(2, { step: 9, loss: 2 }));
    const first = writerFile(A, created(0), ...curve('step', 1, [6, 5]));
    const resumed = writerFile(B, created(10, RESUMED), ...curve('step', 2, [4]));
    (await given(lost, first, resumed)).expectResults({ points: 4, best_loss: 2 });
  });

  test('are in the view again when the run_created of what superseded them says that it started over', async () => {
    // nothing is decided by arrival: the first run_created of B is the one of minute 5, wherever it stands
    const first = writerFile(A, created(0), ...curve('step', 1, [6, 5]));
    const second = writerFile(B, created(10, RESUMED), ...curve('step', 2, [4]), created(5));
    (await given(first, second)).expectResults({ points: 1, best_loss: 4 });
  });
});

describe('results', () => {
  test('a row exists if the view has a point or a result', async () => {
    (await given(writerFile(A, created(0)))).expectRows('run_results', []);
    (await given(writerFile(A, created(0), metric(1)))).expectResults({ points: 1, results: null });
    (await given(writerFile(A, created(0), result(1, {})))).expectResults({
      points: 0,
      results: '{}',
      total_elapsed_seconds: null,
    });
    (
      await given(writerFile(A, created(0), metric(1), result(1, { a: 1 })), writerFile(B, created(5)))
    ).expectRows('run_results', []);
  });

  test('best loss is the lowest, the other three the highest', async () => {
    const values = [3, 1, 2].map((value, minute) =>
      metric(minute, {
        epoch: minute,
        loss: value,
        f1: value,
        fitness: -value,
        behavioral_comparison: value / 2,
      }),
    );
    (await given(writerFile(A, created(0), ...values))).expectResults({
      best_loss: 1, best_loss_epoch: 1, final_loss: 2, best_f1: 3, best_f1_epoch: 0, final_f1: 2,
      best_fitness: -1, best_fitness_epoch: 1, final_fitness: -2,
      best_behavioral_comparison: 1.5, best_behavioral_comparison_epoch: 0, final_behavioral_comparison: 1,
    }); // prettier-ignore
  });

  test('its epoch is that of its first occurrence', async () => {
    const first = writerFile(
      A,
      created(0),
      metric(1, { epoch: 1, loss: 2 }),
      metric(2, { epoch: 2, loss: 1 }),
    );
    const second = writerFile(
      B,
      created(9, RESUMED),
      metric(3, { epoch: 3, loss: 1 }),
      metric(4, { epoch: 4, loss: 1 }),
    );
    (await given(first, second)).expectResults({ best_loss: 1, best_loss_epoch: 2 });
    // null if that point has none, though a later one has
    (
      await given(writerFile(A, created(0), metric(1, { f1: 1 }), metric(2, { epoch: 2, f1: 1 })))
    ).expectResults({ best_f1: 1, best_f1_epoch: null });
  });

  test('final is the last value that is not NULL', async () => {
    const first = writerFile(A, created(0), metric(1, { loss: 3, f1: 0.5 }), metric(2, { loss: 'NaN' }));
    (
      await given(first, writerFile(B, created(5, RESUMED), metric(6, { f1: 0.25 }), metric(7)))
    ).expectResults({ final_loss: 3, final_f1: 0.25, final_fitness: null, best_fitness: null });
  });

  test('last_epoch and peak_gpu_memory_mb are the greatest', async () => {
    const memory = [300, 500, null, 400].map((mb, index) =>
      metric(index, { epoch: 4 - index, gpu_memory_mb: mb }),
    );
    (await given(writerFile(A, created(0), ...memory))).expectResults({
      last_epoch: 4,
      peak_gpu_memory_mb: 500,
    });
    (await given(writerFile(A, created(0), metric(1)))).expectResults({
      last_epoch: null,
      peak_gpu_memory_mb: null,
    });
  });

  test('total_elapsed_seconds is the sum over attempts of each one’s greatest', async () => {
    const elapsed = (...seconds: number[]): Fields[] =>
      seconds.map((value) => metric(1, { elapsed_seconds: value }));
    const first = writerFile(A, created(0), ...elapsed(5, 20, 10));
    const fork = writerFileWith(anotherWriter(1), { attempt: A }, ...elapsed(15));
    const second = writerFile(B, created(9, RESUMED), ...elapsed(7));
    const lost = writerFile(C, ...elapsed(100));
    (await given(first, fork, second, lost)).expectResults({
      total_elapsed_seconds: 20 + 7 + 100,
      points: 6,
    });
  });

  test('results merge shallowly, later keys win', async () => {
    const first = writerFile(A, created(0), result(3, { a: { x: 1 }, b: 1, c: null }));
    const second = writerFile(B, created(9, RESUMED), result(1, { a: { y: 2 }, d: null, b: null }));
    (await given(first, second)).expectResults({ results: '{"a":{"y":2},"b":null,"c":null,"d":null}' });
    // those of attempts out of the view are not among them, those of none are, and come last
    const over = writerFile(C, created(20), result(21, { a: 0 }));
    (await given(first, second, over, notes(result(0, { a: 'by hand' })))).expectResults({
      results: { a: 'by hand' },
    });
  });

  test('values that are not finite count in points only', async () => {
    const odd = { loss: '-Infinity', f1: 'Infinity', gpu_memory_mb: 'Infinity', extra: { acc: 'NaN' } };
    (await given(writerFile(A, created(0), metric(1, { epoch: 3, ...odd })))).expectResults({
      points: 1, best_loss: null, best_loss_epoch: null, final_loss: null, best_f1: null, peak_gpu_memory_mb: null,
      extra: null, last_epoch: 3,
    }); // prettier-ignore
  });

  test('extra: for each extra metric min, max and final', async () => {
    const values = [
      { acc: 1, z: 5 },
      { acc: 3, '10': 1 },
      { acc: 2, é: 0 },
      { z: null, acc: 'NaN' },
    ];
    const [row] = (
      await given(writerFile(A, created(0), ...values.map((extra, index) => metric(index, { extra }))))
    ).rows('run_results');
    // names by their bytes, whole numbers first as in any JavaScript object
    expect(row?.['extra']).toBe(
      '{"10":{"min":1,"max":1,"final":1},"acc":{"min":1,"max":3,"final":2},"z":{"min":5,"max":5,"final":5},"é":{"min":0,"max":0,"final":0}}',
    );
  });
});

/** One more writer of that day. */
function anotherWriter(index: number): string {
  return `${A.slice(0, -1)}${index}`;
}
