// runfold sql as a process: it answers, it only reads, and it ends when it must.
import * as fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { distinct } from '../../src/cli/sql/run-query.ts';
import { runCliProcess, startCli, type Ended } from '../process/cli-process.ts';
import { until } from '../process/until.ts';
import { readCsv } from './format/csv-reader.ts';
import { Desk } from './command.ts';

const ENDLESS = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT';

/** How old the answer is, which is told without a sync. */
const AS_OF = /^as of .*, not synced since\n/;

async function prepared(): Promise<Desk> {
  const desk = await Desk.withLog();
  await desk.run(['emit', 'run-created', '--dataset', 'iris', '--seed', '1']);
  await desk.run(['sync']);
  return desk;
}

async function sql(desk: Desk, ...args: string[]): Promise<Ended> {
  const ran = await runCliProcess(['sql', '--no-sync', ...args], {
    cwd: desk.cwd,
    env: { RUNFOLD_DB: desk.db },
  });
  return { ...ran, stderr: ran.stderr.replace(AS_OF, '') };
}

test('answers in every format, by default as a table', async () => {
  const desk = await prepared();
  const query = 'SELECT dataset, seed, notes FROM experiment_runs -- all of them';
  expect((await sql(desk, query)).stdout).toBe('dataset  seed  notes\niris        1  -\n');
  expect(JSON.parse((await sql(desk, query, '--json')).stdout)).toEqual([
    { dataset: 'iris', seed: 1, notes: null },
  ]);
  expect((await sql(desk, query, '--format', 'ndjson')).stdout).toBe(
    '{"dataset":"iris","seed":1,"notes":null}\n',
  );
  expect((await sql(desk, query, '--format', 'csv')).stdout).toBe('dataset,seed,notes\niris,1,\n');
  expect((await sql(desk, query, '--format', 'markdown')).stdout).toMatch(/^\| dataset/);
  expect((await sql(desk, query, '--format', 'latex')).stdout).toContain(String.raw`\toprule`);
  expect((await sql(desk, 'SELECT 1 AS a LIMIT 0', '--json')).stdout).toBe('[]\n');
  expect(await sql(desk, 'SELECT 1 AS a LIMIT 0')).toMatchObject({
    code: 0,
    stdout: '',
    stderr: 'no rows\n',
  });
});

test('a query that begins with a comment comes after --', async () => {
  const desk = await prepared();
  const query = '-- one\nSELECT 1 AS one';
  expect(await sql(desk, query)).toMatchObject({ code: 2, stdout: '' });
  expect(await sql(desk, '--format', 'csv', '--', query)).toMatchObject({ code: 0, stdout: 'one\n1\n' });
});

test('takes the query from stdin, and reads the log first', async () => {
  const desk = await prepared();
  await desk.run(['emit', 'run-created', '--dataset', 'wine']);
  const started = startCli(['sql', '-', '--format', 'csv'], { cwd: desk.cwd, env: { RUNFOLD_DB: desk.db } });
  started.child.stdin?.end('SELECT count(*) AS runs\nFROM experiment_runs;\n');
  expect(await started.ended).toMatchObject({
    code: 0,
    stdout: 'runs\n2\n',
    stderr: expect.stringMatching(/^as of /) as string,
  });
});

test('numbers are exact, blobs hexadecimal, columns of one name kept apart', async () => {
  const desk = await prepared();
  const query = `SELECT 9007199254740991 AS safe, 9223372036854775807 AS a, -9007199254740993 AS a, x'00ff' AS a_2, 9e999 AS inf, '' AS empty, NULL AS "__proto__", 0.1`;
  const { stdout } = await sql(desk, query, '--format', 'ndjson');
  expect(stdout).toBe(
    '{"safe":9007199254740991,"a":"9223372036854775807","a_3":"-9007199254740993","a_2":"00ff","inf":"Infinity","empty":"","__proto__":null,"0.1":0.1}\n',
  );
  expect(readCsv((await sql(desk, query, '--format', 'csv')).stdout)[1]).toEqual([
    '9007199254740991',
    '9223372036854775807',
    '-9007199254740993',
    '00ff',
    'Infinity',
    '',
    null,
    '0.1',
  ]);
});

test('property: names become distinct, and the first of each stays', () => {
  const name = fc.oneof(fc.constantFrom('a', 'a_2', 'a_3', '__proto__', ''), fc.string());
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const unique = distinct(names);
      expect(new Set(unique).size).toBe(names.length);
      for (const [index, given] of names.entries())
        if (names.indexOf(given) === index) expect(unique[index]).toBe(given);
    }),
  );
});

describe('only reads', () => {
  test.each([
    `INSERT INTO run_errors VALUES ('r','w',1,'t','a','e','m',NULL)`,
    'DELETE FROM experiment_runs RETURNING *',
    'UPDATE experiment_runs SET notes = 1',
    'DROP TABLE run_metrics',
    'CREATE TEMP TABLE t (a)',
    `ATTACH 'other.db' AS other`,
    `VACUUM INTO 'copy.db'`,
    'VACUUM',
    'PRAGMA user_version = 7',
    'PRAGMA journal_mode = DELETE',
    'PRAGMA wal_checkpoint(TRUNCATE)',
    'PRAGMA writable_schema = ON',
    'BEGIN',
    'SELECT 1; DELETE FROM experiment_runs',
    'SELECT 1; SELECT 2',
    '',
    '-- nothing',
    'selec 1',
    'SELECT * FROM nothing',
    'SELECT ?',
  ])('%j is refused', async (query) => {
    const desk = await prepared();
    const before = fs.readFileSync(desk.db);
    const ran = await sql(desk, query);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).not.toContain('bug');
    expect(fs.readFileSync(desk.db).equals(before)).toBe(true);
    expect(fs.readdirSync(desk.cwd).filter((name) => /other|copy/.test(name))).toEqual([]);
  });

  test.each([
    'PRAGMA table_info(run_metrics)',
    'EXPLAIN QUERY PLAN SELECT 1',
    'VALUES (1)',
    'PRAGMA user_version',
  ])('%j is answered', async (query) => {
    expect(await sql(await prepared(), query)).toMatchObject({ code: 0, stderr: '' });
  });

  test('SQLite says what is wrong with a query', async () => {
    const desk = await prepared();
    expect((await sql(desk, 'selec 1')).stderr).toContain('near "selec": syntax error');
    expect((await sql(desk, 'SELECT * FROM foo')).stderr).toContain(
      'runfold: no such table: foo\n  There are: experiment_runs, run_metrics, run_results, run_errors, slurm_jobs.\n',
    );
    expect((await sql(desk, 'SELECT * FROM run_metric')).stderr).toContain('\n  Did you mean run_metrics?\n');
    expect(await sql(desk, `SELECT json('{')`)).toMatchObject({
      code: 1,
      stderr: 'runfold: malformed JSON\n',
    });
    expect(await sql(desk, `SELECT load_extension('x')`)).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('ends', () => {
  test('at the deadline', async () => {
    const ran = await sql(await prepared(), `${ENDLESS} count(*) FROM c`, '--timeout', '0.5s');
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/not over after 0\.5 s\n.*--timeout/);
  });

  test('with Ctrl-C', async () => {
    const desk = await prepared();
    const started = startCli(
      ['sql', '--no-sync', `${ENDLESS} x FROM c`, '--format', 'csv', '--timeout', '0'],
      { cwd: desk.cwd, env: { RUNFOLD_DB: desk.db } },
    );
    await until('it answers', () => started.stdout.length > 0);
    started.kill('SIGINT');
    const { code, stderr } = await started.ended;
    expect({ code, stderr: stderr.replace(AS_OF, '') }).toEqual({ code: 1, stderr: 'interrupted\n' });
  });

  test('with the rows that are wanted', async () => {
    const desk = await prepared();
    const cut = await sql(desk, `${ENDLESS} x FROM c`, '--timeout', '0');
    expect(cut.stdout.split('\n')).toHaveLength(1002);
    expect(cut.stderr).toBe('only the first 1,000 rows; --limit 0 prints all\n');
    const whole = await sql(desk, `${ENDLESS} x FROM c LIMIT 1001`, '--limit', '0');
    expect(whole.stdout.split('\n')).toHaveLength(1003);
    expect(whole.stderr).toBe('');
    const three = await sql(desk, `${ENDLESS} x FROM c`, '-n', '3', '--format', 'csv');
    expect(three).toMatchObject({ code: 0, stdout: 'x\n1\n2\n3\n' });
    expect(await sql(desk, `${ENDLESS} x FROM c LIMIT 3`, '-n', '3')).toMatchObject({ stderr: '' });
  });

  test('with its parent, however that dies', async () => {
    const desk = await prepared();
    const started = startCli(['sql', '--no-sync', `${ENDLESS} count(*) FROM c`, '--timeout', '0'], {
      cwd: desk.cwd,
      env: { RUNFOLD_DB: desk.db },
    });
    const child = await until('the query runs', () => childOf(started.pid));
    await until('it has the database open', () => hasOpen(child, desk.db));
    await started.destroy();
    await until('it is gone', () => !fs.existsSync(`/proc/${child}/fd`) || !hasOpen(child, desk.db));
  });
});

test.each([
  ['--timeout', 'soon'],
  ['--timeout', '-1'],
  ['--limit', 'x'],
  ['--limit', '-1'],
  ['--format', 'xml'],
  ['--json', '--format', 'csv'],
])('%s %s is wrong usage', async (...flags) => {
  const desk = await prepared();
  expect(await desk.run(['sql', 'SELECT 1', ...flags])).toMatchObject({ code: 2, stdout: '' });
});

function childOf(pid: number): number | undefined {
  const [first] = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return first === undefined || first === '' ? undefined : Number(first);
}

function hasOpen(pid: number, file: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return fs.readdirSync(folder).some((name) => fs.readlinkSync(path.join(folder, name)) === file);
  } catch {
    // a process or a descriptor that is gone meanwhile
    return false;
  }
}
