// The process that writes the events of `runfold exec` where that may hang. It ends with the one that has started it.
import process from 'node:process';
import { Recorder } from './recorder.ts';
import type { FromRecorder, ToRecorder } from './recorder-messages.ts';
import { FORWARDED } from './signals.ts';

/** Samples are on the disk within 5 s. */
const LOOK_MS = 1000;

let recorder: Recorder | undefined;
let taken = 0;
let durable = 0;
let timer: NodeJS.Timeout | undefined;

// all processes of a job may get them; the end is told by the one that they are for
for (const signal of FORWARDED) process.on(signal, () => undefined);

process.on('message', (message: ToRecorder) => {
  if (message.kind === 'open') {
    const say = (line: string): void => tell({ kind: 'say', line });
    recorder = new Recorder(message.facts, { env: { ...process.env, ...message.env }, say });
    tell({ kind: 'opened', ledger: recorder.ledger });
    return;
  }
  // after it something waits again, as it may always do when the time to look has come
  tellDurable();
  recorder?.take(message.note);
  taken = message.number;
  tell({ kind: 'taken', number: taken });
  look();
});

process.on('disconnect', () => {
  // whoever records has been killed: what it has told is written all the same, but no end, which nobody knows
  recorder?.flush();
  process.exit(0);
});

tell({ kind: 'up' });

function look(): void {
  tellDurable();
  if (durable === taken) return;
  timer ??= setTimeout(() => {
    timer = undefined;
    look();
  }, LOOK_MS);
}

function tellDurable(): void {
  if (durable === taken || recorder?.isDurable !== true) return;
  durable = taken;
  tell({ kind: 'durable', number: durable });
}

function tell(message: FromRecorder): void {
  // the other end may have gone meanwhile, which `disconnect` tells
  if (process.connected) process.send?.(message, () => undefined);
}
