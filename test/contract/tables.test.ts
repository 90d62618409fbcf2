// The tables themselves: names, columns, keys and what the schema holds to.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { IN_MEMORY, openForWriting } from '../../src/db/open.ts';
import { given } from '../helpers/given.ts';
import {
  A,
  KEY,
  RUN,
  at,
  created,
  errorEvent,
  metric,
  result,
  slurm,
  status,
  writerFile,
} from '../helpers/lines.ts';

const COLUMNS = {
  experiment_runs:
    'run_id experiment_number dataset method subject cl_info seed status status_reason exit_code config tags notes hidden ' +
    'slurm_job_id slurm_array_task_id host user_name git_commit git_dirty command cwd attempt_count created_at started_at finished_at',
  run_metrics:
    'run_id writer seq ts elapsed_seconds epoch step loss f1 fitness behavioral_comparison gpu_memory_mb extra nonfinite',
  run_results:
    'run_id best_loss best_loss_epoch final_loss best_f1 best_f1_epoch final_f1 best_fitness best_fitness_epoch final_fitness ' +
    'best_behavioral_comparison best_behavioral_comparison_epoch final_behavioral_comparison last_epoch ' +
    'total_elapsed_seconds peak_gpu_memory_mb points extra results',
  run_errors: 'run_id writer seq ts attempt exception_type message traceback',
  slurm_jobs:
    'run_id job_id array_job_id array_task_id restart_count attempt state reason partition account node_list cpus gpus ' +
    'memory_mb time_limit_seconds submitted_at started_at ended_at exit_code signal max_rss_mb cpu_seconds stdout_path stderr_path',
  _rejected: 'file offset length code message excerpt',
};

function empty(): Database.Database {
  const db = openForWriting(IN_MEMORY);
  onTestFinished(() => {
    db.close();
  });
  return db;
}

function columns(db: Database.Database, table: string): { name: string; pk: number }[] {
  return db.pragma(`table_info(${table})`) as { name: string; pk: number }[];
}

function schemaSql(db: Database.Database): { name: string; type: string; sql: string | null }[] {
  return db.prepare('SELECT name, type, sql FROM sqlite_master').all() as {
    name: string;
    type: string;
    sql: string | null;
  }[];
}

describe('the schema', () => {
  test('five tables; bookkeeping is in tables whose names start with _', () => {
    const tables = schemaSql(empty()).filter(({ type, name }) => type === 'table' && !name.startsWith('_'));
    expect(tables.map(({ name }) => name).toSorted()).toEqual(
      ['experiment_runs', 'run_errors', 'run_metrics', 'run_results', 'slurm_jobs'],
    ); // prettier-ignore
  });

  test.each(Object.entries(COLUMNS))('the columns of %s', (table, names) => {
    expect(columns(empty(), table).map(({ name }) => name)).toEqual(names.split(' '));
  });

  test('primary keys: run_id, and of run_metrics (run_id, writer, seq), WITHOUT ROWID', () => {
    const db = empty();
    const keyOf = (table: string): string[] =>
      columns(db, table).filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk).map(({ name }) => name); // prettier-ignore
    expect(keyOf('experiment_runs')).toEqual(['run_id']);
    expect(keyOf('run_results')).toEqual(['run_id']);
    expect(keyOf('run_metrics')).toEqual(['run_id', 'writer', 'seq']);
    expect(() => db.prepare('SELECT rowid FROM run_metrics')).toThrow(/no such column/);
  });

  test('a run’s series is one contiguous range', () => {
    const plan = empty()
      .prepare('EXPLAIN QUERY PLAN SELECT loss FROM run_metrics WHERE run_id = ? ORDER BY writer, seq')
      .all('x');
    expect(plan).toMatchObject([{ detail: 'SEARCH run_metrics USING PRIMARY KEY (run_id=?)' }]);
  });

  test('no foreign keys', () => {
    const db = empty();
    for (const { name } of schemaSql(db).filter(({ type }) => type === 'table')) {
      expect(db.pragma(`foreign_key_list(${name})`), name).toEqual([]);
    }
  });

  test('nothing newer than SQLite 3.26', () => {
    // generated columns are of 3.31, STRICT of 3.37, the names true and false in a CHECK are of 3.23
    const newer =
      /\bSTRICT\b|\bGENERATED\b|\bAS\s*\(|\bRETURNING\b|->>?|\bMATERIALIZED\b|\bNULLS\s+(FIRST|LAST)\b|\biif\s*\(/i;
    for (const { name, sql } of schemaSql(empty())) expect(sql ?? '', name).not.toMatch(newer);
  });

  test('another SQLite reads a snapshot', async ({ skip }) => {
    const python = spawnSync('python3', ['-c', 'import sqlite3; print(sqlite3.sqlite_version)'], {
      encoding: 'utf8',
    });
    if (python.status !== 0) skip('there is no Python with sqlite3 here');
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'runfold-snapshot-'));
    onTestFinished(() => fs.rmSync(dir, { recursive: true }));
    const snapshot = path.join(dir, 'snapshot.db');
    const { db } = await given(writerFile(A, created(0), metric(1, { loss: 2 })));
    await db.backup(snapshot);
    const script =
      'import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute("SELECT best_loss, points FROM run_results JOIN experiment_runs USING (run_id)").fetchall())';
    const read = spawnSync('python3', ['-c', script, snapshot], { encoding: 'utf8' });
    expect(read.stdout.trim(), read.stderr).toBe('[(2.0, 1)]');
  });

  test('types are held by CHECK where zod has not held them already', () => {
    const db = empty();
    const insert = (column: string, value: unknown): (() => unknown) => {
      const row = {
        run_id: RUN,
        ...KEY,
        status: 'pending',
        config: '{}',
        tags: '[]',
        hidden: 0,
        attempt_count: 1,
        created_at: at(0),
      };
      const wrong: Record<string, unknown> = { ...row, [column]: value };
      const names = Object.keys(wrong);
      const sql = `INSERT INTO experiment_runs (${names.join()}) VALUES (${names.map((name) => `@${name}`).join()})`;
      return () => db.prepare(sql).run(wrong);
    };
    expect(insert('status', 'cancelled')).toThrow(/CHECK/);
    expect(insert('hidden', 2)).toThrow(/CHECK/);
    expect(insert('git_dirty', 2)).toThrow(/CHECK/);
    expect(insert('attempt_count', 0)).toThrow(/CHECK/);
    expect(insert('git_dirty', 1)).not.toThrow();
  });

  test('experiment_runs is UNIQUE over the key with NULLs counted as equal', () => {
    const db = empty();
    const insert = db.prepare(
      `INSERT INTO experiment_runs (run_id, experiment_number, dataset, method, subject, cl_info, seed, status, config,
         tags, hidden, attempt_count, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', '{}', '[]', 0, 1, '')`,
    );
    insert.run('a', 1, 'd', 'm', null, null, null);
    expect(() => insert.run('b', 1, 'd', 'm', null, null, null)).toThrow(/UNIQUE/);
    // what is not equal may be there too, the empty string and 0 among it
    insert.run('c', 1, 'd', 'm', '', null, null);
    insert.run('d', 1, 'd', 'm', null, '', null);
    insert.run('e', 1, 'd', 'm', null, null, 0);
    insert.run('f', 1, 'd', 'm', '', '', 0);
    expect(() => insert.run('g', 1, 'd', 'm', '', '', 0)).toThrow(/UNIQUE/);
    expect(() => insert.run('h', 1, 'd', 'm', '', null, null)).toThrow(/UNIQUE/);
  });
});

describe('runs whose run_created has not come', () => {
  const rest = [
    metric(1, { loss: 2, seq: 2 }), errorEvent(2, { seq: 3 }), slurm(3, 'env', { seq: 4 }),
    result(4, { a: 1 }, { seq: 5 }), status(5, 'completed', { seq: 6 }),
  ]; // prettier-ignore

  test('run_metrics and run_errors hold their rows too', async () => {
    const outcome = await given(writerFile(A, ...rest));
    outcome.expectRejected();
    outcome
      .expectRows('run_metrics', [{ run_id: RUN, seq: 2 }])
      .expectRows('run_errors', [{ run_id: RUN, seq: 3 }]);
    for (const table of ['experiment_runs', 'run_results', 'slurm_jobs'] as const)
      outcome.expectRows(table, []);
    outcome.expectFinding({ kind: 'orphan', where: `run ${RUN}` });
  });

  test('the other tables have the run when it comes', async () => {
    (await given(writerFile(A, ...rest, created(0))))
      .expectRun({ run_id: RUN, status: 'completed', slurm_job_id: '100' })
      .expectResults({ run_id: RUN, points: 1, best_loss: 2, results: { a: 1 } })
      .expectJobs({ run_id: RUN, job_id: '100' });
  });
});
