// runfold snapshot: a copy of the database for other machines and other people.
import path from 'node:path';
import { SNAPSHOT_FILE } from '../../db/snapshot.ts';
import type { Place } from '../../projector/open.ts';
import { freshen, sayHowFresh } from '../freshness.ts';
import { bytes } from '../human.ts';
import { say, sayJson, type CliIo, type ExitCode } from '../io.ts';
import { waitForPlace } from '../place.ts';
import { printSafe } from '../print-safe.ts';
import type { ReadingFlags } from '../reading.ts';
import { snapshotInProcess } from '../snapshot/in-process.ts';

export interface SnapshotFlags extends ReadingFlags {
  json?: boolean;
}

export async function snapshot(
  named: string | undefined,
  flags: SnapshotFlags,
  io: CliIo,
): Promise<ExitCode> {
  const place = await waitForPlace(flags, io);
  if (flags.sync) await freshen(place, io);
  else sayHowFresh(place, io);
  const made = await snapshotInProcess(place, snapshotTarget(named, place, io), io.signal);
  if (flags.json === true) sayJson(io.stdout, made);
  else say(io.stdout, `made ${printSafe(made.path)}, ${bytes(made.bytes)}, as of ${made.as_of ?? 'no pass'}`);
  return 0;
}

/** Where it goes: what is named, else into the log's directory, where others look for it. */
export function snapshotTarget(named: string | undefined, place: Place, { cwd }: Pick<CliIo, 'cwd'>): string {
  return named === undefined ? path.join(place.ledger.path, SNAPSHOT_FILE) : path.resolve(cwd, named);
}
