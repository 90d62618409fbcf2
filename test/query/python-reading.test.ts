// What `runfold.read()` of the Python client makes of a database: the same curves, and no SQL newer than EL8 has.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Db } from '../../src/db/open.ts';
import { runId } from '../../src/events/run-id.ts';
import { getRunMetrics, type MetricPoint } from '../../src/query/index.ts';
import { tempDir } from '../events/temp-dir.ts';
import { fences, readDocument } from '../helpers/documents.ts';
import { given } from '../helpers/given.ts';
import { A, created, metric, status, writerFile } from '../helpers/lines.ts';
import { PYTHON_CLIENT, pythonWith } from '../helpers/python.ts';
import { cleanEnv } from '../process/cli-process.ts';
import { history, ledgerOf, RUNS } from './histories.ts';

const PYTHON = pythonWith('sqlite3');

/** Runs a program that has `runfold`, its arguments and `answer`, and gives what it answers. */
function askPython(program: string, ...args: string[]): unknown {
  const head = 'import json, sqlite3, sys\nimport runfold\nanswer = lambda value: print(json.dumps(value))\n';
  const env = cleanEnv({ PYTHONPATH: PYTHON_CLIENT });
  const ended = spawnSync(PYTHON ?? '', ['-c', head + program, ...args], { env, encoding: 'utf8' });
  expect(ended.stderr).toBe('');
  return JSON.parse(ended.stdout);
}

/** A copy as others get it. */
function copyOf(db: Db, folder: string, name: string): string {
  const file = path.join(folder, name);
  db.prepare('VACUUM INTO ?').run(file);
  return file;
}

/** Every statement that reading executes, from the moment that it connects. */
const STATEMENTS = `
connect, said = sqlite3.connect, []
def traced(*args, **options):
    connection = connect(*args, **options)
    connection.set_trace_callback(said.append)
    return connection
sqlite3.connect = traced
path, queries = sys.argv[1], json.loads(sys.argv[2])
with runfold.read(path) as db:
    run = db.runs(hidden=True)[0]["run_id"]
    rows = [db.results(), db.errors(), db.errors(run), db.slurm_jobs(), db.slurm_jobs(run)]
    rows += [db.metrics(), db.metrics(run, long=True), db.metrics([run, "x"], names=["loss"], view="all")]
    rows += [db.sql(query) for query in queries]
called = {"runs", "results", "errors", "slurm_jobs", "metrics", "sql", "close"}
methods = {name for name in dir(runfold.Database) if not name.startswith("_")}
answer({"said": said, "not called": sorted(methods - called), "queries": len(queries)})
`;

/** All words of SQL that it may use; each is in SQLite since long before 3.26. */
const KNOWN_WORDS = new Set([
  'SELECT', 'FROM', 'LEFT', 'JOIN', 'USING', 'ON', 'WHERE', 'GROUP', 'ORDER', 'BY', 'DESC', 'LIMIT', 'AS', 'AND', 'OR',
  'NOT', 'IS', 'IN', 'NULL', 'CASE', 'WHEN', 'THEN', 'ELSE', 'END', 'PRAGMA', 'application_id', 'user_version', 'OFF',
  'sqlite_master', 'ifnull', 'count', 'avg', 'min', 'round', 'json_extract',
  // an older SQLite passes over a PRAGMA that it does not know
  'trusted_schema',
]); // prettier-ignore
const TOKEN = /--.*|'(?:[^']|'')*'|[A-Za-z_]\w*|\d+|\s+|>=|<=|(?:\|\|)|(.)/gy;

test.skipIf(PYTHON === undefined)(
  'what it asks is written in words of SQLite 3.26, and so are the documented queries',
  async () => {
    const { db } = await given(
      writerFile(A, created(0), metric(1, { loss: 'NaN', extra: { acc: 0.5 } }), status(2, 'completed')),
    );
    const queries = fences(readDocument('docs/schema.md'), 'sql');
    const file = copyOf(db, tempDir(), 'runs.db');
    const answered = askPython(STATEMENTS, file, JSON.stringify(queries)) as { said: string[] };
    expect(answered).toMatchObject({ 'not called': [], queries: 3 });
    expect(answered.said.length).toBeGreaterThan(10);

    const tables = db
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
      .pluck()
      .all() as string[];
    const columns = tables.flatMap((table) =>
      (db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name),
    );
    const names = new Set([...tables, ...columns]);
    for (const sql of answered.said) {
      const tokens = [...sql.matchAll(TOKEN)].map(([token]) => token);
      expect(tokens.join('')).toBe(sql);
      const aliases = new Set([...sql.matchAll(/\bAS (\w+)/g)].map(([, alias]) => alias));
      const strange = tokens.filter((token) => {
        if (!/^[A-Za-z_]/.test(token)) return !/^(?:'.*'|\d+|\s+|>=|\|\||[(),.;*=<?])$/s.test(token);
        return !KNOWN_WORDS.has(token) && !names.has(token) && !aliases.has(token) && !/^[a-z]$/.test(token);
      });
      expect(strange, sql).toEqual([]);
    }
  },
);

/** As JSON can carry it: what is not finite by its name. */
const CURVES = `
def plain(value):
    return str(value) if isinstance(value, float) and value - value != 0 else value
def curves(path, runs):
    with runfold.read(path) as db:
        return [[[{name: plain(row.get(name)) for name in NAMES} for row in db.metrics(run, view=view)]
            for view in ("view", "all")] for run in runs]
NAMES, runs = json.loads(sys.argv[1]), json.loads(sys.argv[2])
answer([curves(path, runs) for path in sys.argv[3:]])
`;

/** Of each point those values whose names are in no other place, too. */
const COMPARED = [
  'attempt',
  'ts',
  'elapsed_seconds',
  'epoch',
  'step',
  'superseded',
  'acc',
  'gpu_memory_mb',
  '7',
];
const PYTHON_NAMES: Readonly<Record<string, string>> = { NaN: 'nan', Infinity: 'inf', '-Infinity': '-inf' };

function compared(point: MetricPoint, view: 'view' | 'all'): Record<string, unknown> {
  const { acc, 7: seven } = point.extra ?? {};
  const values: Record<string, unknown> = { ...point, acc, 7: seven };
  if (view === 'view') delete values['superseded'];
  return Object.fromEntries(COMPARED.map((name) => [name, plain(values[name])]));
}

function plain(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return PYTHON_NAMES[String(value)];
  return value ?? null;
}

test.skipIf(PYTHON === undefined)(
  'its curves are those of getRunMetrics, whatever has happened',
  async () => {
    const runs = RUNS.map(runId);
    await fc.assert(
      fc.asyncProperty(fc.array(history, { minLength: 20, maxLength: 20 }), async (histories) => {
        const files: string[] = [];
        const expected: unknown[] = [];
        for (const happened of histories) {
          const { db } = await ledgerOf(happened);
          files.push(copyOf(db, tempDir(), 'runs.db'));
          const curves = (run: string) =>
            (['view', 'all'] as const).map((view) =>
              getRunMetrics(db, run, { view }).map((point) => compared(point, view)),
            );
          expected.push(runs.map(curves));
          db.close();
        }
        const args = [JSON.stringify(COMPARED), JSON.stringify(runs), ...files];
        expect(askPython(CURVES, ...args)).toEqual(expected);
      }),
      { numRuns: 4 },
    );
  },
);
