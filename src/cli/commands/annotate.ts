// runfold tag, note and hide: what a person says of a run afterwards. It goes into the log like everything else.
import { text as textOf } from 'node:stream/consumers';
import { RunfoldError } from '../../errors.ts';
import type { Db } from '../../db/open.ts';
import { silent } from '../../projector/open.ts';
import { getRun } from '../../query/run.ts';
import type { RunRecord } from '../../query/run-record.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { reading, type ReadingFlags } from '../reading.ts';
import { openWriter, outcome } from '../writer.ts';

export interface TagFlags extends ReadingFlags {
  remove?: string[];
}

export interface NoteFlags extends ReadingFlags {
  append?: boolean;
}

export interface HideFlags extends ReadingFlags {
  undo?: boolean;
}

interface Annotated {
  run: RunRecord;
  fields: { tags?: readonly string[]; notes?: string; hidden?: boolean };
}

export async function tag(
  id: string,
  tags: readonly string[],
  flags: TagFlags,
  io: CliIo,
): Promise<ExitCode> {
  const removed = new Set(flags.remove);
  if (tags.length === 0 && removed.size === 0) {
    throw new RunfoldError('usage', 'tag needs a tag', {
      hint: 'For example: runfold tag @last baseline. Or --remove TAG',
    });
  }
  if (tags.some((each) => each.trim() === '')) {
    throw new RunfoldError('usage', 'a tag cannot be empty', {
      hint: 'A variable of the shell that is not set, perhaps.',
    });
  }
  const run = await runOf(id, flags, io);
  const all = [...new Set([...run.tags.filter((known) => !removed.has(known)), ...tags])];
  const code = append([{ run, fields: { tags: all } }], flags, io);
  say(io.stdout, `${run.run_id}: ${all.length === 0 ? 'no tags' : all.join(', ')}`);
  return code;
}

export async function note(
  id: string,
  words: readonly string[],
  flags: NoteFlags,
  io: CliIo,
): Promise<ExitCode> {
  const isFromStdin = words.length === 1 && words[0] === '-';
  const given = isFromStdin ? (await textOf(io.stdin)).trimEnd() : words.join(' ');
  const run = await runOf(id, flags, io);
  const before = flags.append === true && run.notes !== null ? `${run.notes}\n` : '';
  const code = append([{ run, fields: { notes: before + given } }], flags, io);
  say(io.stdout, `${run.run_id}: noted`);
  return code;
}

export async function hide(ids: readonly string[], flags: HideFlags, io: CliIo): Promise<ExitCode> {
  const hidden = flags.undo !== true;
  const found = await asked(flags, io, (db) => ids.map((id) => getRun(db, id)));
  const code = append(
    found.map((run) => ({ run, fields: { hidden } })),
    flags,
    io,
  );
  say(io.stdout, `${count(found.length, 'run')} ${hidden ? 'hidden' : 'shown again'}`);
  return code;
}

async function runOf(id: string, flags: ReadingFlags, io: CliIo): Promise<RunRecord> {
  return await asked(flags, io, (db) => getRun(db, id));
}

/** @throws RunfoldError `ledger_silent`: what is said of them would have to be written into the log. */
async function asked<T>(flags: ReadingFlags, io: CliIo, answer: (db: Db) => T): Promise<T> {
  return await reading(flags, io, (db, { hang, ledger }) => {
    if (hang !== undefined) throw silent(ledger.path, hang);
    return answer(db);
  });
}

function append(annotated: readonly Annotated[], flags: ReadingFlags, io: CliIo): ExitCode {
  const writer = openWriter(flags, io);
  try {
    for (const { run, fields } of annotated) {
      if (!writer.append({ type: 'run_annotated', run_id: run.run_id, ...fields }, 'now')) {
        throw new RunfoldError(
          'usage',
          `the annotation of ${run.run_id} does not fit into one line of the log`,
        );
      }
    }
  } finally {
    writer.close();
  }
  return outcome(writer);
}
