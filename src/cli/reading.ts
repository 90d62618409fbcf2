// What commands that read have in common: the log is read first, then the database is opened for reading.
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Db } from '../db/open.ts';
import type { RunStatus } from '../events/event.ts';
import type { Place } from '../projector/open.ts';
import type { RunFilter, RunQuery } from '../query/run-filter.ts';
import type { CliIo } from './io.ts';
import { countOf, wholeNumber, withPlace, type PlaceFlags } from './options.ts';

export interface ReadingFlags extends PlaceFlags {
  sync: boolean;
}

export interface FilterFlags {
  experimentNumber?: number[];
  dataset?: string[];
  method?: string[];
  subject?: string[];
  clInfo?: string[];
  seed?: number[];
  status?: RunStatus[];
  tag?: string[];
  where?: string[];
  hidden?: boolean;
}

export interface PagingFlags {
  sort?: string[];
  limit?: number;
  offset?: number;
}

/** `--ledger`, `--db` and `--no-sync`. */
export function withReading(command: Command): Command {
  return withPlace(command).option('--no-sync', 'do not read what is new in the log first');
}

/** Which runs: by their key, status, tags, conditions. */
export function withFilters(command: Command): Command {
  return command
    .addOption(
      new Option('--exp, --experiment-number <n>', 'runs of this experiment; repeat it for more').argParser(
        collectNumber,
      ),
    )
    .option('--dataset <name>', 'runs on this data set; repeat it for more', collect)
    .option('--method <name>', 'runs of this method; repeat it for more', collect)
    .option('--subject <name>', 'runs of this subject; repeat it for more', collect)
    .option('--variant, --cl-info <text>', 'runs of this variant; repeat it for more', collect)
    .addOption(new Option('--seed <n>', 'runs with this seed; repeat it for more').argParser(collectNumber))
    .option('--status <list>', 'pending, running, completed, failed, timeout; comma separated', collectList)
    .option('--tag <tag>', 'runs with this tag; repeat it for runs that have all', collectTag)
    .option('-w, --where <condition>', "such as 'config.lr<0.01'; repeat it, all must hold", collect)
    .option('--hidden', 'hidden runs too');
}

/** In which order, and how many. */
export function withPaging(command: Command): Command {
  return command
    .option('--sort <field>', 'by this field, -field: greatest first; repeat it for ties', collect)
    .addOption(new Option('-n, --limit <n>', 'at most so many; 0: all').argParser(countOf))
    .addOption(new Option('--offset <n>', 'pass over so many first').argParser(countOf));
}

export function filterOf(flags: FilterFlags): RunFilter {
  return {
    experiment_number: flags.experimentNumber,
    dataset: flags.dataset,
    method: flags.method,
    subject: flags.subject,
    cl_info: flags.clInfo,
    seed: flags.seed,
    status: flags.status,
    tags: flags.tag,
    where: flags.where,
    includeHidden: flags.hidden,
  };
}

/** @param unlimited what it is without `--limit`; undefined is all */
export function pagingOf(
  { sort, limit, offset }: PagingFlags,
  unlimited?: number,
): Pick<RunQuery, 'sort' | 'limit' | 'offset'> {
  return { sort, limit: limit === 0 ? undefined : (limit ?? unlimited), offset };
}

/** Finds the log, reads what is new in it unless `--no-sync`, and hands the open database to `answer`. */
export async function reading<Answer>(
  flags: ReadingFlags,
  io: CliIo,
  answer: (db: Db, place: Place) => Answer | Promise<Answer>,
): Promise<Answer> {
  // only now: commands that have these options in their help, and read nothing, start faster without them
  const { openReadOnly } = await import('../db/open.ts');
  const { findPlace } = await import('./place.ts');
  const { freshen, sayHowFresh } = await import('./freshness.ts');
  const place = await findPlace(flags, io);
  if (flags.sync) await freshen(place, io);
  else sayHowFresh(place, io);
  const db = openReadOnly(place.file);
  try {
    return await answer(db, place);
  } finally {
    db.close();
  }
}

export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function collectTag(value: string, before: string[] | undefined): string[] {
  if (value.trim() === '') throw new InvalidArgumentError('A tag cannot be empty.');
  return collect(value, before);
}

function collectNumber(value: string, before: number[] | undefined): number[] {
  return [...(before ?? []), wholeNumber(value)];
}

export function collectList(value: string, before: string[] | undefined): string[] {
  const items = value.split(',').map((item) => item.trim());
  if (items.includes('')) throw new InvalidArgumentError('It must be a list such as a,b.');
  return [...(before ?? []), ...items];
}

const FIELD = /\s*((?:"(?:[^"\\]|\\.)*"|[^,"])+?)\s*(?:,|$)/y;

/** Commas between quotes are part of a name. */
export function fieldList(value: string, before: string[] | undefined): string[] {
  const fields: string[] = [];
  for (let at = 0; at < value.length || fields.length === 0; at = FIELD.lastIndex) {
    FIELD.lastIndex = at;
    const [, field] = FIELD.exec(value) ?? [];
    if (field === undefined) throw new InvalidArgumentError('It must be a list such as a,b.');
    fields.push(field);
  }
  return [...(before ?? []), ...fields];
}
