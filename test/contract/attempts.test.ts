// Which executions of a run there were, and which of them speaks for it.
import { describe, expect, test } from 'vitest';
import { given } from '../helpers/given.ts';
import {
  A, B, C, KEY,
  annotated, at, created, errorEvent, metric, notes, result, slurm, status, writerFile, writerFileWith,
} from '../helpers/lines.ts'; // prettier-ignore

describe('attempts', () => {
  test('sort by the ts of their first run_created', async () => {
    // writer A is the smaller id, but ran later
    const later = writerFile(A, created(20, { notes: 'later' }), created(30));
    const earlier = writerFile(B, created(25, { notes: 'no' }), created(10, { notes: 'earlier' }));
    (await given(later, earlier))
      .expectRun({ notes: 'later', attempt_count: 2, created_at: at(10) })
      .expectRows('_attempts', [{ attempt: B, created_at: at(10) }, { attempt: A, created_at: at(20) }]); // prettier-ignore
  });

  test('then by id', async () => {
    (
      await given(writerFile(B, created(0, { notes: 'b' })), writerFile(A, created(0, { notes: 'a' })))
    ).expectRun({ notes: 'b', attempt_count: 2 });
  });

  test('only those with a run_created count for attempt_count and the last attempt', async () => {
    const later = writerFile(B, metric(5), errorEvent(6), result(7, {}));
    (await given(writerFile(A, created(0)), later)).expectRun({ attempt_count: 1, created_at: at(0) });
  });

  test('only those with a run_created count for the status and the run’s columns', async () => {
    const lost = writerFile(B, status(5, 'failed'), slurm(6, 'env', { job_id: '9' }));
    (await given(writerFile(A, created(0), status(1, 'running')), lost)).expectRun({
      status: 'running',
      slurm_job_id: null,
      started_at: at(1),
    });
  });

  test('of several run_created in one attempt the first gives resume and its time', async () => {
    const attempt = [
      created(5, { resume: false }),
      created(2, { resume: true }),
      created(7, { resume: false }),
    ];
    const outcome = await given(writerFile(B, created(0), metric(1)), writerFile(A, ...attempt));
    // resumed, so the points of the attempt before it are in the view
    outcome.expectRun({ attempt_count: 2, created_at: at(0) }).expectResults({ points: 1 });
    outcome.expectRows('_attempts', [{ attempt: B }, { attempt: A, resume: 1, created_at: at(2) }]);
    // a later one that says so does not make it resumed
    const over = [created(2), created(5, { resume: true })];
    (await given(writerFile(B, created(0), metric(1)), writerFile(A, ...over)))
      .expectRows('run_results', [])
      .expectRows('_attempts', [{ attempt: B }, { attempt: A, resume: 0, created_at: at(2) }]);
  });

  test('config merges shallowly, later keys win', async () => {
    const configs = [{ lr: 1, net: { depth: 2 }, old: null }, null, { lr: 2, net: { width: 3 } }];
    (await given(writerFile(A, ...configs.map((config, minute) => created(minute, { config }))))).expectRun({
      config: '{"lr":2,"net":{"width":3},"old":null}',
    });
  });

  test('of the rest the last that is not null wins', async () => {
    const first = {
      tags: ['a'],
      notes: 'n',
      code: { git_commit: 'c1', git_dirty: true, cwd: '/1', command: 'x' },
    };
    const second = { tags: [], notes: null, code: { git_commit: 'c2', git_dirty: false, cwd: null } };
    (await given(writerFile(A, created(0, first), created(1, second), created(2)))).expectRun({
      tags: [],
      notes: 'n',
      git_commit: 'c2',
      git_dirty: 0,
      cwd: '/1',
      command: 'x',
    });
  });

  test('host and user are of the header of the writer of a run_created, the last that has one', async () => {
    const parent = writerFileWith(A, { attempt: 'one', host: 'n1', user: 'ada' }, created(0));
    const child = writerFileWith(B, { attempt: 'one', host: 'n2', user: 'bob' }, created(1));
    const hand = notes(created(2, { attempt: 'one', notes: 'by hand' }));
    const other = writerFileWith(C, { attempt: 'one', host: 'n3', user: 'eve' }, metric(3));
    (await given(parent, child, hand, other)).expectRun({
      host: 'n2',
      user_name: 'bob',
      notes: 'by hand',
      attempt_count: 1,
    });
  });
});

describe('the run', () => {
  const first = writerFileWith(
    A, { host: 'n1', user: 'ada' },
    created(0, { config: { lr: 1 }, tags: ['t'], notes: 'n', code: { git_commit: 'c', command: 'x', cwd: '/', git_dirty: true } }),
    status(1, 'running'), status(2, 'failed', { exit_code: 3, reason: 'r' }), slurm(1, 'env', { array_task_id: '4' }),
  ); // prettier-ignore

  test('created_at is the first attempt’s; all else is the last attempt’s', async () => {
    const second = writerFileWith(
      B,
      { host: 'n2', user: 'bob' },
      created(10),
      status(11, 'running'),
      status(12, 'completed'),
    );
    (await given(first, second)).expectRun({
      ...KEY, created_at: at(0), attempt_count: 2, status: 'completed', status_reason: null, exit_code: null,
      started_at: at(11), finished_at: at(12), config: '{}', tags: '[]', notes: null, host: 'n2', user_name: 'bob',
      git_commit: null, git_dirty: null, command: null, cwd: null, slurm_job_id: null, slurm_array_task_id: null,
    }); // prettier-ignore
    (await given(first)).expectRun({
      created_at: at(0), status: 'failed', status_reason: 'r', exit_code: 3, started_at: at(1), finished_at: at(2),
      config: { lr: 1 }, tags: ['t'], notes: 'n', host: 'n1', user_name: 'ada', git_commit: 'c', git_dirty: 1,
      command: 'x', cwd: '/', slurm_job_id: '100', slurm_array_task_id: '4',
    }); // prettier-ignore
  });

  test('started_at is the earliest running, not the first that was written', async () => {
    (
      await given(writerFile(A, created(0), status(9, 'running'), status(3, 'running'), status(5, 'running')))
    ).expectRun({ started_at: at(3), finished_at: null });
    (await given(writerFile(A, created(0), status(9, 'completed')))).expectRun({
      started_at: null,
      finished_at: at(9),
    });
  });

  test('run_annotated beats them, each field by its last', async () => {
    const people = notes(
      annotated(50, { tags: ['later'], hidden: true }), annotated(40, { tags: ['earlier'], notes: 'kept', hidden: false }),
      annotated(60, { tags: null, notes: null }),
    ); // prettier-ignore
    (await given(first, people)).expectRun({ tags: ['later'], notes: 'kept', hidden: 1 });
    // what was said before a rerun holds for it too, and an empty list is a word
    const rerun = writerFile(B, created(90, { tags: ['rerun'], notes: 'rerun' }));
    (await given(first, rerun, people)).expectRun({ tags: ['later'], notes: 'kept', hidden: 1 });
    (await given(first, notes(annotated(50, { tags: [], hidden: false })))).expectRun({
      tags: [],
      notes: 'n',
      hidden: 0,
    });
  });

  test('if attempts with resume false differ in config, doctor says so', async () => {
    const attempt = (
      writer: string,
      minute: number,
      lr: number,
      resume: boolean,
    ): ReturnType<typeof writerFile> => writerFile(writer, created(minute, { config: { lr }, resume }));
    const kinds = async (...files: ReturnType<typeof writerFile>[]): Promise<string[]> =>
      (await given(...files)).findings().map(({ kind }) => kind);
    expect(await kinds(attempt(A, 0, 1, false), attempt(B, 1, 2, false))).toEqual(['config_differs']);
    expect(await kinds(attempt(A, 0, 1, false), attempt(B, 1, 1, false))).toEqual([]);
    // what goes on from a checkpoint may well differ
    expect(await kinds(attempt(A, 0, 1, false), attempt(B, 1, 2, true))).toEqual([]);
  });
});
