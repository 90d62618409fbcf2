// runfold doctor: everything that is wrong with the log, and what to do about each.
import { isoTime } from '../../clock.ts';
import type { Hang } from '../../projector/ledger-note.ts';
import { openReadOnly, type Db } from '../../db/open.ts';
import { EVENTS_DIR } from '../../events/layout.ts';
import { withPatience } from '../../projector/hang.ts';
import { findings, type Finding } from '../../projector/health.ts';
import { namesOf } from '../../projector/accounts.ts';
import type { Place } from '../../projector/open.ts';
import { PACE } from '../../projector/pace.ts';
import { permissionFindings } from '../../projector/permissions.ts';
import type { NameOf } from '../../projector/people.ts';
import type { Listing } from '../../projector/storage.ts';
import { Bound } from '../bound.ts';
import { freshen, noteHang } from '../freshness.ts';
import { count } from '../human.ts';
import { drained, say, sayJson, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
import { namesIn } from '../owners.ts';
import { findPlace } from '../place.ts';
import { printSafe } from '../print-safe.ts';

export interface DoctorFlags extends PlaceFlags {
  sync: boolean;
  json?: boolean;
}

export async function doctor(flags: DoctorFlags, io: CliIo): Promise<ExitCode> {
  const place = await findPlace(flags, io);
  if (flags.sync || place.hang !== undefined) await freshen(place, io, { thorough: true });
  const listed = await listing(place, io);
  const db = openReadOnly(place.file);
  const self = process.getuid?.() ?? 0;
  let problems = 0;
  let notes = 0;
  try {
    const nameOf = await namesIn(db);
    const permissions = 'since' in listed ? [] : await permissionsOf(db, place, io);
    for (const finding of everyFinding(db, place, listed, permissions, nameOf)) {
      if (finding.severity === 'problem') problems += 1;
      else notes += 1;
      if (flags.json === true) sayJson(io.stdout, finding);
      else print(finding, nameOf(self), io);
      await drained(io);
    }
  } finally {
    db.close();
  }
  if (flags.json !== true) {
    if (problems + notes === 0) say(io.stdout, 'healthy: every line is applied, no file is out of place');
    else say(io.stdout, `${count(problems, 'problem')}, ${count(notes, 'note')}`);
  }
  return problems === 0 ? 0 : 3;
}

/** What is below `events/`, or that the storage does not say so. */
async function listing(place: Place, io: CliIo): Promise<Listing | Hang> {
  // a pass of this process may have been given up because of it
  const hang = place.hang ?? place.storage.oldest;
  if (hang !== undefined) return hang;
  const listed = await answerOf(place.storage.list(), PACE.answerWithin, place, io);
  return listed?.value ?? place.storage.oldest ?? { path: EVENTS_DIR, since: io.clock.now() };
}

/** None if the storage does not answer: that is a finding of its own, the next time. */
async function permissionsOf(db: Db, place: Place, io: CliIo): Promise<Finding[]> {
  const work = permissionFindings(db, place.ledger.path, process.getuid?.() ?? 0, namesOf);
  return (await answerOf(work, PACE.hangAfter, place, io))?.value ?? [];
}

/** What a look at the storage gives; undefined if it has not come back in this time. */
async function answerOf<T>(
  work: Promise<T>,
  withinMs: number,
  { storage }: Place,
  io: CliIo,
): Promise<{ value: T } | undefined> {
  using bound = new Bound(io.signal, withinMs);
  const patience = { storage, clock: io.clock, signal: bound.signal, onHang: () => undefined };
  const outcome = await withPatience(work, patience);
  if (outcome !== 'abandoned') return outcome;
  io.abandon();
  io.signal.throwIfAborted();
  return undefined;
}

function* everyFinding(
  db: Db,
  place: Place,
  listed: Listing | Hang,
  permissions: readonly Finding[],
  nameOf: NameOf,
): Generator<Finding> {
  const own = 'since' in listed ? listed : undefined;
  const hang = own === undefined ? place.note.hang : noteHang(place, own, undefined);
  if (hang !== undefined) {
    yield {
      kind: 'hang',
      severity: 'problem',
      where: hang.path,
      offset: null,
      owner: null,
      what: `the storage has not answered since ${isoTime(hang.since)}: what is new in the log is not known`,
      advice: 'Ask who runs its file server. All that is known goes on when it answers again.',
    };
  }
  yield* permissions;
  yield* findings(db, 'since' in listed ? [] : listed.strangers, nameOf);
}

function print(finding: Finding, self: string, io: CliIo): void {
  const { kind, severity, where, offset, what, advice, owner } = finding;
  const at = offset === null ? '' : `, byte ${offset}`;
  const whose = owner === null || owner === self ? '' : ` (of ${printSafe(owner)})`;
  say(io.stdout, `${severity === 'problem' ? '!' : '-'} ${kind}: ${printSafe(where)}${at}${whose}`);
  say(io.stdout, `    ${printSafe(what)}`);
  say(io.stdout, `    ${printSafe(advice)}`);
}
