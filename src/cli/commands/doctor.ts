// runfold doctor: everything that is wrong with the log, and what to do about each.
import { openReadOnly } from '../../db/open.ts';
import { findings, type Finding } from '../../projector/health.ts';
import { locate } from '../../projector/open.ts';
import { namesOf } from '../../projector/accounts.ts';
import { permissionFindings } from '../../projector/permissions.ts';
import { freshen } from '../freshness.ts';
import { count } from '../human.ts';
import { drained, say, sayJson, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
import { namesIn } from '../owners.ts';
import { printSafe } from '../print-safe.ts';

export interface DoctorFlags extends PlaceFlags {
  sync: boolean;
  json?: boolean;
}

export async function doctor(flags: DoctorFlags, io: CliIo): Promise<ExitCode> {
  const place = await locate({ ...flags, env: io.env, cwd: io.cwd }, io.clock);
  if (flags.sync) await freshen(place, io, { thorough: true });
  const { strangers } = await place.storage.list();
  const db = openReadOnly(place.file);
  const self = process.getuid?.() ?? 0;
  let problems = 0;
  let notes = 0;
  try {
    const nameOf = await namesIn(db);
    const permissions = await permissionFindings(db, place.ledger.path, self, namesOf);
    for (const finding of chain(permissions, findings(db, strangers, nameOf))) {
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

function print(finding: Finding, self: string, io: CliIo): void {
  const { kind, severity, where, offset, what, advice, owner } = finding;
  const at = offset === null ? '' : `, byte ${offset}`;
  const whose = owner === null || owner === self ? '' : ` (of ${printSafe(owner)})`;
  say(io.stdout, `${severity === 'problem' ? '!' : '-'} ${kind}: ${printSafe(where)}${at}${whose}`);
  say(io.stdout, `    ${printSafe(what)}`);
  say(io.stdout, `    ${printSafe(advice)}`);
}

/** One after the other: there may be a million rejected lines. */
function* chain(...parts: Iterable<Finding>[]): Generator<Finding> {
  for (const part of parts) yield* part;
}
