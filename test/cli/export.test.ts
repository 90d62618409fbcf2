// runfold export: the files, read back by another program, are the tables.
import * as fs from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { EXPORTED_TABLES, EXPORT_FORMATS } from '../../src/cli/export/names.ts';
import { csv, Duck, lines, parquet } from './export/duck.ts';
import { startCli } from '../process/cli-process.ts';
import { until } from '../process/until.ts';
import { Desk, ndjson } from './command.ts';

const HOSTILE = `=cmd|' /C calc'!A0 \u202E "x", \u001B[2J\0\r\nnext`;
const MAX = 2 ** 53 - 1;

/** Something in every table, and what is dangerous somewhere. */
async function filled(): Promise<Desk> {
  const desk = await Desk.withLog();
  const stdin = ndjson(
    {
      type: 'run_created',
      ts: '2026-11-23T10:00:00.123+02:00',
      experiment_number: MAX,
      dataset: '@dataset',
      method: 'mlp',
      subject: '',
      cl_info: 'a;b',
      seed: -MAX,
      config: JSON.parse('{"__proto__": 1, "big": 9007199254740991, "text": "\\ud800 ü"}') as unknown,
      tags: ['=1+1', ' '],
      notes: HOSTILE,
      code: { git_commit: 'abc', git_dirty: true, command: 'python x.py', cwd: '/tmp' },
    },
    { type: 'status_changed', status: 'running', source: 'job' },
    { type: 'metric', epoch: 1, step: MAX, loss: 0.1, f1: 1e-320, extra: { __proto__: 0.5, acc: 0.25 } },
    { type: 'metric', epoch: 2, loss: 'NaN', fitness: -1.5, gpu_memory_mb: 12, extra: { acc: '-Infinity' } },
    { type: 'metric', behavioral_comparison: 3 },
    { type: 'result', results: { accuracy: 0.9, 'a"b': [1, { c: null }] } },
    { type: 'error', exception_type: 'ValueError', message: HOSTILE, traceback: '-1\n+2' },
    {
      type: 'slurm_info',
      source: 'env',
      job_id: '4711',
      array_job_id: '4700',
      array_task_id: '3',
      restart_count: 1,
      state: 'RUNNING',
      partition: 'gpu',
      cpus: 4,
      gpus: 1,
      memory_mb: 1024.5,
      submitted_at: '2026-11-23T09:00:00Z',
    },
    { type: 'status_changed', status: 'completed', exit_code: 0 },
    { type: 'run_created', dataset: 'plain', seed: 2 },
  );
  expect(await desk.run(['emit', '-'], { stdin })).toMatchObject({ code: 0 });
  expect(await desk.run(['sync'])).toMatchObject({ code: 0 });
  return desk;
}

const JSON_COLUMNS = new Set(['config', 'tags', 'extra', 'results', 'nonfinite']);
const BOOLEANS = new Set(['hidden', 'git_dirty']);
const KEYS = {
  experiment_runs: 'run_id',
  run_metrics: 'run_id, writer, seq',
  run_results: 'run_id',
  run_errors: 'run_id, writer, seq',
  slurm_jobs: 'run_id, job_id, restart_count',
};

type Row = Record<string, string | number | null>;

function tableOf(desk: Desk, table: (typeof EXPORTED_TABLES)[number]): Row[] {
  const db = new Database(desk.db, { readonly: true });
  try {
    return db.prepare<[], Row>(`SELECT * FROM ${table} ORDER BY ${KEYS[table]}`).all();
  } finally {
    db.close();
  }
}

function mapped(rows: readonly Row[], map: (name: string, value: Row[string]) => unknown): unknown[] {
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value === null ? null : map(name, value)]),
    ),
  );
}

/** What --no-sync says, and nothing else. */
const AS_IT_IS = expect.stringMatching(/^as of \S+ \([^)]*\), not synced since\n$/) as string;

test('no table of the test is empty', async () => {
  const desk = await filled();
  for (const table of EXPORTED_TABLES) expect(tableOf(desk, table), table).not.toEqual([]);
});

test('Parquet has the tables', async () => {
  const desk = await filled();
  const ran = await desk.run(['export', 'out', '--format', 'parquet', '--no-sync']);
  expect(ran).toMatchObject({ code: 0, stderr: AS_IT_IS });
  expect(ran.stdout).toContain('out/run_metrics.parquet: 3 rows\n');
  expect(fs.readdirSync(path.join(desk.cwd, 'out')).toSorted()).toEqual(
    EXPORTED_TABLES.map((table) => `${table}.parquet`).toSorted(),
  );
  const duck = await Duck.start();
  for (const table of EXPORTED_TABLES) {
    const file = path.join(desk.cwd, `out/${table}.parquet`);
    const types = await duck.types(parquet(file));
    const columns = Object.entries(types).map(([name, type]) => {
      if (type === 'TIMESTAMP WITH TIME ZONE')
        return `strftime("${name}" AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')`;
      return type === 'JSON' ? `CAST("${name}" AS VARCHAR)` : `"${name}"`;
    });
    const read = await duck.rows(`SELECT ${columns.join(', ')} FROM read_parquet('${file}')`);
    const rows = read.map((row) =>
      Object.fromEntries(
        Object.keys(types).map((name, index) => [
          name,
          typeof row[index] === 'bigint' ? Number(row[index]) : row[index],
        ]),
      ),
    );
    expect(rows).toEqual(
      mapped(tableOf(desk, table), (name, value) => (BOOLEANS.has(name) ? value === 1 : value)),
    );
    const json = Object.entries(types)
      .filter(([, type]) => type === 'JSON')
      .map(([name]) => name);
    expect(
      json.every((name) => JSON_COLUMNS.has(name)),
      table,
    ).toBe(true);
  }
});

test('NDJSON has the tables, with JSON columns as JSON', async () => {
  const desk = await filled();
  expect(await desk.run(['export', 'out', '--format', 'ndjson', '--no-sync'])).toMatchObject({ code: 0 });
  const duck = await Duck.start();
  for (const table of EXPORTED_TABLES) {
    const file = path.join(desk.cwd, `out/${table}.ndjson`);
    const rows = (await duck.rows(lines(file))).map(([line]) => JSON.parse(String(line)) as unknown);
    const convert = (name: string, value: Row[string]): unknown =>
      JSON_COLUMNS.has(name)
        ? (JSON.parse(String(value)) as unknown)
        : BOOLEANS.has(name)
          ? value === 1
          : value;
    expect(rows).toEqual(mapped(tableOf(desk, table), convert));
    expect(fs.readFileSync(file, 'utf8')).toMatch(/^[\n -~]*$/);
  }
});

test('CSV has the tables: exactly with --no-escape, else with nothing that acts', async () => {
  const desk = await filled();
  expect(await desk.run(['export', '--no-escape', '--no-sync'])).toMatchObject({ code: 0 });
  expect(await desk.run(['export', 'safe', '--no-sync'])).toMatchObject({ code: 0 });
  const duck = await Duck.start();
  for (const table of EXPORTED_TABLES) {
    const file = path.join(desk.cwd, `runfold-export/${table}.csv`);
    const expected = mapped(tableOf(desk, table), (name, value) =>
      BOOLEANS.has(name) ? String(value === 1) : String(value),
    );
    const names = Object.keys(await duck.types(csv(file)));
    const rows = (await duck.rows(csv(file))).map((row) =>
      Object.fromEntries(names.map((name, index) => [name, row[index]])),
    );
    expect(rows).toEqual(expected);

    const safe = path.join(desk.cwd, `safe/${table}.csv`);
    expect(fs.readFileSync(safe, 'utf8')).not.toMatch(/[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}]/u);
    for (const row of await duck.rows(csv(safe))) {
      const acting = row.filter((value) => typeof value === 'string' && /^\s*[=+\-@]/.test(value));
      expect(acting.filter((value) => !Number.isFinite(Number(value)))).toEqual([]);
    }
  }
  const { stdout } = await desk.run(['export', '-', '--table', 'experiment_runs', '--no-sync']);
  expect(stdout).toContain(String.raw`'=cmd|' /C calc'!A0 \u{202e}`);
});

test('to stdout goes one table, as CSV or NDJSON', async () => {
  const desk = await filled();
  const points = await desk.run(['export', '-', '--table', 'run_metrics', '--format', 'ndjson', '--no-sync']);
  expect(points).toMatchObject({ code: 0, stderr: AS_IT_IS });
  expect(points.stdout.trimEnd().split('\n')).toHaveLength(3);
  for (const wrong of [
    ['-'],
    ['-', '--table', 'run_metrics', '--table', 'run_errors'],
    ['-', '--table', 'run_metrics', '--format', 'parquet'],
    ['out', '--table', '_files'],
    ['out', '--format', 'ndjson', '--no-escape'],
  ]) {
    expect(await desk.run(['export', ...wrong]), wrong.join(' ')).toMatchObject({ code: 2, stdout: '' });
  }
  expect(fs.existsSync(path.join(desk.cwd, 'out'))).toBe(false);
});

test.each(EXPORT_FORMATS)('%s: a file that is there is replaced with --force alone', async (format) => {
  const desk = await filled();
  const folder = path.join(desk.cwd, 'out');
  fs.mkdirSync(folder);
  const mine = path.join(folder, `run_errors.${format}`);
  fs.writeFileSync(mine, 'mine');
  const refused = await desk.run(['export', 'out', '--format', format]);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/run_errors.*--force/s);
  expect(fs.readdirSync(folder)).toEqual([path.basename(mine)]);
  // that table alone was not asked for
  expect(await desk.run(['export', 'out', '--format', format, '--table', 'run_metrics'])).toMatchObject({
    code: 0,
  });
  expect(await desk.run(['export', 'out', '--format', format, '--force'])).toMatchObject({ code: 0 });
  expect(fs.readFileSync(mine, 'utf8')).not.toBe('mine');
  expect(fs.readdirSync(folder)).toHaveLength(EXPORTED_TABLES.length);
});

test('what is interrupted leaves no file', async () => {
  const desk = await filled();
  const aborted = await desk.run(['export', 'out', '--no-sync'], { signal: AbortSignal.abort() });
  expect(aborted).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^(as of .*\n)?interrupted\n$/) as string,
  });
  const out = path.join(desk.cwd, 'out');
  expect(fs.existsSync(out) ? fs.readdirSync(out) : []).toEqual([]);
});

test('what is killed leaves no file that looks whole', async () => {
  const desk = await filled();
  addPoints(desk, 150_000);
  const started = startCli(['export', 'out', '--no-sync'], { cwd: desk.cwd, env: { RUNFOLD_DB: desk.db } });
  const folder = path.join(desk.cwd, 'out');
  await until(
    'points are written',
    () => sizeOf(path.join(folder, `.run_metrics.csv.part-${started.pid}`)) > 0,
  );
  await started.destroy();
  expect(fs.readdirSync(folder).filter((name) => !/^\..*\.part-\d+$/.test(name))).toEqual([]);
  expect(await desk.run(['export', 'out', '--no-sync'])).toMatchObject({ code: 0 });
});

test('without a log nothing is made', async () => {
  const desk = new Desk();
  expect(await desk.run(['export'])).toMatchObject({ code: 1, stdout: '' });
  expect(fs.readdirSync(desk.cwd)).toEqual([]);
});

test('all is of one moment, though the database is written meanwhile', async () => {
  const desk = await filled();
  addPoints(desk, 150_000);
  const before = tableOf(desk, 'run_errors').length;
  const started = startCli(['export', 'out', '--no-sync'], { cwd: desk.cwd, env: { RUNFOLD_DB: desk.db } });
  // it has begun when the first points are there, and errors come after all points
  await until(
    'points are written',
    () => sizeOf(path.join(desk.cwd, `out/.run_metrics.csv.part-${started.pid}`)) > 0,
  );
  const db = new Database(desk.db);
  db.exec(`INSERT INTO run_errors VALUES ('r', 'w', 1, '2026-11-23T10:00:00.000Z', 'a', 'E', 'late', NULL)`);
  db.close();
  expect(await started.ended).toMatchObject({ code: 0, stderr: AS_IT_IS });
  const duck = await Duck.start();
  expect(await duck.rows(csv(path.join(desk.cwd, 'out/run_errors.csv')))).toHaveLength(before);
  expect(tableOf(desk, 'run_errors')).toHaveLength(before + 1);
});

test('on a terminal it says how far it is', async () => {
  const desk = await filled();
  // each look at the clock is later by more than what is done at once takes
  let at = Date.now();
  const clock = { now: () => (at += 250) };
  const { stderr } = await desk.run(['export', '--no-sync'], { isTTY: true, clock });
  expect(stderr).toMatch(/exporting: [\d,]+ of [\d,]+ rows, \d+ %/);
  expect(stderr.endsWith('\r\u001B[K')).toBe(true);
});

/** Enough for an export to be looked at while it goes on. */
function addPoints(desk: Desk, count: number): void {
  const db = new Database(desk.db);
  const insert = db.prepare(
    `INSERT INTO run_metrics (run_id, writer, seq, ts, elapsed_seconds) VALUES (?, 'w', ?, '2026-11-23T10:00:00.000Z', 0)`,
  );
  db.transaction(() => {
    for (let seq = 0; seq < count; seq += 1) insert.run('0'.repeat(16), seq);
  })();
  db.close();
}

function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
