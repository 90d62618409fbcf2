// On real NFS: from the fsync of a line on one client to a query on another, and what watch asks of the server.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runId } from 'runfold';
import { bench, built, here, isQuick, quantile, table, verdict } from './lib.mjs';

const SCRIPT = here('../../shared/labs/nfs/nfs-lab.sh');
const TARGET_MS = 1_000;
const SECONDS = isQuick ? 15 : 90;
/** Files that grow once a second, and files whose writers say nothing and hold them open. */
const GROWING = 3;
const SILENT = 10;
const LEDGER = '/nfs/bench/.runfold';
/** Of `watch --calls-per-file`. */
const DEFAULT_CALLS_PER_FILE = 240;
const RUNFOLD = `${process.execPath} ${built('cli/main.js')}`;

/** Appends whole lines with fsync, and notes when it returned; all clocks are that of this machine. */
const WRITE = `
import json, os, sys, time
sys.path.insert(0, "/lab")
folder, growing, silent, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
runs = json.load(open("/lab/runs.json"))
os.makedirs(folder, exist_ok=True)
def line(fd, **fields):
    os.write(fd, (json.dumps(fields) + "\\n").encode())
    os.fsync(fd)
def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
files = []
for number in range(growing + silent):
    fd = os.open(f"{folder}/made-{number}.ndjson", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    run = runs[number]
    line(fd, type="run_created", ts=now(), run_id=run, attempt=f"attempt-{number}", experiment_number=1,
         dataset="nfs", method="bench", subject=None, cl_info=None, seed=number)
    files.append((fd, run, number))
with open("/lab/appended", "a", buffering=1) as noted:
    step, end = 0, time.time() + seconds
    while time.time() < end:
        step += 1
        for fd, run, number in files[:growing]:
            line(fd, type="metric", ts=now(), run_id=run, attempt=f"attempt-{number}", step=step, loss=0.5, elapsed_seconds=step)
            noted.write(f"{number} {step} {time.time()}\\n")
        time.sleep(1)
`;

/** Looks into the database again and again, as a page that is open does. */
const SEE = `
import os, sqlite3, sys, time
while not os.path.exists(sys.argv[1]):
    time.sleep(0.1)
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, timeout=20)
seen = set()
with open("/lab/seen", "a", buffering=1) as noted:
    while not os.path.exists("/lab/end"):
        try:
            rows = db.execute("SELECT seed, step FROM run_metrics JOIN experiment_runs USING (run_id)").fetchall()
        except sqlite3.OperationalError:
            rows = []
        at = time.time()
        for row in rows:
            if row not in seen:
                seen.add(row)
                noted.write(f"{row[0]} {row[1]} {at}\\n")
        time.sleep(0.02)
`;

/** Calls to the server since the mount was made. */
const CALLS = `awk '/mounted on/ { here = ($5 == "/nfs") } here && / [A-Z_]+: [0-9]+ / { n += $2 } END { print n }' /proc/self/mountstats`;

class Lab {
  dir = mkdtempSync('/var/tmp/runfold-nfs-bench-');
  env = { ...process.env, NFS_LAB_DIR: this.dir };
  /** Takes the lab down when its stdin ends: with this process, however it dies. */
  guard = spawn('sh', ['-c', 'cat >/dev/null; "$0" down; rm -rf -- "$NFS_LAB_DIR"', SCRIPT], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: this.env,
  });

  lab(...args) {
    const { status, stdout, stderr } = spawnSync(SCRIPT, args, {
      encoding: 'utf8',
      env: this.env,
      input: '',
    });
    if (status !== 0) throw new Error(`${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  on(node, command) {
    return this.lab('exec', node, command);
  }

  /** Goes on until it ends itself, or the lab is taken down. */
  background(node, command) {
    spawn(SCRIPT, ['exec', node, command], { stdio: 'ignore', env: this.env }).unref();
  }

  calls() {
    return Number(this.on('login', CALLS));
  }

  times(name) {
    const file = path.join(this.dir, name);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    );
  }

  async end() {
    const down = once(this.guard, 'exit');
    this.guard.stdin.end();
    await down;
  }
}

if (process.getuid?.() !== 0 || !existsSync(SCRIPT)) {
  console.error('this needs root, and the script that starts an NFS server and its clients');
  process.exit(0);
}

await bench('On NFS', async () => {
  const lab = new Lab();
  try {
    lab.lab('up');
    writeFileSync(path.join(lab.dir, 'write.py'), WRITE);
    writeFileSync(path.join(lab.dir, 'see.py'), SEE);
    const ofAll = { experiment_number: 1, dataset: 'nfs', method: 'bench', subject: null, cl_info: null };
    const runs = Array.from({ length: GROWING + SILENT }, (_, seed) => runId({ ...ofAll, seed }));
    writeFileSync(path.join(lab.dir, 'runs.json'), JSON.stringify(runs));
    lab.on('login', `mkdir -p /nfs/bench && ${RUNFOLD} init ${LEDGER}`);
    lab.background('login', `RUNFOLD_DIR=${LEDGER} RUNFOLD_DB=/tmp/bench.db ${RUNFOLD} watch; true`);
    lab.background('login', 'python3 /lab/see.py /tmp/bench.db');
    const day = new Date().toISOString().slice(0, 10);
    lab.background('n1', `python3 /lab/write.py ${LEDGER}/events/${day} ${GROWING} ${SILENT} ${SECONDS}`);
    // the files are there and have been read
    while (lab.times('seen').size < GROWING) await sleep(200);
    const [from, since] = [lab.calls(), Date.now()];
    await sleep(SECONDS * 700);
    const perMinute = ((lab.calls() - from) / (Date.now() - since)) * 60_000;
    await sleep(SECONDS * 400);
    writeFileSync(path.join(lab.dir, 'end'), '');
    const seen = lab.times('seen');
    // the first lines wait for their file to be found, by a listing every 2 s
    const all = [...lab.times('appended')];
    const appended = all.filter(([, at]) => at * 1000 >= since);
    const found = all
      .filter(([line]) => line.endsWith(' 1'))
      .map(([line, at]) => (seen.get(line) - at) * 1000);
    const unseen = appended.filter(([key]) => !seen.has(key)).length;
    const late = appended.flatMap(([key, at]) => (seen.has(key) ? [(seen.get(key) - at) * 1000] : []));
    late.sort((a, b) => a - b);
    const most = late.at(-1) ?? Number.NaN;
    return [
      `NFS 4.2 with default mount options: ${GROWING} files that grow by a line with fsync each second, and ${SILENT} silent ones whose writers hold them open; \`watch\` on another client, a query each 20 ms.`,
      table(
        ['what', 'figure'],
        [
          ['lines', String(appended.length)],
          ['never seen', String(unseen)],
          ['fsync to visible, median', `${Math.round(quantile(late, 0.5))} ms`],
          ['fsync to visible, p99', `${Math.round(quantile(late, 0.99))} ms`],
          ['fsync to visible, at most', `${Math.round(most)} ms`],
          [
            'the first line of a new file, `watch`’s own start included, at most',
            `${Math.round(Math.max(...found))} ms`,
          ],
          [
            `calls a minute for ${GROWING} files that grow and ${SILENT} silent ones`,
            `${Math.round(perMinute)}; the budget is ${(GROWING + SILENT) * DEFAULT_CALLS_PER_FILE}`,
          ],
        ],
      ),
      `Target: every line visible within ${TARGET_MS / 1000} s of its fsync: ${verdict(unseen === 0 && most <= TARGET_MS)}.`,
    ];
  } finally {
    await lab.end();
  }
});
