// conformance/calls: every writer of this repository writes the same lines, and the reader takes them.
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLedger } from '../../src/events/ledger.ts';
import type { TableRow } from '../../src/projector/dump.ts';
import { eventFiles } from '../events/read-lines.ts';
import { tempDir } from '../events/temp-dir.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';
import { runCliProcess } from '../process/cli-process.ts';
import { callsCases, type CallsCase, type Json } from './cases.ts';
import { ordered, readWritten } from './normalise.ts';
import { WRITERS } from './writers.ts';

describe.each(WRITERS)('$name (missing here: $missing)', (writer) => {
  describe.skipIf(writer.missing !== undefined)('in a process of its own', () => {
    const cases = callsCases().filter(({ given }) => given.not_for?.includes(writer.kind) !== true);
    /** The files of all cases. */
    let together = '';
    beforeAll(() => {
      together = fs.mkdtempSync(path.join(os.tmpdir(), 'runfold-conformance-'));
      createLedger(path.join(together, 'ledger'));
    });
    afterAll(() => fs.rmSync(together, { recursive: true, force: true }));

    it.each(cases)('$given.name', async ({ given, text }) => {
      const ledger = new TempLedger();
      const ended = await writer.run(given, text, tempDir(), ledger.root);
      expect(ended).toMatchObject({ code: 0, signal: null });
      if (given.says === undefined) expect(ended.stderr).toBe('');
      else expect(ended.stderr).toMatch(/^runfold: .*\n$/);
      for (const part of given.says ?? []) expect(ended.stderr).toContain(part);

      const written = readWritten(ledger.root);
      expect(ordered(written.lines)).toBe(ordered(given.lines));
      if (given.lines.length === 0) return;
      if (given.attempt === undefined) expect(written.isOwnAttempt).toBe(true);
      else expect(written.attempt).toBe(given.attempt);

      const outcome = await ledger.pass();
      expect(outcome.findings()).toEqual([]);
      const [run = {}, ...others] = outcome.rows('experiment_runs');
      expect(others).toEqual([]);
      expect(namedOf(run)).toEqual(expectedRun(given));
      expect(outcome.rows('run_metrics').length).toBe(ofType(given.lines, 'metric').length);
      expect(outcome.rows('run_errors').length).toBe(ofType(given.lines, 'error').length);
      for (const file of eventFiles(ledger.root)) {
        const target = path.join(together, 'ledger', path.relative(ledger.root, file));
        fs.mkdirSync(path.dirname(target), { recursive: true });
        fs.copyFileSync(file, target);
      }
    });

    it('runfold sync and doctor are content with all of it', async () => {
      const env = { RUNFOLD_DIR: path.join(together, 'ledger'), RUNFOLD_DB: path.join(tempDir(), 'runs.db') };
      fs.chmodSync(path.dirname(env.RUNFOLD_DB), 0o700);
      expect(await runCliProcess(['sync'], { cwd: together, env })).toMatchObject({ code: 0 });
      const doctor = await runCliProcess(['doctor', '--json', '--no-sync'], { cwd: together, env });
      expect(doctor.stdout).not.toContain('"problem"');
      expect(doctor.code).toBe(0);
    });
  });
});

function expectedRun({ lines }: CallsCase): Json {
  const [created = {}] = ofType(lines, 'run_created');
  const status = ofType(lines, 'status_changed').at(-1) ?? {};
  return {
    run_id: created['run_id'],
    status: status['status'],
    status_reason: status['reason'] ?? null,
    exit_code: status['exit_code'] ?? null,
    config: ordered(created['config'] ?? {}),
    tags: ordered(created['tags'] ?? []),
    notes: created['notes'] ?? null,
    slurm_job_id: ofType(lines, 'slurm_info')[0]?.['job_id'] ?? null,
    attempt_count: 1,
  };
}

function namedOf(run: TableRow): Json {
  const { run_id, status, status_reason, exit_code, notes, slurm_job_id, attempt_count } = run;
  const [config, tags] = [run['config'], run['tags']].map((json) => ordered(JSON.parse(String(json))));
  return { run_id, status, status_reason, exit_code, config, tags, notes, slurm_job_id, attempt_count };
}

function ofType(lines: readonly Json[], type: string): Json[] {
  return lines.filter((line) => line['type'] === type);
}
