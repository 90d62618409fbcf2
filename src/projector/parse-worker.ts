// The other thread of parse-ahead.ts: a chunk of bytes comes, its metric lines go back as columns.
import { parentPort } from 'node:worker_threads';
import { metricColumns } from './metric-columns.ts';
import { claim, type Task, type TaskResult } from './parse-ahead.ts';

parentPort?.on('message', ({ id, bytes, from, to, space, claimed }: Task) => {
  const isMine = claim(claimed);
  const columns = isMine ? metricColumns(Buffer.from(bytes.buffer, from, to - from), space) : undefined;
  const result: TaskResult = { id, columns };
  parentPort?.postMessage(result, []);
});
