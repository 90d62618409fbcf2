// The Python client: its own tests, and what it writes as the rest of runfold reads it.
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createLedger } from '../../src/events/ledger.ts';
import { tempDir } from '../events/temp-dir.ts';
import { cleanEnv, runCliProcess, type Ended } from './cli-process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CLIENT = path.join(ROOT, 'clients/python');
const hasPython = spawnSync('python3', ['--version']).status === 0;
/** The cases of conformance/ are run, with what the reader makes of them, by test/conformance. */
const OWN_TESTS = fs
  .readdirSync(path.join(CLIENT, 'tests'))
  .filter((name) => name.startsWith('test_') && name !== 'test_conformance.py');
const SUITE_MS = 900_000;

async function python(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawn('python3', args, { cwd: ROOT, env: cleanEnv({ PYTHONPATH: CLIENT, ...env }) });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Two runs that end well, one that fails, one that is resumed and has counted steps. */
const TRAINING = `
import sys
import runfold

for seed in (1, 2):
    with runfold.init(dataset="iris", method="mlp", seed=seed, config={"lr": 0.1}) as run:
        for epoch in range(3):
            run.log({"loss": 1 / (epoch + seed), "val/acc": epoch / 10, "grad": float("inf")}, epoch=epoch)
        run.log_results({"test": seed / 10})
try:
    with runfold.init(dataset="iris", method="bad"):
        raise ValueError("no data")
except ValueError:
    pass
for resume in (False, True):
    with runfold.init(dataset="iris", method="resumed", resume=resume) as run:
        for _ in range(4):
            run.log({"loss": 0.5})
        run.log({"loss": 0.25, "step": 2})
`;

const READING = `
import json, sys
import runfold

with runfold.read() as db:
    runs = db.runs()
    steps = {run["run_id"]: [point["step"] for point in db.metrics(run["run_id"])] for run in runs}
    long = db.metrics(names=["grad"], long=True)
    print(json.dumps({"steps": steps, "long": [str(row["value"]) for row in long]}))
`;

interface Run {
  run_id: string;
  method: string;
  seed: number | null;
  status: string;
}

describe.skipIf(!hasPython)('the Python client', () => {
  // side by side: the longest wait for time-outs
  test.concurrent.each(OWN_TESTS)(
    'passes its own tests: %s',
    async (name) => {
      const ended = await python(
        ['-m', 'unittest', 'discover', '-s', 'clients/python/tests', '-p', name],
        {},
      );
      expect(ended.code, ended.stderr.slice(-20_000)).toBe(0);
      expect(ended.stderr).toMatch(/^OK/m);
    },
    SUITE_MS,
  );

  test('what it logs is read by sync, doctor and runs, and what they make of it by runfold.read()', async () => {
    const dir = tempDir();
    const ledger = path.join(dir, 'log');
    createLedger(ledger);
    const env = { RUNFOLD_DIR: ledger, RUNFOLD_DB: path.join(dir, 'runs.db'), TMPDIR: dir };
    const script = path.join(dir, 'train.py');
    fs.writeFileSync(script, TRAINING);
    const trained = await python([script], env);
    expect(trained).toMatchObject({ code: 0, stderr: '' });

    expect((await runCliProcess(['sync'], { env })).code).toBe(0);
    const doctor = await runCliProcess(['doctor'], { env });
    expect(doctor.code, doctor.stdout + doctor.stderr).toBe(0);
    const listed = JSON.parse((await runCliProcess(['runs', '--json'], { env })).stdout) as Run[];
    const told = listed.map(({ method, seed, status }) => `${method} ${String(seed)} ${status}`);
    expect(told.toSorted()).toEqual([
      'bad null failed',
      'mlp 1 completed',
      'mlp 2 completed',
      'resumed null completed',
    ]);

    const read = await python(['-c', READING], env);
    expect(read.code, read.stderr).toBe(0);
    const { steps, long } = JSON.parse(read.stdout) as {
      steps: Record<string, (number | null)[]>;
      long: string[];
    };
    expect(Object.keys(steps).toSorted()).toEqual(listed.map((run) => run.run_id).toSorted());
    expect(long).toEqual(Array.from({ length: 6 }, () => 'inf'));
    for (const run of listed) {
      const args = ['metrics', run.run_id, '--json'];
      const shown = JSON.parse((await runCliProcess(args, { env })).stdout) as { step: number | null }[];
      expect(steps[run.run_id]).toEqual(shown.map(({ step }) => step));
    }
  });
});
