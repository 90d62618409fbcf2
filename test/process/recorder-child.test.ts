// The process that records, told by this one what to.
import { fork } from 'node:child_process';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ulid } from 'ulid';
import type { FromRecorder, ToRecorder } from '../../src/exec/recorder-messages.ts';
import { runId } from '../../src/events/run-id.ts';
import { builtDir } from '../helpers/built.ts';
import { ExecHome } from './exec-home.ts';
import { until } from './until.ts';

const OFTEN_MS = 200;

test('says what is on the disk of the log also while notes come again and again', async () => {
  const home = new ExecHome();
  const child = fork(path.join(builtDir(), 'exec/recorder-child.js'), [], { cwd: home.dir, env: home.env() });
  onTestFinished(() => void child.kill('SIGKILL'));
  let durable = 0;
  let isOpened = false;
  child.on('message', (message: FromRecorder) => {
    if (message.kind === 'opened') isOpened = true;
    if (message.kind === 'durable') durable = message.number;
  });
  const tell = (message: ToRecorder): void => void child.send(message);
  const key = { experiment_number: 0, dataset: 'iris', method: 'mlp', subject: '', cl_info: '', seed: 1 };
  const run = { runId: runId(key), key, config: undefined, tags: undefined, notes: undefined, resume: false };
  const startedAt = Date.now();
  const facts = { run, words: ['true'], ledger: home.ledger, startedAt, pid: process.pid, writer: ulid(), attempt: undefined }; // prettier-ignore
  tell({ kind: 'open', facts, env: {} });
  await until('it has found the log', () => isOpened);
  tell({ kind: 'note', number: 1, note: { kind: 'begin' } });
  await until('the begin is on the disk', () => durable === 1);
  let number = 1;
  const timer = setInterval(() => {
    number += 1;
    const sample = { cpu_percent: 1, rss_mb: 1, gpu_percent: undefined, gpu_memory_mb: undefined };
    const note = { kind: 'sample', ts: new Date().toISOString(), elapsedSeconds: number, sample } as const;
    tell({ kind: 'note', number, note });
  }, OFTEN_MS);
  onTestFinished(() => clearInterval(timer));
  await until('samples are on the disk', () => durable > 1);
  expect(home.of('resource_sample').length).toBeGreaterThanOrEqual(durable - 1);
});
