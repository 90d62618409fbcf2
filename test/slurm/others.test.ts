// Rows that are not of the job that is asked about, or of another start of it than they seem.
import { describe, expect, test } from 'vitest';
import { ends, NOBODY, sacct, squeue, world } from './made.ts';

const RUNNING = ['running', null];

describe('a row of another job of the same id', () => {
  test.each([
    ['that ended before this one said a word', false, 'COMPLETED 21:00 21:50'],
    ['that began at another time than this one', true, 'FAILED 21:00 22:20'],
  ])('%s says nothing', (_, says, row) => {
    const made = world({ at: '22:00', says });
    expect(made.refresh(NOBODY, sacct(row)).map(({ type }) => type)).not.toContain('status_changed');
    expect(ends(made)).toEqual([RUNNING]);
    expect(made.folded.slurmJobs).toMatchObject([{ ended_at: null }]);
  });

  test('that clocks five minutes apart make of the same job counts', () => {
    const made = world({ at: '22:00', says: true });
    made.refresh(NOBODY, sacct('FAILED 21:56 21:58'));
    expect(ends(made)).toEqual([['failed', null]]);
  });

  test('in squeue says nothing either', () => {
    const made = world({ at: '22:00', says: true });
    made.now = Date.parse('2026-11-23T22:05:00.000Z');
    expect(made.refresh(squeue({ state: 'RUNNING', starttime: '2026-11-23T20:00:00' }), 'failed')).toEqual(
      [],
    );
  });

  test('is cut off by a stub of this one', () => {
    const made = world({ at: '22:00', says: false });
    made.now = Date.parse('2026-11-23T22:05:00.000Z');
    expect(made.refresh('failed', sacct('FAILED 21:50 21:58', 'PENDING 22:00 -'))).toEqual([]);
  });
});

describe('starts that the accounting lacks', () => {
  test('by the time of its start a row is of the second, not of the first', () => {
    const made = world({ at: '21:00', says: true }, { at: '22:00', says: true });
    made.refresh(NOBODY, sacct('OUT_OF_MEMORY 22:00 22:30'));
    expect(ends(made)).toEqual([RUNNING, ['failed', 'OUT_OF_MEMORY']]);
  });

  test('of a first that runs for ever by its row the second is told apart', () => {
    const made = world({ at: '21:00', says: true }, { at: '22:00', says: true });
    made.refresh(NOBODY, sacct('RUNNING 21:00 -', 'FAILED 22:00 22:30 1:0'));
    expect(ends(made)).toEqual([RUNNING, ['failed', null]]);
  });

  test('without times the restarts of squeue count from the end', () => {
    const made = world({ at: '21:00', says: false }, { at: '22:00', says: false });
    const now = squeue({ state: 'OUT_OF_MEMORY', restartcnt: '1', endtime: '2026-11-23T22:30:00' });
    made.refresh(now, sacct('OUT_OF_MEMORY 22:00 22:30'));
    expect(ends(made)).toEqual([RUNNING, ['failed', 'OUT_OF_MEMORY']]);
  });

  test('where nothing decides nothing is written', () => {
    const made = world({ at: '21:00', says: false }, { at: '22:00', says: false });
    expect(made.refresh('failed', sacct('OUT_OF_MEMORY 22:00 22:30'))).toEqual([]);
  });
});

describe('a federation', () => {
  test('in which another cluster took the job does not end it', () => {
    const made = world({ at: '22:00', says: true });
    made.now = Date.parse('2026-11-23T22:05:00.000Z');
    expect(made.refresh(NOBODY, sacct('REVOKED 22:00 22:00'))).toEqual([]);
  });

  test('has siblings that are no starts', () => {
    const made = world({ at: '22:00', says: false });
    made.refresh(NOBODY, sacct('REVOKED 22:00 22:00', 'COMPLETED 22:00 22:30'));
    expect(ends(made)).toEqual([['completed', null]]);
    expect(made.folded.slurmJobs).toHaveLength(1);
  });
});
