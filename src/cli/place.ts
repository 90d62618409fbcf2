// Where a command finds its log and database, also while the storage of the log hangs.
import type { Hang } from '../projector/ledger-note.ts';
import { locate, type Place } from '../projector/open.ts';
import { say, type CliIo } from './io.ts';
import type { PlaceFlags } from './options.ts';
import { notAnswered } from './not-answered.ts';

/** For commands that answer from the database: they do without a storage that hangs (`place.hang`). */
export async function findPlace(flags: PlaceFlags, io: CliIo, away?: 'also without the log'): Promise<Place> {
  return await locate({ ...optionsOf(flags, io), isAwayFine: away !== undefined }, io.clock);
}

/** For commands that are nothing without the log: they wait until its storage answers, or for Ctrl-C. */
export async function waitForPlace(flags: PlaceFlags, io: CliIo): Promise<Place> {
  let hung: Hang | undefined;
  const onHang = (hang: Hang): void => {
    hung = hang;
    say(io.stderr, `${notAnswered(hang)}; waiting for it`);
  };
  const place = await locate({ ...optionsOf(flags, io), onHang }, io.clock);
  if (hung !== undefined) say(io.stderr, 'the storage answers again');
  return place;
}

function optionsOf({ ledger, db }: PlaceFlags, { env, cwd, signal, askStorage, abandon }: CliIo) {
  return { ledger, db, env, cwd, signal, ask: askStorage, onStuck: abandon };
}
