// One way of writing metrics: how long each call takes.
import {
  appendFileSync,
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { entry, median, partArguments, quantile } from '../lib.mjs';

const { way, calls, warmUp, directory, ledger } = partArguments();
const file = path.join(directory, `${way}-${process.pid}.ndjson`);
// a scheduler's rank above 0 would log nothing
for (const name of ['RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK']) delete process.env[name];

const lossOf = (step) => 1 / (1 + step * 0.001) + Math.sin(step) * 0.05;
const metricsOf = (step) => ({
  loss: lossOf(step),
  f1: 1 - lossOf(step) * 0.8,
  gpu_memory_mb: 10_240.5 + (step % 64),
  'val/loss': lossOf(step) * 1.1,
  lr: 0.001 / (1 + step),
});
/** What the logger writes, for those who have to put it together themselves. */
const fieldsOf = (metrics, { epoch, step }) => ({
  run_id: '0123456789abcdef',
  elapsed_seconds: performance.now() / 1000,
  epoch,
  step,
  loss: metrics.loss,
  f1: metrics.f1,
  gpu_memory_mb: metrics.gpu_memory_mb,
  extra: { 'val/loss': metrics['val/loss'], lr: metrics.lr },
});
const lineOf = (metrics, place) => {
  const head = { type: 'metric', ts: new Date().toISOString(), seq: place.step + 1 };
  return `${JSON.stringify({ ...head, ...fieldsOf(metrics, place) })}\n`;
};

async function logger() {
  const { RunLogger } = await import(entry('runfold/logger'));
  const run = RunLogger.create({ ledger, method: way });
  return { run, log: (metrics, place) => run.log(metrics, place) };
}

function pinoTo(options) {
  const destination = pino.destination({ dest: file, ...options });
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  const end = async () => {
    if (options.sync) return destination.flushSync();
    await new Promise((resolve) => {
      destination.once('close', resolve);
      destination.end();
    });
  };
  return { call: (metrics, place) => log.info(fieldsOf(metrics, place)), end };
}

const WAYS = {
  async buffered() {
    const { run, log } = await logger();
    return { call: log, end: () => run.close() };
  },
  async flushed() {
    const { run, log } = await logger();
    const call = (metrics, place) => {
      log(metrics, place);
      run.flush();
    };
    return { call, end: () => run.close() };
  },
  appendFileSync: () => ({ call: (metrics, place) => appendFileSync(file, lineOf(metrics, place)) }),
  fsync() {
    const descriptor = openSync(file, 'a');
    const call = (metrics, place) => {
      writeSync(descriptor, lineOf(metrics, place));
      fsyncSync(descriptor);
    };
    return { call, end: () => closeSync(descriptor) };
  },
  pinoSync: () => pinoTo({ sync: true }),
  pinoAsync: () => pinoTo({ sync: false, minLength: 4096 }),
};

function lines() {
  const text = ledger === undefined ? readFileSync(file, 'utf8') : readFileSync(newestIn(ledger), 'utf8');
  return text.split('\n').filter((line) => line.includes('"loss"')).length;
}

function newestIn(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.ndjson'));
  return path.join(
    folder,
    files.find((name) => name.includes(`-${process.pid}.`)),
  );
}

function timerNs() {
  const costs = new Float64Array(10_000);
  for (let index = 0; index < costs.length; index += 1) {
    const from = process.hrtime.bigint();
    costs[index] = Number(process.hrtime.bigint() - from);
  }
  return median(costs);
}

const name = way === 'paced' ? 'buffered' : way;
const { call, end } = await WAYS[name]();
const ownNs = timerNs();
const timesNs = new Float64Array(warmUp + calls);
for (let step = 0; step < timesNs.length; step += 1) {
  // a training step lies between two calls, and takes the processor's caches for itself
  if (way === 'paced') await sleep(2);
  const metrics = metricsOf(step);
  const place = { epoch: Math.floor(step / 100), step };
  const from = process.hrtime.bigint();
  call(metrics, place);
  timesNs[step] = Number(process.hrtime.bigint() - from) - ownNs;
  // the asynchronous ones write when the loop turns
  if (step % 1000 === 999) await sleep(0);
}
await end?.();
if (lines() !== timesNs.length) throw new Error(`${way}: ${lines()} lines of ${timesNs.length}`);
const counted = timesNs.subarray(warmUp);
const mean = counted.reduce((sum, ns) => sum + ns, 0) / counted.length;
const us = (ns) => Math.max(0, ns) / 1000;
console.log(
  JSON.stringify({
    median: us(median(counted)),
    p99: us(quantile(counted, 0.99)),
    max: us(quantile(counted, 1)),
    mean: us(mean),
    firstHundred: us(median(timesNs.subarray(0, 100))),
    timer: us(ownNs),
  }),
);
