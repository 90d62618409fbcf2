// runfold doctor: everything that is wrong with the log, and what to do about each.
import { openReadOnly } from '../../db/open.ts';
import { findings, type Finding } from '../../projector/health.ts';
import { locate } from '../../projector/open.ts';
import { freshen } from '../freshness.ts';
import { count } from '../human.ts';
import { drained, say, sayJson, type CliIo, type ExitCode } from '../io.ts';
import type { PlaceFlags } from '../options.ts';
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
  let problems = 0;
  let notes = 0;
  try {
    for (const finding of findings(db, strangers)) {
      if (finding.severity === 'problem') problems += 1;
      else notes += 1;
      if (flags.json === true) sayJson(io.stdout, finding);
      else print(finding, io);
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

function print({ kind, severity, where, offset, what, advice }: Finding, io: CliIo): void {
  const at = offset === null ? '' : `, byte ${offset}`;
  say(io.stdout, `${severity === 'problem' ? '!' : '-'} ${kind}: ${printSafe(where)}${at}`);
  say(io.stdout, `    ${printSafe(what)}`);
  say(io.stdout, `    ${printSafe(advice)}`);
}
