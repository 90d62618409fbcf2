// The process that makes a snapshot. It may hang in the storage, and must hold up nobody: a process can be left behind.
import { readSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { makeSnapshot, type SnapshotRequest } from '../../db/snapshot.ts';
import { messageOf, RunfoldError } from '../../errors.ts';
import { firstLine } from '../first-line.ts';
import type { SnapshotAnswer } from './in-process.ts';

const STDIN = 0;

const request = JSON.parse(firstLine((into) => readSync(STDIN, into))) as SnapshotRequest;
// this thread hears of nothing while it copies
const watch = new Worker(new URL('../sql/end-with-parent.js', import.meta.url), { execArgv: [] });
watch.unref();
process.stdout.write(`${JSON.stringify(answer())}\n`);

function answer(): SnapshotAnswer {
  try {
    return { made: makeSnapshot({ ...request, pid: process.pid }) };
  } catch (error) {
    if (!(error instanceof RunfoldError))
      return { failed: { code: 'snapshot_failed', message: messageOf(error) } };
    const { code, message, hint } = error;
    return { failed: { code, message, hint } };
  }
}
