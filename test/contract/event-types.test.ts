// Where each type of event goes, and what its fields mean when they are left out.
import { describe, expect, test } from 'vitest';
import { given } from '../helpers/given.ts';
import {
  A, B, KEY, RUN,
  annotated, at, closed, created, errorEvent, metric, notes, result, sample, slurm, status, text, writerFile,
} from '../helpers/lines.ts'; // prettier-ignore

describe('what goes where', () => {
  test('writer_opened and writer_closed make no row', async () => {
    const outcome = await given(writerFile(A, closed(1, 1)));
    for (const table of [
      'experiment_runs',
      'run_metrics',
      'run_results',
      'run_errors',
      'slurm_jobs',
      '_rejected',
    ] as const) {
      outcome.expectRows(table, []);
    }
  });

  test('run_created: experiment_runs', async () => {
    const key = {
      experiment_number: -3,
      dataset: 'd',
      method: 'm',
      subject: 's',
      cl_info: '{"a":1}',
      seed: 0,
    };
    const all = {
      run_id: '574aw6szr0ac8rkg',
      ...key,
      config: { lr: 0.1, layers: [1, { a: null }] },
      tags: ['b', 'a', 'b'],
      notes: 'first',
      resume: true,
      code: { git_commit: 'abc', git_dirty: true, command: 'python t.py', cwd: '/w' },
    };
    (await given(writerFile(A, created(5, all)))).expectRows('experiment_runs', [
      {
        run_id: '574aw6szr0ac8rkg', ...key, status: 'pending', status_reason: null, exit_code: null,
        config: all.config, tags: ['b', 'a', 'b'], notes: 'first', hidden: 0, slurm_job_id: null,
        slurm_array_task_id: null, host: 'node1', user_name: 'ada', git_commit: 'abc', git_dirty: 1,
        command: 'python t.py', cwd: '/w', attempt_count: 1, created_at: at(5), started_at: null, finished_at: null,
      },
    ]); // prettier-ignore
  });

  test('run_created with nothing but its key', async () => {
    const bare = { type: 'run_created', ts: at(0), run_id: RUN, ...KEY };
    (await given(notes(bare))).expectRows('experiment_runs', [
      {
        run_id: RUN, ...KEY, subject: null, cl_info: null, status: 'pending', status_reason: null, exit_code: null,
        config: '{}', tags: '[]', notes: null, hidden: 0, slurm_job_id: null, slurm_array_task_id: null, host: null,
        user_name: null, git_commit: null, git_dirty: null, command: null, cwd: null, attempt_count: 1,
        created_at: at(0), started_at: null, finished_at: null,
      },
    ]); // prettier-ignore
  });

  test('status_changed: experiment_runs; its source is job by default', async () => {
    // the default outranks a wrapper's later word, as a job's would
    const words = [
      status(1, 'running'),
      status(2, 'completed', { exit_code: 0, reason: 'done' }),
      status(3, 'failed', { source: 'wrapper', exit_code: 1, reason: 'x' }),
    ];
    (await given(writerFile(A, created(0), ...words))).expectRun({
      status: 'completed', status_reason: 'done', exit_code: 0, started_at: at(1), finished_at: at(2),
    }); // prettier-ignore
  });

  test('metric: run_metrics', async () => {
    const values = {
      epoch: 2,
      step: 30,
      loss: 0.5,
      f1: 0.6,
      fitness: -0.7,
      behavioral_comparison: 0,
      gpu_memory_mb: 4096,
    };
    const full = metric(1, { elapsed_seconds: 1.5, ...values, extra: { 'val/acc': 0.9, top5: 1 } });
    const bare = { type: 'metric', ts: at(2), run_id: RUN, elapsed_seconds: 0 };
    const absent = Object.fromEntries(Object.keys(values).map((name) => [name, null]));
    (await given(writerFile(A, full, bare))).expectRows('run_metrics', [
      {
        run_id: RUN, writer: A, seq: 2, ts: at(1), elapsed_seconds: 1.5, ...values,
        extra: { 'val/acc': 0.9, top5: 1 }, nonfinite: null,
      },
      { run_id: RUN, writer: A, seq: 3, ts: at(2), elapsed_seconds: 0, ...absent, extra: null, nonfinite: null },
    ]); // prettier-ignore
  });

  test('result: run_results', async () => {
    const results = { accuracy: 0.9, table: [[1]], none: null };
    (await given(writerFile(A, created(0), result(1, results)))).expectResults({
      run_id: RUN,
      results,
      points: 0,
    });
  });

  test('error: run_errors', async () => {
    const full = { exception_type: 'E', message: 'm\nn', traceback: 'File "x"' };
    (await given(writerFile(A, errorEvent(1, full), errorEvent(2)))).expectRows('run_errors', [
      { run_id: RUN, writer: A, seq: 2, ts: at(1), attempt: A, ...full },
      { run_id: RUN, writer: A, seq: 3, ts: at(2), attempt: A, exception_type: 'ValueError', message: 'no', traceback: null },
    ]); // prettier-ignore
  });

  test('slurm_info: slurm_jobs; restart_count absent is 0', async () => {
    const all = {
      array_job_id: '99', array_task_id: '3', state: 'RUNNING', reason: 'None', partition: 'gpu', account: 'lab',
      node_list: 'n[1-2]', cpus: 8, gpus: 1, memory_mb: 1024.5, time_limit_seconds: 3600, submitted_at: at(0),
      started_at: at(1), ended_at: at(2), exit_code: 0, signal: 9, max_rss_mb: 10.25, cpu_seconds: 7.5, stdout_path: '/o', stderr_path: '/e',
    }; // prettier-ignore
    const full = slurm(1, 'sacct', { job_id: '100', restart_count: 2, ...all });
    const bare = slurm(1, 'env', { job_id: '7' });
    const absent = Object.fromEntries(Object.keys(all).map((name) => [name, null]));
    (await given(writerFile(A, created(0), full, bare))).expectJobs(
      { run_id: RUN, job_id: '100', restart_count: 2, attempt: A, ...all },
      { run_id: RUN, job_id: '7', restart_count: 0, attempt: A, ...absent },
    );
  });

  test('slurm_info: ids may be numbers, times may have any offset', async () => {
    const info = slurm(1, 'env', {
      job_id: 100,
      array_job_id: 99,
      array_task_id: 3,
      started_at: '2026-11-23T11:00:00+01:00',
    });
    (await given(writerFile(A, created(0), info)))
      .expectJobs({ job_id: '100', array_job_id: '99', array_task_id: '3', started_at: at(0) })
      .expectRun({ slurm_job_id: '100', slurm_array_task_id: '3' });
    (await given(notes(slurm(1, 'env', { ended_at: 'Unknown' })))).expectRejected('bad_field');
  });

  test('run_annotated: experiment_runs, afterwards, by a person', async () => {
    const person = notes(annotated(60, { tags: ['best'], notes: 'keep', hidden: true }));
    (await given(writerFile(A, created(0, { tags: ['a'], notes: 'n' })), person)).expectRun({
      tags: ['best'],
      notes: 'keep',
      hidden: 1,
      attempt_count: 1,
    });
  });

  test('resource_sample: _samples', async () => {
    const values = { cpu_percent: 150.5, rss_mb: 900, gpu_percent: 98, gpu_memory_mb: 4096 };
    (await given(writerFile(A, sample(1, values), sample(2)))).expectRows('_samples', [
      { run_id: RUN, writer: A, seq: 2, ts: at(1), attempt: A, elapsed_seconds: 60, ...values },
      {
        run_id: RUN, writer: A, seq: 3, ts: at(2), attempt: A, elapsed_seconds: 120, cpu_percent: null, rss_mb: null,
        gpu_percent: null, gpu_memory_mb: null,
      },
    ]); // prettier-ignore
  });
});

describe('metrics that are not finite', () => {
  test('a diverged run is visible as diverged, not as missing', async () => {
    const diverged = metric(2, {
      loss: 'NaN', f1: 'Infinity', fitness: '-Infinity', behavioral_comparison: 'NaN', gpu_memory_mb: 'Infinity',
      extra: { acc: 'NaN', top5: 0.5, grad: '-Infinity' },
    }); // prettier-ignore
    const outcome = await given(
      writerFile(A, created(0), metric(1, { loss: 3, extra: { top5: 1 } }), diverged),
    );
    outcome.expectRejected();
    expect(outcome.rows('run_metrics')[1]).toMatchObject({
      loss: null, f1: null, fitness: null, behavioral_comparison: null, gpu_memory_mb: null, extra: '{"top5":0.5}',
      nonfinite:
        '{"loss":"NaN","f1":"Infinity","fitness":"-Infinity","behavioral_comparison":"NaN","gpu_memory_mb":"Infinity",' +
        '"extra.acc":"NaN","extra.grad":"-Infinity"}',
    }); // prettier-ignore
    outcome.expectResults({
      points: 2,
      best_loss: 3,
      final_loss: 3,
      best_f1: null,
      peak_gpu_memory_mb: null,
    });
  });

  test('elapsed_seconds is finite', async () => {
    (await given(notes(metric(1, { elapsed_seconds: 'Infinity' })))).expectRejected('bad_field');
    (await given(notes(sample(1, { rss_mb: 'NaN' })))).expectRejected('bad_field');
  });

  test('bare NaN is no JSON', async () => {
    (await given(notes(text(metric(1, { loss: 0 })).replace('"loss":0', '"loss":NaN'), '\n'))).expectRejected(
      'not_json',
    );
  });
});

describe('run_id', () => {
  /** Computed with Python's json, hashlib and base 32 by hand. */
  const KNOWN: [string, (number | string | null)[]][] = [
    [RUN, [1, 'mnist', 'cnn', null, null, 7]],
    ['tmdenz7vchr4a2b8', [1, 'mnist', 'cnn', null, null, null]],
    ['f6jgrsz5ysyxe0zx', [0, '', '', null, null, null]],
    [
      'frvg2vmx6v4f13mb',
      [-9007199254740991, 'é😀', 'a"b\\c\n', '\u0001/\u007f', '{"lr":0.1}', 9007199254740991],
    ],
    ['85b237ynhh0y5wqr', [1, 'mnist', 'cnn', '', '', 0]],
  ];
  test.each(KNOWN)(
    'is derived from the key: %s',
    async (run_id, [experiment_number, dataset, method, subject, cl_info, seed]) => {
      const key = { experiment_number, dataset, method, subject, cl_info, seed };
      (await given(notes(created(0, { run_id, ...key })))).expectRejected().expectRun({ run_id, ...key });
    },
  );

  test('a run_created whose key does not hash to its run_id is rejected', async () => {
    const wrong = [
      { seed: 8 },
      { seed: null },
      { subject: '' },
      { dataset: 'MNIST' },
      { experiment_number: 2 },
    ];
    (await given(notes(...wrong.map((fields) => created(0, fields)))))
      .expectRejected(...wrong.map(() => 'run_id_mismatch'))
      .expectRows('experiment_runs', []);
  });

  test('whole numbers within ±(2^53−1), strings, null for subject, cl_info and seed alone', async () => {
    const wrong = [
      { seed: 2 ** 53 }, { experiment_number: -(2 ** 53) }, { seed: 1.5 }, { seed: '7' }, { experiment_number: null },
      { dataset: null }, { method: 7 }, { subject: 7 }, { cl_info: { a: 1 } },
    ]; // prettier-ignore
    (await given(notes(...wrong.map((fields) => created(0, fields))))).expectRejected(
      ...wrong.map(() => 'bad_field'),
    );
    // an absent one is null
    const { seed: _, ...absent } = created(0, { run_id: 'tmdenz7vchr4a2b8' });
    (await given(notes(absent))).expectRun({ seed: null, subject: null });
    (await given(notes(text(created(0)).replace('"seed":7', '"seed":7.0'), '\n'))).expectRun({ seed: 7 });
  });

  test('a lone surrogate in the key rejects the line; elsewhere it becomes U+FFFD', async () => {
    for (const name of ['dataset', 'method', 'subject', 'cl_info']) {
      const outcome = await given(notes(created(0, { [name]: 'x\ud800' })));
      outcome.expectRejected('bad_field');
      expect(outcome.rows('_rejected')[0]?.['message']).toContain(name);
    }
    const lone = { notes: 'a\ud800b', tags: ['\udc00'], config: { 'k\ud83d': ['\udfff', '\ud83d\ude00'] } };
    const elsewhere = [
      created(0, lone),
      errorEvent(1, { message: '\ud800' }),
      metric(2, { extra: { 'm\udc00': 1 } }),
    ];
    (await given(writerFile(A, ...elsewhere), writerFile(B, created(1))))
      .expectRejected()
      .expectRows('run_errors', [{ message: '\ufffd' }])
      .expectRows('run_metrics', [{ extra: { 'm\ufffd': 1 } }])
      .expectRows('_attempts', [{ config: { 'k\ufffd': ['\ufffd', '😀'] } }, { config: '{}' }]);
  });
});
