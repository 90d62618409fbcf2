// Appends a line to each of many files again and again, evenly over the time, until its standard input ends.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { partArguments } from '../lib.mjs';

const { ledger, list, gapMs } = partArguments();
const files = JSON.parse(readFileSync(list, 'utf8'));
const ending = new AbortController();
process.stdin.on('end', () => ending.abort()).resume();

const slices = Math.round(gapMs / 10);
let lines = 0;
const startedAt = performance.now();
for (let round = 0; !ending.signal.aborted; round += 1) {
  for (let slice = 0; slice < slices && !ending.signal.aborted; slice += 1) {
    const dueAt = startedAt + (round * slices + slice) * 10;
    const wait = dueAt - performance.now();
    if (wait > 0) await sleep(wait);
    for (let index = slice; index < files.length; index += slices) append(files[index], round);
  }
}
process.stdout.write(JSON.stringify({ lines }));

function append({ file, run_id, seq }, round) {
  const line = {
    type: 'metric', ts: new Date().toISOString(), seq: seq + round + 1, run_id,
    elapsed_seconds: round, step: round + 1, loss: 1 / (round + 1), f1: 0.5, gpu_memory_mb: 1024,
  }; // prettier-ignore
  // as many as these cannot all be held open everywhere
  const descriptor = openSync(path.join(ledger, file), 'a');
  writeSync(descriptor, `${JSON.stringify(line)}\n`);
  closeSync(descriptor);
  lines += 1;
}
