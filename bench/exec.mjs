// What `runfold exec` costs beside the command itself: its start, its memory, its CPU time, and what flows through.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bench, built, cpuSecondsOf, entry, isQuick, median, rotated, table } from './lib.mjs';

const { createLedger } = await import(entry('runfold'));
const CLI = built('./cli/main.js');
const STARTS = isQuick ? 3 : 21;
const ROUNDS = isQuick ? 1 : 5;
const BYTES = isQuick ? 20_000_000 : 1_000_000_000;
const IDLE_SECONDS = isQuick ? 3 : 120;

function exec(...words) {
  return [CLI, 'exec', '--dataset', 'd', '--', ...words];
}

function timed(command, args, env) {
  const from = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve(performance.now() - from);
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}`));
    });
  });
}

await bench('Running a command', async ({ directory, children }) => {
  const ledger = path.join(directory, 'ledger');
  createLedger(ledger);
  const env = { ...process.env, RUNFOLD_DIR: ledger, RUNFOLD_ATTEMPT: undefined, RUNFOLD_RUN_ID: undefined };
  const node = process.execPath;

  const starts = { direct: [], node: [], exec: [] };
  const ways = {
    direct: () => timed('true', [], env),
    node: () => timed(node, ['-e', '0'], env),
    exec: () => timed(node, exec('true'), env),
  };
  for (let round = -1; round < STARTS; round += 1) {
    for (const way of rotated(Object.keys(ways), round + 1)) {
      const ms = await ways[way]();
      if (round >= 0) starts[way].push(ms);
    }
  }

  const flow = { direct: [], exec: [] };
  const print = `head -c ${BYTES} /dev/zero`;
  const flows = {
    direct: () => timed('sh', ['-c', `${print} | cat`], env),
    exec: () => timed('sh', ['-c', `"$@" | cat`, 'sh', node, ...exec('sh', '-c', print)], env),
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const way of rotated(Object.keys(flows), round)) flow[way].push(await flows[way]());
  }

  const idle = await idleCost([node, ...exec('sleep', '3600')], env, children);
  const ms = (way) => median(starts[way]);
  const rate = (way) => BYTES / 1e6 / (median(flow[way]) / 1000);
  return [
    `\`true\`: median of ${STARTS} starts each, in turn, whole processes.`,
    table(
      ['', 'ms', 'more than the command alone'],
      [
        ['`true`', ms('direct').toFixed(1), ''],
        ['`node -e 0`', ms('node').toFixed(1), (ms('node') - ms('direct')).toFixed(1)],
        ['`runfold exec -- true`', ms('exec').toFixed(1), (ms('exec') - ms('direct')).toFixed(1)],
      ],
    ),
    `${(BYTES / 1e9).toFixed(2)} GB of output into \`cat\`; median of ${ROUNDS}.`,
    table(
      ['', 'MB/s', 'of direct'],
      [
        ['`head`, `cat`', rate('direct').toFixed(0), '1.00'],
        [
          '`runfold exec -- head`, `cat`',
          rate('exec').toFixed(0),
          (rate('exec') / rate('direct')).toFixed(2),
        ],
      ],
    ),
    `Beside a command that does nothing, ${IDLE_SECONDS} s with a sample every 15 s: ${idle.rssMb.toFixed(0)} MB resident, ` +
      `${idle.cpuPerHour.toFixed(1)} s of CPU an hour (after the first 2 s).`,
  ];
});

async function idleCost([command, ...args], env, children) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'], env });
  children.add(child);
  await sleep(2000);
  const before = cpuSecondsOf(child.pid);
  await sleep(IDLE_SECONDS * 1000);
  const used = cpuSecondsOf(child.pid) - before;
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  // passed on to the command
  child.kill('SIGTERM');
  await ended;
  children.delete(child);
  return { rssMb: Number(rss?.[1]) / 1024, cpuPerHour: (used / IDLE_SECONDS) * 3600 };
}
