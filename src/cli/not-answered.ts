// What is said of a storage that hangs.
import { isoTime } from '../clock.ts';
import type { Hang } from '../projector/ledger-note.ts';
import { printSafe } from './print-safe.ts';

export function notAnswered({ path, since }: Hang): string {
  return `the storage has not answered since ${isoTime(since)} (${printSafe(path)})`;
}
