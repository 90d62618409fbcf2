// fold(events) -> rows is a pure function of the set of a run's events.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FoldEvent } from '../../src/projector/attempts.ts';
import { fold } from '../../src/projector/fold.ts';
import { annotated, created, result, slurm, status, type Fields } from '../helpers/lines.ts';

/** Ids whose orders by UTF-16 and by UTF-8 differ; few of everything, so that much is equal. */
const id = fc.constantFrom('a', '\uff01', '😀');
const minute = fc.nat({ max: 2 });
const word = fc.constantFrom('pending', 'running', 'completed', 'failed', 'timeout');
const source = fc.constantFrom('job', 'wrapper', 'slurm');

/** Each says who said it, so that it shows in the rows who was the last. */
type Say = (fields: { attempt: string; writer: string; at: number; seq: number }) => Fields;
const says: fc.Arbitrary<Say> = fc.oneof(
  fc.boolean().map(
    (resume): Say =>
      ({ attempt, writer, at, seq }) =>
        created(at, { attempt, resume, notes: `${writer} ${seq}`, config: { [writer]: seq, last: writer } }),
  ),
  fc.tuple(word, source, fc.option(fc.nat({ max: 3 }))).map(
    ([said, by, exit_code]): Say =>
      ({ attempt, writer, at, seq }) =>
        status(at, said, { attempt, source: by, exit_code, reason: `${writer} ${seq}` }),
  ),
  fc
    .tuple(
      fc.constantFrom('env', 'squeue', 'sacct'),
      fc.constantFrom('PENDING', 'FAILED', null),
      fc.nat({ max: 1 }),
    )
    .map(
      ([by, state, restart_count]): Say =>
        ({ attempt, writer, at, seq }) =>
          slurm(at, by, { attempt, state, restart_count, node_list: `${writer} ${seq}`, exit_code: seq }),
    ),
  fc.constant<Say>(({ attempt, writer, at, seq }) =>
    result(at, { [writer]: seq, last: writer }, { attempt }),
  ),
  fc.constant<Say>(({ attempt, writer, at, seq }) => annotated(at, { attempt, tags: [writer, String(seq)] })),
);

const event = fc
  .record({ attempt: id, writer: id, at: minute, seq: fc.nat({ max: 4 }), say: says })
  .map(({ say, ...place }): FoldEvent => {
    const { attempt, writer, seq } = place;
    return {
      writer,
      seq,
      attempt,
      event: say(place) as unknown as FoldEvent['event'],
      host: writer,
      user: attempt,
    };
  });

/** No two lines of a writer have one seq. */
const events = fc.uniqueArray(event, { maxLength: 15, selector: ({ writer, seq }) => `${writer} ${seq}` });

test('the order in which the events are given changes nothing', () => {
  const shuffled = events.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, ([one, other]) => {
      expect(fold(other)).toEqual(fold(one));
    }),
    { numRuns: 3000 },
  );
});

test('and the events themselves are left as they are', () => {
  fc.assert(
    fc.property(events, (all) => {
      const before = structuredClone(all);
      fold(all);
      expect(all).toEqual(before);
    }),
  );
});

test('a run without a run_created has no rows, with one it has', () => {
  fc.assert(
    fc.property(events, (all) => {
      const isCreated = all.some((item) => item.event.type === 'run_created');
      expect(fold(all) === undefined).toBe(!isCreated);
    }),
  );
});
