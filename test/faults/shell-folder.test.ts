// runfold.sh between its look for the log and its first file, when the log goes away.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { RUNFOLD_SH } from '../conformance/shell-script.ts';
import { tempDir } from '../events/temp-dir.ts';
import { cleanEnv } from '../process/cli-process.ts';

test('a log that is taken away before the first file is made is not made by runfold.sh', () => {
  const dir = tempDir();
  const log = path.join(dir, 'log');
  // what is called after the look at ledger.json, where the log is gone since
  const script = `. '${RUNFOLD_SH}'
    _runfold_dir='${log}' _runfold_file='${log}/events/2026-11-26/x.ndjson' _runfold_waiting=line
    _runfold_make_file
    exit 0`;
  const env = cleanEnv({ RUNFOLD_DIR: log, TMPDIR: dir });
  const { status } = spawnSync('sh', ['-c', script], { env, cwd: dir });
  expect(status).toBe(0);
  expect(fs.existsSync(log)).toBe(false);
});
