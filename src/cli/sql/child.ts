// The process that runs the query of `runfold sql`. A query cannot be interrupted, but a process can be killed.
import { once } from 'node:events';
import { readSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { firstLine } from '../first-line.ts';
import { jsonSafe } from '../print-safe.ts';
import { runQuery } from './run-query.ts';
import type { Request } from './wire.ts';

const STDIN = 0;

const request = JSON.parse(firstLine((into) => readSync(STDIN, into))) as Request;
// this thread hears of nothing while SQLite works
const watch = new Worker(new URL('end-with-parent.js', import.meta.url), { execArgv: [] });
watch.unref();
for (const message of runQuery(request)) {
  // in ASCII: what ends a line for whom differs beyond it
  if (!process.stdout.write(`${jsonSafe(message)}\n`)) await once(process.stdout, 'drain');
}
