// The metric lines of a ledger as rows of run_metrics, made by nothing but JSON.parse: no check, no order, no state.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const COLUMN_COUNT = 14;

/** File after file, the lines of each as text. */
export function* fileTexts(ledger) {
  const events = path.join(ledger, 'events');
  for (const folder of readdirSync(events).toSorted()) {
    for (const name of readdirSync(path.join(events, folder)).toSorted()) {
      yield { writer: name.slice(0, 26), text: readFileSync(path.join(events, folder, name), 'latin1') };
    }
  }
}

/** The rows of one file. */
export function* rowsOf({ writer, text }) {
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const event = JSON.parse(line);
    if (event.type === 'metric') yield rowOf(event, writer);
  }
}

function rowOf(event, writer) {
  return [
    event.run_id,
    writer,
    event.seq,
    event.ts,
    event.elapsed_seconds,
    event.epoch ?? null,
    event.step ?? null,
    event.loss ?? null,
    event.f1 ?? null,
    event.fitness ?? null,
    event.behavioral_comparison ?? null,
    event.gpu_memory_mb ?? null,
    event.extra ? JSON.stringify(event.extra) : null,
    null,
  ];
}
