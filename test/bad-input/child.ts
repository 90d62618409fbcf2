// A projector in a process of its own, so that its memory can be measured and its user be another one.
import { spawnSync } from 'node:child_process';
import { builtUrl } from '../helpers/built.ts';

export interface ChildReport {
  /** Peak resident set of the whole process, in MB. */
  maxRssMb: number;
  seconds: number;
  /** What the passes said, one by one. */
  passes: { lines: number; events: number; rejected: number }[];
  metrics: { writer: string; seq: number; loss: number | null }[];
  rejected: { code: string; count: number }[];
  lastRejected: { file: string; offset: number; length: number; code: string } | null;
  files: { path: string; state: string; reason: string | null; offset: number }[];
}

export interface ChildOptions {
  ledger: string;
  /** A path, or nowhere but in memory. */
  db?: string;
  passes?: number;
  /** A program and its arguments that start node. */
  through?: readonly string[];
}

const SCRIPT = `
const [root, file, passes, ...modules] = process.argv.slice(1);
const [{ openForWriting }, { readLedger }, { Projector }, { DirectoryStorage }] = await Promise.all(modules.map((m) => import(m)));
const started = performance.now();
const db = openForWriting(file);
const projector = new Projector(db, readLedger(root), new DirectoryStorage(root), { now: () => Date.now() });
const said = [];
for (let pass = 0; pass < Number(passes); pass += 1) {
  const { lines, events, rejected } = await projector.pass({ thorough: true });
  said.push({ lines, events, rejected });
}
const seconds = (performance.now() - started) / 1000;
const all = (sql) => db.prepare(sql).all();
console.log(JSON.stringify({
  maxRssMb: process.resourceUsage().maxRSS / 1024,
  seconds,
  passes: said,
  metrics: all('SELECT writer, seq, loss FROM run_metrics ORDER BY writer, seq'),
  rejected: all('SELECT code, count(*) AS count FROM _rejected GROUP BY code ORDER BY code'),
  lastRejected: all('SELECT file, offset, length, code FROM _rejected ORDER BY file DESC, offset DESC LIMIT 1')[0] ?? null,
  files: all('SELECT path, state, reason, offset FROM _files ORDER BY path'),
}));
`;

export function projectInChild({
  ledger,
  db = ':memory:',
  passes = 1,
  through = [],
}: ChildOptions): ChildReport {
  const modules = ['db/open.js', 'events/ledger.js', 'projector/projector.js', 'projector/storage.js'].map(
    builtUrl,
  );
  const [program, ...args] = [...through, process.execPath];
  const child = spawnSync(
    program ?? process.execPath,
    [...args, '--input-type=module', '-e', SCRIPT, ledger, db, String(passes), ...modules],
    {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      env: { PATH: process.env['PATH'] },
    },
  );
  if (child.status !== 0)
    throw new Error(`the projector’s process has failed: ${child.stderr || String(child.error)}`);
  return JSON.parse(child.stdout) as ChildReport;
}
