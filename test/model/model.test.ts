/**
 * Pins the model itself: every expected value here was worked out by hand from docs/events.md and
 * docs/projection.md (the run ids with another implementation of the hash).
 */
import { describe, expect, it } from 'vitest';
import { model } from './model.ts';
import type { ModelFile, Row, Tables } from './model.ts';

const DAY = '2026-11-23';
/** 01M83XJ880 is 2026-11-23T10:00:00.000Z */
const A = '01M83XJ880AAAAAAAAAAAAAAAA';
const B = '01M83XJ880BBBBBBBBBBBBBBBB';
const C = '01M83XJ880CCCCCCCCCCCCCCCC';
/** of [1,"mnist","cnn",null,null,7] */
const RUN = 'nj7pvsfsspj3f97g';
const KEY = { experiment_number: 1, dataset: 'mnist', method: 'cnn', seed: 7 };

type Fields = Record<string, unknown>;

function at(minute: number): string {
  return new Date(Date.UTC(2026, 10, 23, 10, minute)).toISOString();
}

function ev(type: string, minute: number, fields: Fields = {}): Fields {
  return { type, ts: at(minute), run_id: RUN, ...fields };
}

function created(minute: number, fields: Fields = {}): Fields {
  return ev('run_created', minute, { ...KEY, ...fields });
}

function status(minute: number, word: string, fields: Fields = {}): Fields {
  return ev('status_changed', minute, { status: word, ...fields });
}

function metric(minute: number, fields: Fields = {}): Fields {
  return ev('metric', minute, { elapsed_seconds: minute, ...fields });
}

function slurm(minute: number, source: string, fields: Fields = {}): Fields {
  return ev('slurm_info', minute, { job_id: '100', source, ...fields });
}

function header(writer: string, fields: Fields = {}): Fields {
  return {
    type: 'writer_opened',
    ts: at(0),
    seq: 1,
    format: 1,
    writer,
    origin: 'h-1',
    host: 'node1',
    pid: 1,
    user: 'ada',
    client: { name: 'test', version: '1' },
    ...fields,
  };
}

/** Objects become lines, strings are the bytes as they stand. */
function raw(path: string, items: readonly (Fields | string)[], more: Partial<ModelFile> = {}): ModelFile {
  const text = items.map((item) => (typeof item === 'string' ? item : `${JSON.stringify(item)}\n`)).join('');
  return { path, bytes: Buffer.from(text), quiet: false, ...more };
}

function pathOf(writer: string, origin = 'h-1'): string {
  return `events/${DAY}/${writer}-${origin}.ndjson`;
}

/** A file with a header; its events get the seq 2, 3 … by their place. */
function file(writer: string, events: readonly (Fields | string)[], open: Fields = {}): ModelFile {
  const numbered = events.map((e, i) => (typeof e === 'string' || 'seq' in e ? e : { ...e, seq: i + 2 }));
  return raw(pathOf(writer), [header(writer, open), ...numbered]);
}

function codes(tables: Tables): unknown[] {
  return tables.rejected.map((row) => row['code']);
}

/** The code of one line alone in a hand-made file, or undefined if it is not rejected. */
function codeOf(line: Fields | string): unknown {
  return codes(model([raw(`events/x/notes.ndjson`, [typeof line === 'string' ? `${line}\n` : line])]))[0];
}

function run(...files: ModelFile[]): Row {
  return model(files).experiment_runs[0] ?? {};
}

function results(...files: ModelFile[]): Row {
  return model(files).run_results[0] ?? {};
}

function jobs(...files: ModelFile[]): Row[] {
  return model(files).slurm_jobs;
}

function pick(row: Row | undefined, ...names: string[]): unknown[] {
  return names.map((name) => row?.[name]);
}

describe('lines', () => {
  it('takes LF and CR LF, passes empty lines, leaves a part without LF', () => {
    const line = JSON.stringify(metric(1));
    const tables = model([raw('events/x/notes.ndjson', [`${line}\r\n`, '\n', '\r\n', `${line}\n`, line])]);
    expect(tables.run_metrics.map((row) => row['seq'])).toEqual([0, line.length + 5]);
    expect(tables.rejected).toEqual([]);
  });

  it('rejects bytes that are no line of ours, each with its code', () => {
    expect(codeOf(`{"type":"x","pad":"${'a'.repeat(1_048_576)}"}`)).toBe('too_long');
    expect(codeOf(`{"type":"x","pad":"${'a'.repeat(1_048_576 - 21)}"}`)).toBeUndefined(); // 1,048,576 exactly
    expect(codeOf(`\ufeff{"type":"x"}`)).toBe('byte_order_mark');
    expect(codeOf(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`)).toBe('too_deep');
    expect(codeOf(`{"type":"x","a":${'['.repeat(63)}${']'.repeat(63)}}`)).toBeUndefined(); // 64 deep
    expect(codeOf(`{"type":"x","a":"${'['.repeat(70)}"}`)).toBeUndefined(); // in a string
    expect(codeOf('['.repeat(65))).toBe('too_deep'); // before not_json
    expect(codeOf('{"type":')).toBe('not_json');
    expect(codeOf(' ')).toBe('not_json');
    expect(codeOf('[1]')).toBe('not_an_object');
    expect(codeOf('null')).toBe('not_an_object');
    expect(codeOf('{}')).toBe('bad_type');
    expect(codeOf('{"type":null}')).toBe('bad_type');
    expect(codeOf('{"type":"metric","type":3}')).toBe('bad_type');
    const latin1 = { path: 'events/x/n.ndjson', bytes: Uint8Array.of(0x22, 0xe9, 0x22, 10), quiet: false };
    expect(model([latin1]).rejected).toEqual([
      { file: 'events/x/n.ndjson', offset: 0, length: 4, code: 'invalid_utf8' },
    ]);
  });

  it('gives offset and length with the LF and the CR', () => {
    const tables = model([raw('events/x/n.ndjson', ['\n', 'no\r\n', 'é\n', ''])]);
    expect(tables.rejected.map((row) => pick(row, 'offset', 'length'))).toEqual([
      [1, 4],
      [5, 3],
    ]);
  });

  it('leaves a line of unknown type, whatever else it has', () => {
    expect(codeOf('{"type":"gpu_event","seq":-5,"ts":7,"x":1e999}')).toBeUndefined();
    expect(codeOf('{"type":"constructor"}')).toBeUndefined();
    expect(codeOf('{"type":"__proto__"}')).toBeUndefined();
  });

  it('checks the common fields', () => {
    expect(codeOf(metric(1))).toBeUndefined();
    expect(codeOf(metric(1, { ts: null }))).toBe('bad_field');
    expect(codeOf(metric(1, { run_id: null }))).toBe('bad_field');
    expect(codeOf(metric(1, { run_id: RUN.toUpperCase() }))).toBe('bad_field');
    expect(codeOf(metric(1, { run_id: 'ij7pvsfsspj3f97g' }))).toBe('bad_field'); // no i in Crockford's
    expect(codeOf(metric(1, { attempt: 5 }))).toBe('bad_field');
    expect(codeOf(metric(1, { attempt: null }))).toBeUndefined();
    expect(codeOf(metric(1, { seq: 0 }))).toBe('bad_field'); // in hand-made files too
    expect(codeOf(metric(1, { seq: 1.5 }))).toBe('bad_field');
    expect(codeOf(metric(1, { seq: 2 ** 53 }))).toBe('bad_field');
    expect(codeOf(metric(1, { unknown: [1] }))).toBeUndefined();
  });

  it('reads ts as RFC 3339, cut to milliseconds, in UTC', () => {
    const stored = (ts: string): unknown =>
      model([raw('events/x/n.ndjson', [metric(1, { ts })])]).run_metrics[0]?.['ts'];
    expect(stored('2026-11-23T10:15:00Z')).toBe('2026-11-23T10:15:00.000Z');
    expect(stored('2026-11-23T10:15:00.1239999+02:30')).toBe('2026-11-23T07:45:00.123Z');
    expect(stored('2026-11-23t10:15:00.1z')).toBe('2026-11-23T10:15:00.100Z');
    expect(stored('2016-12-31T23:59:60Z')).toBe('2017-01-01T00:00:00.000Z');
    expect(stored('2026-12-31T23:30:00-01:00')).toBe('2027-01-01T00:30:00.000Z');
    expect(stored('0000-02-29T00:00:00Z')).toBe('0000-02-29T00:00:00.000Z');
    expect(stored('0026-01-01T00:00:00Z')).toBe('0026-01-01T00:00:00.000Z');
    for (const bad of [
      '2026-11-23 10:15:00Z',
      '2026-11-23T10:15:00',
      '2026-11-23T10:15Z',
      '2026-02-29T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-01-01T24:00:00Z',
      '2026-01-01T00:00:61Z',
      '2026-01-01T00:00:00.Z',
      '2026-01-01T00:00:00+0100',
      '0000-01-01T00:00:00+00:01',
      '9999-12-31T23:59:60Z',
    ]) {
      expect(codeOf(metric(1, { ts: bad })), bad).toBe('bad_field');
    }
  });

  it('checks numbers: safe integers, finite values, names of what is not finite', () => {
    const withText = (text: string): string => `${JSON.stringify(metric(1)).slice(0, -1)},${text}}`;
    expect(codeOf(withText('"epoch":1e2'))).toBeUndefined();
    expect(codeOf(withText('"epoch":2.0'))).toBeUndefined();
    expect(codeOf(withText('"epoch":2.5'))).toBe('bad_field');
    expect(codeOf(withText('"loss":1e999'))).toBe('bad_field');
    expect(codeOf(withText('"loss":"nan"'))).toBe('bad_field');
    expect(codeOf(withText('"loss":"-Infinity"'))).toBeUndefined();
    expect(codeOf(withText('"elapsed_seconds":"NaN"'))).toBe('bad_field');
    expect(codeOf(withText('"extra":{"a":1e999}'))).toBe('bad_field');
    expect(codeOf(withText('"extra":{"a":[1]}'))).toBe('bad_field');
    expect(codeOf(withText('"extra":[1]'))).toBe('bad_field');
    expect(codeOf(withText('"note":1e999'))).toBeUndefined();
    expect(codeOf(`${JSON.stringify(created(1)).slice(0, -1)},"config":{"a":[{"b":-1e999}]}}`)).toBe(
      'bad_field',
    );
    expect(codeOf(ev('resource_sample', 1, { elapsed_seconds: 1, rss_mb: 'NaN' }))).toBe('bad_field');
  });

  it('checks the payloads of the types', () => {
    expect(codeOf(created(1, { tags: ['a', null] }))).toBe('bad_field');
    expect(codeOf(created(1, { config: [] }))).toBe('bad_field');
    expect(codeOf(created(1, { code: { git_dirty: 'yes' } }))).toBe('bad_field');
    expect(codeOf(created(1, { resume: 1 }))).toBe('bad_field');
    expect(codeOf(status(1, 'done'))).toBe('bad_field');
    expect(codeOf(status(1, 'failed', { source: 'squeue' }))).toBe('bad_field');
    expect(codeOf(ev('result', 1))).toBe('bad_field');
    expect(codeOf(ev('error', 1, { exception_type: 'E' }))).toBe('bad_field');
    expect(codeOf(slurm(1, 'env', { job_id: 1.5 }))).toBe('bad_field');
    expect(codeOf(slurm(1, 'env', { job_id: null }))).toBe('bad_field');
    expect(codeOf(slurm(1, 'env', { started_at: 'Unknown' }))).toBe('bad_field');
    expect(codeOf(header(A.toLowerCase()))).toBe('bad_field');
    expect(codeOf(header(A, { origin: 'a/b' }))).toBe('bad_field');
    expect(codeOf(header(A, { client: { name: 'x' } }))).toBe('bad_field');
    expect(codeOf(ev('run_annotated', 1, { hidden: 1 }))).toBe('bad_field');
  });

  it('checks the key, the hash and the attempt of what SLURM says', () => {
    expect(codeOf(created(1))).toBeUndefined();
    expect(codeOf(created(1, { seed: -0.5 }))).toBe('bad_field');
    expect(codeOf(created(1, { subject: '\ud800' }))).toBe('bad_field');
    expect(codeOf(created(1, { seed: 8 }))).toBe('run_id_mismatch');
    expect(
      codeOf({
        ...created(1, {
          experiment_number: 2,
          dataset: 'été',
          method: 'm',
          subject: 's1',
          cl_info: '{"lr":1}',
        }),
        seed: null,
        run_id: 's18hxz4h0ts8qtyy',
      }),
    ).toBeUndefined();
    expect(codeOf(status(1, 'failed', { source: 'slurm' }))).toBe('missing_attempt');
    expect(codeOf(slurm(1, 'squeue'))).toBe('missing_attempt');
    expect(codeOf(slurm(1, 'sacct', { attempt: 'a' }))).toBeUndefined();
    expect(codeOf(slurm(1, 'env'))).toBeUndefined();
    expect(codeOf(metric(1, { source: 'slurm' }))).toBeUndefined(); // an unknown field of a metric
  });
});

describe('files', () => {
  it('rejects what comes before the header in a file named like a ULID', () => {
    const tables = model([
      raw(pathOf(A), [metric(1, { seq: 1 }), { type: 'later' }, header(A), metric(2, { seq: 2 })]),
    ]);
    expect(codes(tables)).toEqual(['no_header']);
    expect(tables.run_metrics.map((row) => pick(row, 'writer', 'seq'))).toEqual([[A, 2]]);
  });

  it('never takes a file named like a ULID for hand-made', () => {
    const tables = model([raw(`events/x/${A.toLowerCase()}.copy.ndjson`, [metric(1)])]);
    expect(codes(tables)).toEqual(['no_header']);
    expect(tables.run_metrics).toEqual([]);
    // The first character of a ULID is 0 to 7, so this one is a name like any other.
    expect(model([raw(`events/x/8${A.slice(1)}.ndjson`, [metric(1)])]).run_metrics).toHaveLength(1);
  });

  it('rejects a would-be header whose seq is not 1 and goes on', () => {
    const tables = model([raw(pathOf(A), [header(A, { seq: 2 }), header(A, { seq: null }), header(A)])]);
    expect(codes(tables)).toEqual(['missing_seq', 'missing_seq']);
    const named = raw('events/x/notes.ndjson', [header(A, { seq: 2 }), metric(1)]);
    expect(codes(model([named]))).toEqual(['missing_seq']);
    expect(model([named]).run_metrics).toHaveLength(1);
  });

  it('reads nothing of a misplaced file', () => {
    const lines = ['torn\n', header(A), created(1, { seq: 2 })];
    for (const path of [
      `events/${DAY}/${A}-h-1 copy.ndjson`,
      `events/2026-11-24/${A}-h-1.ndjson`,
      `events/${DAY}/${A}.ndjson`,
      'events/x/notes.ndjson',
    ]) {
      const tables = model([raw(path, lines)]);
      expect(tables.experiment_runs, path).toEqual([]);
      expect(tables.rejected, path).toEqual([]);
    }
    expect(codes(model([raw(pathOf(A), lines)]))).toEqual(['not_json']);
  });

  it('takes the smaller of two well placed paths of one writer', () => {
    const one = raw(pathOf(A, 'h-1'), [header(A), metric(1, { seq: 2, loss: 1 })]);
    const two = raw(pathOf(A, 'g-1'), [
      header(A, { origin: 'g-1' }),
      metric(1, { seq: 2, loss: 2 }),
      'bad\n',
    ]);
    const misplaced = raw(`events/${DAY}/${A}-a.ndjson`, [header(A)]);
    const tables = model([one, two, misplaced]);
    expect(tables.run_metrics.map((row) => row['loss'])).toEqual([2]);
    expect(tables.rejected.map((row) => row['file'])).toEqual([pathOf(A, 'g-1')]);
  });

  it('stops at another format, before the name is looked at', () => {
    const later = raw('events/x/notes.ndjson', ['torn\n', { type: 'writer_opened', format: 2 }, metric(1)]);
    expect(codes(model([later]))).toEqual(['not_json', 'other_format']);
    expect(model([later]).run_metrics).toEqual([]);
    const middle = file(A, [metric(1), { type: 'writer_opened', format: 7 }, metric(2), 'bad\n']);
    expect(codes(model([middle]))).toEqual(['other_format']);
    expect(model([middle]).run_metrics).toHaveLength(1);
    expect(codeOf(header(A, { format: '1' }))).toBe('bad_field');
    expect(codeOf(header(A, { format: 1.5 }))).toBe('bad_field');
  });

  it('stops at a second header, but not at a repeat of the first', () => {
    const again = file(A, [metric(1), header(A), metric(2, { seq: 3 })]);
    expect(codes(model([again]))).toEqual([]);
    expect(model([again]).run_metrics).toHaveLength(2);
    const other = file(A, [metric(1), header(B), metric(2, { seq: 3 }), 'bad\n']);
    expect(codes(model([other]))).toEqual(['second_header']);
    expect(model([other]).run_metrics).toHaveLength(1);
    const hand = raw('events/x/notes.ndjson', [metric(1), header(B), metric(2)]);
    expect(codes(model([hand]))).toEqual(['second_header']);
    expect(model([hand]).run_metrics).toHaveLength(1);
  });

  it('tells a repeat from a conflict', () => {
    const line = JSON.stringify(metric(1, { seq: 2 }));
    const tables = model([
      file(A, [
        `${line}\n`,
        `${line}\r\n`,
        metric(2, { seq: 2 }),
        metric(3, { seq: null }),
        metric(4, { seq: 9 }),
      ]),
    ]);
    expect(codes(tables)).toEqual(['seq_conflict', 'missing_seq']);
    expect(tables.run_metrics.map((row) => pick(row, 'seq', 'elapsed_seconds'))).toEqual([
      [2, 1],
      [9, 4],
    ]);
  });

  it('lets rejected and unknown lines take no seq', () => {
    const tables = model([
      file(A, [
        metric(1, { seq: 2, loss: 'bad' }),
        { type: 'later', seq: 2 },
        { type: 'writer_closed', ts: at(1), seq: 2, events: 9 },
        metric(1, { seq: 2 }),
      ]),
    ]);
    expect(codes(tables)).toEqual(['bad_field', 'writer_closed_mismatch']);
    expect(tables.run_metrics).toHaveLength(1);
  });

  it('applies what comes after writer_closed', () => {
    const tables = model([file(A, [{ type: 'writer_closed', ts: at(1), events: 1 }, metric(1)])]);
    expect(tables.rejected).toEqual([]);
    expect(tables.run_metrics).toHaveLength(1);
  });

  it('numbers a hand-made file by bytes, equal lines too', () => {
    const line = `${JSON.stringify(metric(1, { seq: 3 }))}\n`;
    const tables = model([
      raw('events/bob/a.b.ndjson', [line, line, { type: 'writer_closed', ts: at(1), events: 2, seq: 3 }]),
    ]);
    expect(tables.run_metrics.map((row) => pick(row, 'writer', 'seq'))).toEqual([
      ['bob/a.b', 0],
      ['bob/a.b', line.length],
    ]);
    expect(codes(tables)).toEqual(['writer_closed_mismatch']);
  });

  it('gives a hand-made run its writer as attempt, and no host', () => {
    const tables = model([
      raw('events/bob/a.ndjson', [created(1), ev('error', 2, { exception_type: 'E', message: 'm' })]),
    ]);
    expect(pick(tables.experiment_runs[0], 'host', 'user_name', 'attempt_count')).toEqual([null, null, 1]);
    expect(tables.run_errors).toEqual([
      {
        run_id: RUN,
        writer: 'bob/a',
        seq: JSON.stringify(created(1)).length + 1,
        ts: at(2),
        attempt: 'bob/a',
        exception_type: 'E',
        message: 'm',
        traceback: null,
      },
    ]);
  });

  it('does not read what is no event file', () => {
    for (const path of [
      'events/a.ndjson',
      'events/.x/a.ndjson',
      'events/x/.a.ndjson',
      'events/x/a.json',
      'x/y/a.ndjson',
    ]) {
      expect(model([raw(path, [metric(1), 'bad\n'])]).rejected, path).toEqual([]);
    }
  });
});

describe('holes', () => {
  const hole = '\0\0\0\n';

  it('waits at a hole, with all that follows', () => {
    const tables = model([file(A, [metric(1), hole, metric(15, { seq: 3 }), 'bad\n'])]);
    expect(tables.run_metrics).toHaveLength(1);
    expect(tables.rejected).toEqual([]);
  });

  it('gives it up when the file is quiet, or was given up before', () => {
    const waiting = file(A, [metric(1), hole, metric(15, { seq: 3 })]);
    const offset = waiting.bytes.indexOf(0);
    for (const more of [{ quiet: true }, { holesUntil: offset + 4 }]) {
      const tables = model([{ ...waiting, ...more }]);
      expect(tables.run_metrics).toHaveLength(2);
      expect(tables.rejected).toEqual([{ file: pathOf(A), offset, length: 4, code: 'nul_hole' }]);
    }
    expect(model([{ ...waiting, holesUntil: offset + 3 }]).run_metrics).toHaveLength(1);
  });

  it('gives it up when a later valid line is 15 minutes younger than the last good one', () => {
    expect(model([file(A, [metric(1), hole, metric(16, { seq: 3 })])]).run_metrics).toHaveLength(2);
    // A line that is rejected does not count.
    expect(model([file(A, [metric(1), hole, metric(16, { seq: 2 })])]).run_metrics).toHaveLength(1);
    // Without a valid line before there is nothing to compare with.
    expect(codes(model([raw(pathOf(A), [hole, header(A), metric(59, { seq: 2 })])]))).toEqual([]);
  });

  it('judges each hole by itself', () => {
    const tables = model([file(A, [metric(1), hole, metric(16, { seq: 3 }), hole, metric(30, { seq: 4 })])]);
    expect(tables.run_metrics).toHaveLength(2);
    expect(codes(tables)).toEqual(['nul_hole']);
  });

  it('waits for a line that is too long too: it may be many lines whose LFs have not come', () => {
    expect(codeOf('\0'.repeat(1_048_577))).toBeUndefined();
  });
});

describe('experiment_runs', () => {
  it('has one row of exactly the columns', () => {
    const tables = model([
      file(A, [
        created(1, {
          config: { lr: 0.1, nested: { a: null } },
          tags: ['x'],
          notes: 'n',
          code: { git_commit: 'c0', git_dirty: true, command: 'python t.py', cwd: '/w' },
        }),
        slurm(1, 'env', { job_id: 100, array_job_id: 99, array_task_id: 4 }),
        status(2, 'running'),
        status(5, 'completed', { exit_code: 0 }),
      ]),
    ]);
    expect(tables.experiment_runs).toEqual([
      {
        run_id: RUN,
        experiment_number: 1,
        dataset: 'mnist',
        method: 'cnn',
        subject: null,
        cl_info: null,
        seed: 7,
        status: 'completed',
        status_reason: null,
        exit_code: 0,
        config: '{"lr":0.1,"nested":{"a":null}}',
        tags: '["x"]',
        notes: 'n',
        hidden: 0,
        slurm_job_id: '100',
        slurm_array_task_id: '4',
        host: 'node1',
        user_name: 'ada',
        git_commit: 'c0',
        git_dirty: 1,
        command: 'python t.py',
        cwd: '/w',
        attempt_count: 1,
        created_at: at(1),
        started_at: at(2),
        finished_at: at(5),
      },
    ]);
    expect(Object.keys(tables.experiment_runs[0] ?? {})).toHaveLength(26);
  });

  it('says pending and nothing else where nothing is said', () => {
    const row = run(file(A, [created(1)]));
    expect(pick(row, 'status', 'exit_code', 'started_at', 'finished_at')).toEqual([
      'pending',
      null,
      null,
      null,
    ]);
    expect(pick(row, 'config', 'tags', 'notes', 'hidden', 'slurm_job_id')).toEqual([
      '{}',
      '[]',
      null,
      0,
      null,
    ]);
  });

  it('needs a run_created', () => {
    const tables = model([
      file(A, [status(1, 'running'), slurm(1, 'env'), metric(1), ev('result', 2, { results: {} })]),
    ]);
    expect(tables.experiment_runs).toEqual([]);
    expect(tables.slurm_jobs).toEqual([]);
    expect(tables.run_results).toEqual([]);
    expect(tables.run_metrics).toHaveLength(1);
  });

  it('orders attempts by the ts of their first run_created, and takes the last', () => {
    const row = run(
      file(B, [created(3, { config: { a: 1 }, notes: 'first' }), status(4, 'failed'), created(50)]),
      file(A, [created(10, { config: { b: 1 }, tags: [] }), status(11, 'running')], { host: 'node2' }),
    );
    expect(pick(row, 'attempt_count', 'created_at', 'status', 'config', 'notes', 'host')).toEqual([
      2,
      at(3),
      'running',
      '{"b":1}',
      null,
      'node2',
    ]);
  });

  it('merges several run_created of one attempt, by ts', () => {
    const row = run(
      file(A, [created(5, { config: { b: 3, c: 4 }, notes: null, code: { cwd: '/b' } })], { attempt: 'at' }),
      file(B, [created(2, { config: { a: 1, b: 2 }, notes: 'n', code: { git_commit: 'x', cwd: '/a' } })], {
        attempt: 'at',
        host: 'node2',
      }),
    );
    expect(pick(row, 'attempt_count', 'config', 'notes', 'git_commit', 'cwd', 'host', 'created_at')).toEqual([
      1,
      '{"a":1,"b":3,"c":4}',
      'n',
      'x',
      '/b',
      'node1',
      at(2),
    ]);
  });

  it('lets run_annotated win, each field by its last, those of no attempt last of all', () => {
    const row = run(
      file(A, [
        created(1, { tags: ['a'], notes: 'n' }),
        ev('run_annotated', 9, { tags: ['b'], hidden: false }),
        ev('run_annotated', 8, { notes: 'later', tags: ['c'], hidden: true }),
      ]),
      // Earlier by ts, but its attempt value has no run_created.
      file(B, [ev('run_annotated', 2, { tags: [] })]),
    );
    expect(pick(row, 'tags', 'notes', 'hidden')).toEqual(['[]', 'later', 0]);
  });

  it('treats __proto__ as any key and lone surrogates as U+FFFD', () => {
    const line = JSON.stringify(created(1, { seq: 2, notes: 'a\ud800b' }));
    const row = run(
      file(A, [`${line.slice(0, -1)},"config":{"__proto__":{"x":1},"\\udc00":"\\ud83d\\ude00"}}\n`]),
    );
    expect(row['config']).toBe('{"__proto__":{"x":1},"\ufffd":"\u{1f600}"}');
    expect(row['notes']).toBe('a\ufffdb');
  });
});

describe('status', () => {
  const of = (...events: Fields[]): unknown[] =>
    pick(
      run(file(A, [created(0), ...events.map((e) => ({ attempt: A, ...e }))])),
      'status',
      'status_reason',
      'exit_code',
      'finished_at',
    );

  it('ranks terminal over running over pending, whatever the time', () => {
    expect(of(status(3, 'completed'), status(5, 'running'))).toEqual(['completed', null, null, at(3)]);
    expect(of(status(3, 'running', { reason: 'r' }), status(5, 'pending'))).toEqual([
      'running',
      'r',
      null,
      null,
    ]);
  });

  it('ranks job over wrapper over slurm, and the later of equals', () => {
    expect(of(status(3, 'completed'), status(5, 'failed', { source: 'wrapper' }))).toEqual([
      'completed',
      null,
      null,
      at(3),
    ]);
    expect(of(status(3, 'completed'), status(2, 'failed', { reason: 'r' }))[0]).toBe('completed');
    expect(of(status(3, 'completed'), status(4, 'failed', { source: 'job', reason: 'r' }))).toEqual([
      'failed',
      'r',
      null,
      at(4),
    ]);
  });

  it('takes the exit code of the best ranked that has one', () => {
    const events = [
      status(3, 'failed'),
      status(5, 'failed', { source: 'wrapper', exit_code: 137 }),
      status(6, 'failed', { source: 'slurm', exit_code: 9 }),
    ];
    expect(of(...events)).toEqual(['failed', null, 137, at(3)]);
  });

  it("explains a failure by SLURM's last terminal word", () => {
    const slurmSays = (minute: number, word: string, reason?: string): Fields =>
      status(minute, word, { source: 'slurm', reason });
    expect(of(status(3, 'failed', { reason: 'SIGTERM' }), slurmSays(4, 'timeout', 'TIMEOUT'))).toEqual([
      'timeout',
      'TIMEOUT',
      null,
      at(3),
    ]);
    expect(of(status(3, 'failed', { reason: 'r' }), slurmSays(4, 'failed', 'OUT_OF_MEMORY'))[1]).toBe(
      'OUT_OF_MEMORY',
    );
    expect(of(status(3, 'failed', { reason: 'r' }), slurmSays(4, 'timeout'))[1]).toBe('r');
    // Only the last word counts, and only terminal ones are words.
    expect(
      of(status(3, 'failed'), slurmSays(4, 'timeout', 'T'), slurmSays(5, 'failed'), slurmSays(6, 'running')),
    ).toEqual(['failed', null, null, at(3)]);
    expect(of(status(3, 'completed'), slurmSays(4, 'timeout', 'TIMEOUT')).slice(0, 2)).toEqual([
      'completed',
      null,
    ]);
    expect(of(slurmSays(4, 'failed', 'NODE_FAIL'), slurmSays(3, 'timeout', 'T')).slice(0, 2)).toEqual([
      'failed',
      'NODE_FAIL',
    ]);
  });

  it('says pending while the own job waits with a higher restart', () => {
    const base = [
      slurm(1, 'env', { restart_count: 0 }),
      status(3, 'failed', { exit_code: 1 }),
      status(2, 'running'),
      slurm(4, 'sacct', { state: 'PREEMPTED' }),
    ];
    const waiting = slurm(5, 'squeue', { restart_count: 1, state: 'PENDING', reason: 'BeginTime' });
    expect(of(...base, waiting)).toEqual(['pending', 'BeginTime', null, null]);
    expect(
      run(file(A, [created(0), ...[...base, waiting].map((e) => ({ ...e, attempt: A }))]))['started_at'],
    ).toBe(at(2));
    expect(of(...base, { ...waiting, state: 'RUNNING' }).slice(0, 2)).toEqual(['pending', 'RUNNING']);
    expect(of(...base, { ...waiting, reason: 'unknown' })[0]).toBe('failed');
    expect(of(...base, { ...waiting, restart_count: 0 })[0]).toBe('failed');
    expect(of(...base, { ...waiting, job_id: '101' })[0]).toBe('failed');
    expect(of(...base, waiting, slurm(9, 'squeue', { restart_count: 2, state: 'FAILED' }))[0]).toBe('failed');
  });

  it('takes the least restart of its last job where the environment said nothing', () => {
    const events = [
      slurm(2, 'squeue', { restart_count: 2, state: 'PENDING', array_task_id: '7' }),
      slurm(3, 'squeue', { restart_count: 1, array_task_id: 5 }),
      slurm(1, 'squeue', { job_id: 90, state: 'PENDING' }),
    ].map((e) => ({ ...e, attempt: A }));
    expect(
      pick(run(file(A, [created(0), ...events])), 'status', 'slurm_job_id', 'slurm_array_task_id'),
    ).toEqual(['pending', '100', '5']);
  });
});

describe('slurm_jobs', () => {
  it('merges column by column, by source before time', () => {
    const attempt = 'at';
    const rows = jobs(
      file(A, [
        created(0),
        slurm(9, 'env', { partition: 'env', cpus: 8, node_list: 'n1', exit_code: 137 }),
        slurm(5, 'sacct', {
          attempt,
          partition: 'sacct',
          state: 'CANCELLED by 1000',
          exit_code: 9,
          ended_at: at(5),
        }),
        slurm(8, 'squeue', {
          attempt: 'other',
          partition: 'squeue',
          state: 'COMPLETING',
          gpus: 1,
          memory_mb: 0.5,
        }),
        slurm(10, 'sacct', {
          attempt,
          state: 'RUNNING',
          exit_code: 10,
          started_at: '2026-11-23T11:00:00+01:00',
        }),
        slurm(1, 'env', { restart_count: 1 }),
      ]),
    );
    expect(rows).toEqual([
      {
        run_id: RUN,
        job_id: '100',
        array_job_id: null,
        array_task_id: null,
        restart_count: 0,
        attempt: A,
        state: 'CANCELLED by 1000',
        reason: null,
        partition: 'sacct',
        account: null,
        node_list: 'n1',
        cpus: 8,
        gpus: 1,
        memory_mb: 0.5,
        time_limit_seconds: null,
        submitted_at: null,
        started_at: at(0),
        ended_at: at(5),
        exit_code: 137,
        signal: null,
        max_rss_mb: null,
        cpu_seconds: null,
        stdout_path: null,
        stderr_path: null,
      },
      expect.objectContaining({ job_id: '100', restart_count: 1, attempt: A, state: null, exit_code: null }),
    ]);
  });
});

describe('run_metrics', () => {
  it('keeps what is not finite apart', () => {
    const line = JSON.stringify(metric(1, { seq: 2 })).slice(0, -1);
    const extra = '{"b":1,"acc":"Infinity","10":2,"9":3,"n":null}';
    const rest = `"f1":-0,"gpu_memory_mb":"-Infinity","loss":"NaN","extra":${extra}}`;
    const tables = model([
      file(A, [`${line},${rest}\n`, metric(2, { extra: { x: 'NaN' } }), metric(3, { extra: {} })]),
    ]);
    expect(tables.run_metrics[0]).toEqual({
      run_id: RUN,
      writer: A,
      seq: 2,
      ts: at(1),
      elapsed_seconds: 1,
      epoch: null,
      step: null,
      loss: null,
      f1: 0,
      fitness: null,
      behavioral_comparison: null,
      gpu_memory_mb: null,
      extra: '{"9":3,"10":2,"b":1}',
      nonfinite: '{"loss":"NaN","gpu_memory_mb":"-Infinity","extra.acc":"Infinity"}',
    });
    expect(pick(tables.run_metrics[1], 'extra', 'nonfinite')).toEqual([null, '{"extra.x":"NaN"}']);
    expect(pick(tables.run_metrics[2], 'extra', 'nonfinite')).toEqual([null, null]);
  });
});

describe('the view and run_results', () => {
  it('summarises one attempt', () => {
    const row = results(
      file(A, [
        created(0),
        metric(1, { epoch: 1, loss: 0.5, f1: 0.1, gpu_memory_mb: 10, extra: { ü: 1, z: 5 } }),
        metric(2, { epoch: 2, loss: 0.25, f1: 0.9, extra: { z: 3 } }),
        metric(3, { epoch: 3, loss: 0.25, f1: 'NaN', gpu_memory_mb: 30, extra: { z: 4, q: 'NaN' } }),
        metric(2, { loss: 'Infinity', fitness: 2 }),
        ev('result', 9, { results: { a: 1, b: { c: 1 } } }),
        ev('result', 8, { results: { b: null, d: 1 } }),
      ]),
    );
    expect(row).toEqual({
      run_id: RUN,
      best_loss: 0.25,
      best_loss_epoch: 2,
      final_loss: 0.25,
      best_f1: 0.9,
      best_f1_epoch: 2,
      final_f1: 0.9,
      best_fitness: 2,
      best_fitness_epoch: null,
      final_fitness: 2,
      best_behavioral_comparison: null,
      best_behavioral_comparison_epoch: null,
      final_behavioral_comparison: null,
      last_epoch: 3,
      total_elapsed_seconds: 3,
      peak_gpu_memory_mb: 30,
      points: 4,
      extra: '{"z":{"min":3,"max":5,"final":4},"ü":{"min":1,"max":1,"final":1}}',
      // By ts: the one of minute 8 first.
      results: '{"b":{"c":1},"d":1,"a":1}',
    });
    expect(Object.keys(row)).toHaveLength(19);
  });

  it('has a row for a result alone, and none for nothing', () => {
    expect(
      pick(results(file(A, [created(0), ev('result', 1, { results: {} })])), 'points', 'results'),
    ).toEqual([0, '{}']);
    expect(
      results(file(A, [created(0), ev('result', 1, { results: {} })]))['total_elapsed_seconds'],
    ).toBeNull();
    expect(model([file(A, [created(0)])]).run_results).toEqual([]);
  });

  it('starts over with an attempt that does not resume', () => {
    const row = results(
      file(A, [created(0), metric(1, { loss: 0.1 }), ev('result', 1, { results: { old: 1 } })]),
      file(B, [created(10), metric(11, { loss: 0.5 })]),
    );
    expect(pick(row, 'best_loss', 'points', 'total_elapsed_seconds', 'results')).toEqual([0.5, 1, 11, null]);
  });

  it('makes one curve of a requeued run that resumes, by steps', () => {
    const files = [
      file(A, [created(0), ...[1, 2, 3, 4].map((n) => metric(n, { step: n * 10, epoch: n, loss: n }))]),
      file(B, [
        created(10, { resume: true }),
        metric(5, { step: 30, epoch: 3, loss: 7 }),
        metric(6, { step: 40, loss: 8 }),
      ]),
    ];
    // Superseded are the steps 30 and 40 of the first attempt.
    expect(
      pick(results(...files), 'points', 'best_loss', 'final_loss', 'last_epoch', 'total_elapsed_seconds'),
    ).toEqual([4, 1, 8, 3, 2 + 6]);
    expect(model(files).run_metrics).toHaveLength(6);
    expect(run(...files)['attempt_count']).toBe(2);
  });

  it('compares steps with steps and epochs with epochs', () => {
    const row = results(
      file(A, [
        created(0),
        metric(1, { step: 5, epoch: 9, f1: 1 }), // no later step: stays, its epoch is not asked
        metric(2, { epoch: 2, f1: 2 }), // superseded by the epoch 2 of a point with a step
        metric(3, { epoch: 1, f1: 3 }), // below
        metric(4, { f1: 4 }), // neither
      ]),
      file(B, [created(10, { resume: true }), metric(5, { step: 6, epoch: 2, f1: 5 })]),
    );
    expect(pick(row, 'points', 'best_f1', 'total_elapsed_seconds')).toEqual([4, 5, 9]);
  });

  it('counts superseded points when it looks for the lowest', () => {
    // The third supersedes step 2 of the second, which still supersedes step 3 of the first.
    const row = results(
      file(A, [created(0), metric(1, { step: 1 }), metric(2, { step: 3 })]),
      file(B, [created(10, { resume: true }), metric(3, { step: 2 })]),
      file(C, [created(20, { resume: true }), metric(4, { step: 2 })]),
    );
    expect(pick(row, 'points', 'total_elapsed_seconds')).toEqual([2, 5]);
  });

  it('begins at the first attempt if all resume', () => {
    const row = results(
      file(A, [created(0, { resume: true }), metric(1, { step: 1 })]),
      file(B, [created(10, { resume: true }), metric(3, { step: 2 })]),
    );
    expect(row['points']).toBe(2);
  });

  it('takes resume from the first run_created of an attempt', () => {
    const row = results(
      file(A, [created(0), metric(1, { step: 1 })]),
      file(B, [created(10, { resume: true }), created(11, { resume: false }), metric(3, { step: 2 })]),
    );
    expect(row['points']).toBe(2);
  });

  it('has the points of no attempt in view, last and apart', () => {
    const row = results(
      file(A, [
        metric(1, { step: 1, loss: 3, attempt: 'zz' }),
        metric(4, { step: 1, loss: 4, attempt: 'aa' }),
      ]),
      file(B, [created(10), metric(2, { step: 1, loss: 1 })]),
      file(C, [created(20, { resume: true }), metric(5, { step: 2, loss: 2 })]),
    );
    // They neither supersede nor are superseded; among themselves they go by writer and seq, not by attempt.
    expect(pick(row, 'points', 'best_loss', 'final_loss', 'total_elapsed_seconds')).toEqual([
      4,
      1,
      4,
      2 + 5 + 4 + 1,
    ]);
  });
});

describe('tables', () => {
  it('are sorted by UTF-8 bytes, whatever the order of the files', () => {
    const one = raw('events/x/\u{1f600}.ndjson', [metric(1), 'bad\n']);
    const two = raw('events/x/\uff5e.ndjson', ['bad\n', metric(1), metric(2)]);
    // U+FF5E is ef bd 9e, U+1F600 is f0 9f 98 80; UTF-16 would have it the other way.
    const tables = model([one, two]);
    expect(tables.run_metrics.map((row) => row['writer'])).toEqual(['x/\uff5e', 'x/\uff5e', 'x/\u{1f600}']);
    expect(tables.rejected.map((row) => row['file'])).toEqual([two.path, one.path]);
    expect(model([two, one])).toEqual(tables);
  });

  it('are empty without files', () => {
    expect(Object.values(model([]))).toEqual([[], [], [], [], [], []]);
  });
});
