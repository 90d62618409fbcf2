// Rows that are not of the job that is asked about, or of another start of it than they seem.
import { describe, expect, test } from 'vitest';
import { parseSacct } from '../../src/slurm/sacct.ts';
import { parseSqueue } from '../../src/slurm/squeue.ts';
import { RunWorld, squeueHeader, squeueLine } from './recorded.ts';

const NOBODY = { rows: [] };
const HEAD = 'JobID|JobIDRaw|Partition|State|ExitCode|Submit|Start|End|NodeList';

/** Each `state start end`, submitted when it began; times are of one day, `22:10`. */
function sacct(...rows: string[]): { rows: ReturnType<typeof parseSacct>['rows'] } {
  const lines = rows.map((row) => {
    const [state = '', start = '', end = '', code = '0:0'] = row.split(' ');
    const partition = state === 'PENDING' ? '' : 'main';
    return `7|7|${partition}|${state}|${code}|${time(start)}|${time(start)}|${time(end)}|node1`;
  });
  return { rows: parseSacct([HEAD, ...lines].join('\n')).rows };
}

function time(text: string): string {
  return text === '-' ? 'Unknown' : `2026-11-23T${text}:00`;
}

function squeue(fields: Readonly<Record<string, string>>): { rows: ReturnType<typeof parseSqueue>['rows'] } {
  const line = squeueLine({ jobid: '7', jobarrayid: '7', restartcnt: '0', nodelist: 'node1', ...fields });
  return { rows: parseSqueue(`${squeueHeader()}\n${line}`).rows };
}

/** A job of one or more starts, each by the time of day when it began, if its environment has it. */
function world(...starts: { at: string; says: boolean }[]): RunWorld {
  const made = new RunWorld();
  for (const [restart, { at, says }] of starts.entries()) {
    const iso = `${time(at)}.000Z`;
    const job = { job_id: '7', restart_count: restart, ...(says && { started_at: iso }) };
    made.start(`a${restart}`, job, iso);
  }
  return made;
}

function ends(made: RunWorld): unknown[] {
  return made.folded.attempts.map(({ status, reason }) => [status, reason]);
}

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
