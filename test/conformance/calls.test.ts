// conformance/calls: every writer of this repository writes the same lines, and the reader takes them.
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLedger } from '../../src/events/ledger.ts';
import { runCliProcess } from '../process/cli-process.ts';
import { callsCases, type CallsCase, type Json } from './cases.ts';
import { ordered, readWritten } from './normalise.ts';
import { WRITERS } from './writers.ts';

describe.each(WRITERS)('$name', (writer) => {
  const cases = callsCases().filter(({ given }) => given.not_for?.includes(writer.kind) !== true);
  if (writer.missing !== undefined) {
    it.skip(`not run: no ${writer.missing} here`, () => undefined);
    return;
  }

  it.concurrent.each(cases)('$given.name', async ({ given, text }) => {
    const dir = fs.mkdtempSync(path.join(fs.realpathSync(process.env['TMPDIR'] ?? '/tmp'), 'runfold-calls-'));
    try {
      const ledger = createLedger(path.join(dir, 'ledger')).path;
      const ended = await writer.run(given, text, dir, ledger);
      expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
      const written = readWritten(ledger);
      expect(ordered(written.lines)).toBe(ordered(given.lines));
      if (given.lines.length === 0) return;
      if (given.attempt === undefined) expect(written.isOwnAttempt).toBe(true);
      else expect(written.attempt).toBe(given.attempt);
      expect(await rowOf(given, dir, ledger)).toEqual(expectedRow(given));
    } finally {
      fs.rmSync(dir, { recursive: true, force: true });
    }
  });
});

/** What `runfold doctor` has nothing against, as `runfold sql` shows it. */
async function rowOf(given: CallsCase, dir: string, ledger: string): Promise<unknown> {
  const env = { RUNFOLD_DIR: ledger, RUNFOLD_DB: path.join(dir, 'db', 'test.db') };
  fs.mkdirSync(path.join(dir, 'db'), { mode: 0o700 });
  const doctor = await runCliProcess(['doctor'], { cwd: dir, env });
  expect(doctor.stdout).toContain('healthy');
  expect(doctor.code).toBe(0);
  const columns =
    'status, status_reason, exit_code, config, tags, notes, slurm_job_id, attempt_count, ' +
    '(SELECT count(*) FROM run_metrics) AS points, (SELECT count(*) FROM run_errors) AS errors';
  const args = ['sql', `SELECT run_id, ${columns} FROM experiment_runs`, '--no-sync', '--json'];
  const answer = await runCliProcess(args, { cwd: dir, env });
  const rows = JSON.parse(answer.stdout) as Record<string, unknown>[];
  expect(rows.length, `${given.name}: ${answer.stderr}`).toBe(1);
  return Object.fromEntries(Object.entries(rows[0] ?? {}).map(([name, value]) => [name, shown(name, value)]));
}

function expectedRow({ lines }: CallsCase): Json {
  const created = ofType(lines, 'run_created')[0] ?? {};
  const status = ofType(lines, 'status_changed').at(-1) ?? {};
  const row = {
    run_id: created['run_id'],
    status: status['status'],
    status_reason: status['reason'] ?? null,
    exit_code: status['exit_code'] ?? null,
    config: created['config'] ?? null,
    tags: created['tags'] ?? null,
    notes: created['notes'] ?? null,
    slurm_job_id: ofType(lines, 'slurm_info')[0]?.['job_id'] ?? null,
    attempt_count: 1,
    points: ofType(lines, 'metric').length,
    errors: ofType(lines, 'error').length,
  };
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, shown(name, value)]));
}

function ofType(lines: readonly Json[], type: string): Json[] {
  return lines.filter((line) => line['type'] === type);
}

/** JSON columns come as text or as values; what they hold is compared. */
function shown(name: string, value: unknown): unknown {
  if (name !== 'config' && name !== 'tags') return value;
  return ordered(typeof value === 'string' ? JSON.parse(value) : value);
}
