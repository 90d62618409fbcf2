// How events become rows: what is kept, in what order "first" and "last" are meant, what a batch costs.
import { describe, expect, test, vi } from 'vitest';
import { IN_MEMORY, openForWriting } from '../../src/db/open.ts';
import { Projector } from '../../src/projector/projector.ts';
import { RunStore } from '../../src/projector/run-store.ts';
import { given } from '../helpers/given.ts';
import {
  A, B, C, DAY, RUN,
  annotated, at, created, errorEvent, file, metric, numbered, result, sample, slurm, status, writerFile, writerFileWith,
  type Fields,
} from '../helpers/lines.ts'; // prettier-ignore
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';

const RUN_2 = '574aw6szr0ac8rkg';

describe('folding', () => {
  test('a metric is one row; every event of the small tables is kept in _events', async () => {
    const events = [
      created(0), metric(1), status(2, 'running'), result(3, {}), errorEvent(4), slurm(5, 'env'), annotated(6, {}), sample(7),
    ]; // prettier-ignore
    const outcome = await given(writerFile(A, ...events));
    outcome.expectRows('run_metrics', [{ seq: 3 }]);
    const kept = outcome.rows('_events').map(({ seq, type }) => [seq, type]);
    expect(kept).toEqual([
      [2, 'run_created'], [4, 'status_changed'], [5, 'result'], [7, 'slurm_info'], [8, 'run_annotated'],
    ]); // prettier-ignore
    // an error and a sample are a row each of their own, as a metric is
    outcome.expectRows('run_errors', [{ seq: 6 }]).expectRows('_samples', [{ seq: 9 }]);
  });

  test('a batch costs in proportion to its own events: the points of before are not read again', async () => {
    const scans = vi.spyOn(RunStore.prototype, 'points');
    const ledger = new GrowingLedger(writerFile(A, created(0), ...points(1, 300)));
    await ledger.pass();
    for (let more = 0; more < 5; more += 1) {
      ledger.append(A, ...points(301 + more * 10, 10));
      ledger.append(A, status(more, 'running'), errorEvent(more), result(more, {}));
      await ledger.pass();
    }
    expect(scans).not.toHaveBeenCalled();
    expect(ledger.db.prepare('SELECT points, last_epoch FROM run_results').get()).toEqual({
      points: 350,
      last_epoch: 350,
    });
    scans.mockRestore();
  });

  test('save that a change of a run’s view recomputes its run_results, once a batch, by one scan of its range', async () => {
    const scans = vi.spyOn(RunStore.prototype, 'points');
    const ledger = new GrowingLedger(writerFile(A, created(0), ...points(1, 100)));
    await ledger.pass();
    // the second attempt goes on from epoch 41; its points lower the cut again and again within one batch
    ledger.add(writerFile(B, created(1, { resume: true }), ...points(41, 10).toReversed()));
    await ledger.pass();
    expect(scans).toHaveBeenCalledTimes(1);
    expect(ledger.db.prepare('SELECT points, last_epoch FROM run_results').get()).toEqual({
      points: 50,
      last_epoch: 50,
    });
    // and no more when it only goes on
    ledger.append(B, ...points(51, 10));
    await ledger.pass();
    expect(scans).toHaveBeenCalledTimes(1);
    expect(ledger.db.prepare('SELECT points FROM run_results').pluck().get()).toBe(60);
    scans.mockRestore();
  });
});

describe('first and last', () => {
  test('of events by (attempt, ts, writer, seq): a later attempt’s event is later, whatever its ts', async () => {
    const first = writerFile(A, created(0), result(50, { x: 'first attempt' }));
    const second = writerFile(B, created(10, { resume: true }), result(5, { x: 'second attempt' }));
    (await given(first, second)).expectResults({ results: { x: 'second attempt' } });
  });

  test('then by ts, not by seq', async () => {
    const words = [result(9, { x: 'later', a: 1 }), result(1, { x: 'earlier', b: 1 })];
    (await given(writerFile(A, created(0), ...words))).expectResults({
      results: '{"x":"later","b":1,"a":1}',
    });
  });

  test('then by writer', async () => {
    // three writers in one attempt at one time
    const by = (writer: string): ReturnType<typeof writerFile> =>
      writerFileWith(writer, { attempt: 'one' }, created(0, { notes: writer }), result(1, { x: writer }));
    (await given(by(B), by(C), by(A)))
      .expectRun({ notes: C, attempt_count: 1 })
      .expectResults({ results: { x: C } });
  });

  test('then by seq', async () => {
    const same = [
      result(1, { x: 2 }, { seq: 3 }),
      result(1, { x: 3 }, { seq: 4 }),
      result(1, { x: 1 }, { seq: 2 }),
    ];
    (await given(writerFile(A, ...same, created(0, { seq: 5 })))).expectResults({ results: { x: 3 } });
  });

  test('of points by (attempt, writer, seq), not by ts', async () => {
    const first = writerFile(A, created(0), metric(9, { loss: 1 }), metric(1, { loss: 2 }));
    (await given(first)).expectResults({ final_loss: 2 });
    // a fork of the same attempt comes after its parent, whenever it ran
    const fork = writerFileWith(B, { attempt: A }, metric(0, { loss: 3 }));
    (await given(first, fork)).expectResults({ final_loss: 3 });
  });

  test('strings by their UTF-8 bytes', async () => {
    // U+FF01 is before U+1F600 in UTF-8 and after it in UTF-16
    const [first, last] = ['\uff01', '😀'];
    const by = (writer: string): Fields[] => [
      created(0, { attempt: 'one', notes: writer }),
      metric(1, { attempt: 'one', loss: writer === last ? 1 : 2 }),
    ];
    (
      await given(
        file(`events/x/${first}.ndjson`, ...by(first)),
        file(`events/x/${last}.ndjson`, ...by(last)),
      )
    )
      .expectRun({ notes: last })
      .expectResults({ final_loss: 1 });
    // and the ids of attempts that were created at one time
    const attempts = [first, last].map((attempt) => created(0, { attempt, notes: attempt }));
    (await given(writerFile(A, ...attempts.toReversed()))).expectRun({ notes: last, attempt_count: 2 });
  });

  test('never by arrival: runs of two files that come in either order are equal', async () => {
    // `given` reads them in both orders; here they contradict each other in everything
    const one = writerFile(
      A,
      created(3, { tags: ['a'] }),
      status(4, 'completed'),
      metric(5, { step: 1, loss: 1 }),
      annotated(6, { notes: 'a' }),
    );
    const other = writerFile(
      B,
      created(3, { tags: ['b'], resume: true }),
      status(4, 'failed'),
      metric(5, { step: 1, loss: 2 }),
      annotated(6, { notes: 'b' }),
    );
    (await given(one, other))
      .expectRun({ status: 'failed', tags: ['b'], notes: 'b', attempt_count: 2 })
      .expectResults({ points: 1, best_loss: 2 });
  });

  test('runs are apart: what one says is not another’s', async () => {
    const other = {
      run_id: RUN_2,
      experiment_number: -3,
      dataset: 'd',
      method: 'm',
      subject: 's',
      cl_info: '{"a":1}',
      seed: 0,
    };
    const lines = [
      created(0),
      created(0, other),
      status(1, 'failed', { run_id: RUN_2 }),
      metric(2, { loss: 1 }),
    ];
    (await given(writerFile(A, ...lines)))
      .expectRows('experiment_runs', [{ run_id: RUN_2, status: 'failed' }, { run_id: RUN, status: 'pending' }])
      .expectRows('run_results', [{ run_id: RUN }]); // prettier-ignore
  });
});

function points(from: number, count: number): Fields[] {
  return Array.from({ length: count }, (_, index) =>
    metric(index, { epoch: from + index, loss: 1 / (from + index) }),
  );
}

/** A ledger that grows, and one projector that follows it. */
class GrowingLedger {
  readonly db = openForWriting(IN_MEMORY);
  readonly #storage = new MemoryStorage();
  readonly #nowMs = Date.parse(at(600));
  readonly #projector = new Projector(this.db, LEDGER, this.#storage, { now: () => this.#nowMs });
  readonly #next = new Map<string, number>();

  constructor(...files: ReturnType<typeof writerFile>[]) {
    this.add(...files);
  }

  add(...files: ReturnType<typeof writerFile>[]): void {
    for (const { path, bytes } of files) {
      this.#storage.append(path, bytes, this.#nowMs);
      this.#next.set(path, bytes.toString().split('\n').length);
    }
  }

  append(writer: string, ...lines: Fields[]): void {
    const path = `events/${DAY}/${writer}-h-1.ndjson`;
    const next = this.#next.get(path) ?? 1;
    this.#next.set(path, next + lines.length);
    this.#storage.append(path, file(path, ...numbered(lines, next)).bytes, this.#nowMs);
  }

  async pass(): Promise<void> {
    const { rejected } = await this.#projector.pass();
    expect(rejected).toBe(0);
  }
}
