// Asks a database every 10 ms until told to stop: milliseconds from when each answer was due to be asked for.
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 10;

/** `ask` answers at once or throws; asked until `isOver()`. */
export async function waits(ask, isOver) {
  const all = [];
  while (!isOver()) {
    const due = performance.now() + EVERY_MS;
    await sleep(EVERY_MS);
    ask();
    all.push(performance.now() - due);
  }
  return all;
}
