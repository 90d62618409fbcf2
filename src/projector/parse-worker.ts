// The other thread of parse-ahead.ts: a chunk of bytes comes, its metric lines go back as columns.
import { parentPort } from 'node:worker_threads';
import { claim, columnsOf, type Task, type TaskResult } from './parse-ahead.ts';

parentPort?.on('message', (task: Task) => {
  const columns = claim(task.claimed) ? columnsOf(task, task.from, task.to) : undefined;
  const result: TaskResult = { id: task.id, columns };
  parentPort?.postMessage(result, []);
});
