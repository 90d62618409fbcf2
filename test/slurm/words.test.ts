// What of SLURM's word counts for a run, when it counts, and what is not worth a line.
import { describe, expect, test } from 'vitest';
import { GRACE_MS } from '../../src/slurm/word.ts';
import { ends, NOBODY, sacct, squeue, time, world } from './made.ts';

const DAY_MS = 86_400_000;

function types(events: readonly { type: string }[]): string[] {
  return events.map(({ type }) => type);
}

describe('an end of which sacct knows more than squeue', () => {
  test('counts, though it was earlier by the batch step', () => {
    const made = world({ at: '22:00', says: true });
    made.refresh(squeue({ state: 'COMPLETED', endtime: time('22:30') }), 'failed');
    expect(ends(made)).toEqual([['completed', null]]);
    const late = sacct(
      'COMPLETED 22:00 22:30',
      '.batch COMPLETED 22:00 22:29',
      '.0 OUT_OF_MEMORY 22:00 22:20 0:125',
    );
    made.refresh(NOBODY, late);
    expect(ends(made)).toEqual([['failed', 'OUT_OF_MEMORY']]);
    expect(made.refresh(NOBODY, late)).toEqual([]);
  });
});

describe('SPECIAL_EXIT in the queue', () => {
  test('is a start that waits to be released, and no end', () => {
    const made = world({ at: '22:00', says: false });
    const held = squeue({ state: 'SPECIAL_EXIT', restartcnt: '1', submittime: time('22:30'), nodelist: '' });
    made.refresh(held, sacct('REQUEUED 22:00 22:30'));
    expect(made.folded.run).toMatchObject({ status: 'pending', status_reason: 'SPECIAL_EXIT' });
    expect(made.refresh(held, sacct('REQUEUED 22:00 22:30'))).toEqual([]);
    made.refresh(
      squeue({
        state: 'PENDING',
        restartcnt: '1',
        reason: 'Resources',
        submittime: time('22:30'),
        nodelist: '',
      }),
      sacct('REQUEUED 22:00 22:30'),
    );
    expect(made.folded.run).toMatchObject({ status: 'pending', status_reason: 'Resources' });
  });
});

describe('a run that ended before its job', () => {
  test.each([
    ['by minutes is explained by how the job ended', '22:25', ['timeout', 'TIMEOUT']],
    ['by more than that is not', '22:10', ['failed', null]],
  ])('%s', (_, failed, end) => {
    const made = world({ at: '22:00', says: true });
    made.add('a0', { type: 'status_changed', ts: `${time(failed)}.000Z`, status: 'failed', source: 'job' });
    made.refresh(NOBODY, sacct('TIMEOUT 22:00 22:30'));
    expect(ends(made)).toEqual([end]);
    expect(made.folded.slurmJobs).toMatchObject([{ state: 'TIMEOUT' }]);
    expect(made.refresh(NOBODY, sacct('TIMEOUT 22:00 22:30'))).toEqual([]);
  });
});

describe('a job of several runs', () => {
  test('that completed says nothing of one that said no end', () => {
    const made = world({ at: '22:00', says: true });
    made.shared = new Set(['7']);
    expect(types(made.refresh(NOBODY, sacct('COMPLETED 22:00 22:30')))).toEqual(['slurm_info']);
    expect(ends(made)).toEqual([['running', null]]);
  });

  test('that failed takes those with it', () => {
    const made = world({ at: '22:00', says: true });
    made.shared = new Set(['7']);
    made.refresh(NOBODY, sacct('NODE_FAIL 22:00 22:30'));
    expect(ends(made)).toEqual([['failed', 'NODE_FAIL']]);
  });
});

describe('what would change nothing is not said', () => {
  test('by a clock that is behind that of an earlier word', () => {
    const made = world({ at: '22:00', says: true });
    const ts = '2026-11-24T12:00:00.000Z';
    made.add('a0', { type: 'slurm_info', ts, job_id: '7', node_list: 'node9', source: 'squeue' });
    const [info] = made.refresh(squeue({ state: 'RUNNING' }), 'failed');
    expect(info).toMatchObject({ ts: '2026-11-24T12:00:00.001Z', node_list: 'node1' });
    expect(made.folded.slurmJobs).toMatchObject([{ node_list: 'node1' }]);
    expect(made.refresh(squeue({ state: 'RUNNING' }), 'failed')).toEqual([]);
  });

  test('a state after an end, and what sacct said otherwise', () => {
    const made = world({ at: '22:00', says: true });
    made.refresh(squeue({ state: 'FAILED', endtime: time('22:30') }), 'failed');
    expect(made.refresh(squeue({ state: 'COMPLETING' }), 'failed')).toEqual([]);
    const other = world({ at: '22:00', says: true });
    other.refresh('missing', sacct('RUNNING 22:00 -'));
    expect(other.refresh(squeue({ state: 'RUNNING', nodelist: 'node2' }), 'failed')).toEqual([]);
  });
});

describe('where squeue fails', () => {
  test('sacct says that a job runs, and nothing that would hide why one waits', () => {
    const made = world();
    made.submit('a0', { job_id: '7' });
    expect(made.refresh('failed', sacct('WAITING 22:00 -'))).toEqual([]);
    made.refresh(squeue({ state: 'PENDING', reason: 'DependencyNeverSatisfied', nodelist: '' }), 'failed');
    expect(made.folded.run.status_reason).toBe('DependencyNeverSatisfied');
    const [info] = made.refresh('failed', sacct('RUNNING 22:00 -'));
    expect(info).toMatchObject({ state: 'RUNNING', started_at: '2026-11-23T22:00:00.000Z' });
    expect(info).not.toHaveProperty('node_list');
    expect(made.folded.run.status).toBe('running');
  });
});

describe('a job that is not known', () => {
  test('where sacct fails is unknown after a day', () => {
    const made = world({ at: '22:00', says: true });
    made.now = Date.parse('2026-11-23T22:00:00.000Z') + DAY_MS - 1;
    expect(made.refresh(NOBODY, 'failed')).toEqual([]);
    made.now += 1;
    expect(made.refresh(NOBODY, 'failed')).toMatchObject([{ reason: 'unknown' }]);
  });

  test('is said to be so again after a sign of life', () => {
    const made = world({ at: '22:00', says: true });
    expect(made.refresh(NOBODY, NOBODY)).toHaveLength(1);
    made.now += GRACE_MS;
    expect(made.refresh(NOBODY, NOBODY)).toEqual([]);
    made.add('a0', { type: 'metric', ts: new Date(made.now).toISOString(), step: 1, loss: 1 });
    expect(made.refresh(NOBODY, NOBODY)).toEqual([]);
    made.now += GRACE_MS;
    expect(made.refresh(NOBODY, NOBODY)).toMatchObject([{ reason: 'unknown' }]);
    made.refresh(squeue({ state: 'RUNNING' }), NOBODY);
    expect(made.folded.slurmJobs).toMatchObject([{ reason: 'None' }]);
  });

  test('is not one whose End sacct lacks: its step has one, or it is left', () => {
    const made = world({ at: '22:00', says: true });
    expect(made.refresh(NOBODY, sacct('CANCELLED 22:00 -'))).toEqual([]);
    made.refresh(NOBODY, sacct('CANCELLED 22:00 -', '.batch CANCELLED 22:00 22:20'));
    expect(made.folded.run).toMatchObject({ status: 'failed', finished_at: '2026-11-23T22:20:00.000Z' });
  });
});
