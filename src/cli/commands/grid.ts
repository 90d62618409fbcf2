// runfold grid: what of a sweep is done, what is missing, and what to run again.
import * as fs from 'node:fs';
import path from 'node:path';
import type { Db } from '../../db/open.ts';
import { errnoOf, RunfoldError } from '../../errors.ts';
import type { Grid } from '../../grid/grid.ts';
import { CELL_STATES, RESUBMITTED, tally, type CellState } from '../../grid/progress.ts';
import { gridCsv, unsaid } from '../../grid/write-grid.ts';
import type { Label } from '../../query/label.ts';
import { shown } from '../../query/arguments.ts';
import { formatOf, type FormatFlags } from '../format/options.ts';
import { print } from '../format/print.ts';
import type { Format } from '../format/table.ts';
import { sweepOfGrid, sweepOfSeen, type Sweep } from '../grid-cells.ts';
import { readGridFile } from '../grid-file.ts';
import {
  arrayListOf,
  gridRecords,
  gridTable,
  labelReader,
  listTable,
  resubmissionNotes,
  type BoardFields,
} from '../grid-table.ts';
import { count, thousands } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { filterOf, reading, type FilterFlags, type ReadingFlags } from '../reading.ts';
import { shellQuote } from '../shell-quote.ts';
import { sayIfNone, sayUnknownNames } from '../unknown-names.ts';

export interface GridFlags extends ReadingFlags, FilterFlags, FormatFlags {
  rows?: string;
  columns?: string;
  list?: boolean;
  array?: boolean;
  only?: CellState[];
  keyFromConfig?: string[];
  write?: string;
}

export function grid(file: string | undefined, flags: GridFlags, io: CliIo): Promise<ExitCode> {
  const format = formatOf(flags);
  refuseMixed(file, flags);
  const given = file === undefined ? undefined : readGridFile(file, flags.keyFromConfig, io).grid;
  const fields = fieldsOf(flags, given);
  const target = flags.write === undefined ? undefined : targetOf(flags.write, io);
  return reading(flags, io, (db) => {
    const sweep = given === undefined ? seen(db, flags, io) : sweepOfGrid(db, given, filterOf(flags));
    if (target !== undefined) return writeGrid(sweep, target, io);
    if (flags.array === true) return printArray(sweep, flags, io);
    if (sweep.cells.length === 0) sayNone(db, given, flags, io);
    else if (flags.list !== true) printBoard(sweep, fields, { given, flags, format }, io);
    if (flags.list === true || sweep.cells.length === 0) printList(sweep, flags, format, io);
    return 0;
  });
}

function refuseMixed(file: string | undefined, flags: GridFlags): void {
  const forms = [flags.list && '--list', flags.array && '--array', flags.write !== undefined && '--write'];
  const [one, other] = forms.filter((form) => typeof form === 'string');
  if (one !== undefined && other !== undefined) {
    throw new RunfoldError('usage', `${one} and ${other} are two answers`, { hint: 'Ask for one of them.' });
  }
  if (flags.array === true && (flags.format !== undefined || flags.json === true)) {
    throw new RunfoldError('usage', '--array prints a list for sbatch, in no other format', {
      hint: '--list prints the cells in any format.',
    });
  }
  if (file === undefined && flags.array === true) {
    throw new RunfoldError('usage', '--array needs a grid file: without one the cells have no numbers', {
      hint: 'Make one of what has been seen: runfold grid --write grid.csv',
    });
  }
  if (file === undefined && flags.keyFromConfig !== undefined) {
    throw new RunfoldError('usage', '--key-from-config goes with a grid file', {
      hint: 'Runs that have been seen have their key.',
    });
  }
  if (file === undefined) return;
  if (flags.write !== undefined) {
    throw new RunfoldError('usage', '--write makes a grid file, and there is one already', {
      hint: `Leave ${shown(file)} or --write out.`,
    });
  }
  const refused = [
    flags.status && '--status',
    flags.tag && '--tag',
    flags.where && '--where',
    flags.hidden && '--hidden',
  ].find((name) => typeof name === 'string');
  if (refused === undefined) return;
  throw new RunfoldError('usage', `${refused} does not go with a grid file, which says what is expected`, {
    hint: refused === '--status' ? 'Say --only failed,timeout for some states.' : 'Leave it out.',
  });
}

function fieldsOf(flags: GridFlags, given: Grid | undefined): BoardFields {
  const [rows, columns] = [flags.rows ?? 'method', flags.columns ?? 'dataset'];
  const values = new Map(given?.rows.map(({ row, values: pairs }) => [row, new Map<string, Label>(pairs)]));
  return {
    rows: { name: rows, of: labelReader(rows, values) },
    columns: { name: columns, of: labelReader(columns, values) },
    isSorted: given === undefined,
  };
}

function seen(db: Db, flags: GridFlags, io: CliIo): Sweep {
  sayUnknownNames(db, filterOf(flags), [], io);
  return sweepOfSeen(db, filterOf(flags));
}

function sayNone(db: Db, given: Grid | undefined, flags: GridFlags, io: CliIo): void {
  if (given === undefined) sayIfNone(db, filterOf(flags), io);
  else say(io.stderr, `no row of ${given.file} matches; there are ${thousands(given.rows.length)}`);
}

function printBoard(
  sweep: Sweep,
  fields: BoardFields,
  { given, flags, format }: { given: Grid | undefined; flags: GridFlags; format: Format },
  io: CliIo,
): void {
  const file = given?.file ?? '';
  const filters = keyArguments(flags);
  const [key, only] = [keyColumns(flags), onlyArguments(flags)];
  const chosen = filters.length === 0 ? [...key, ...only] : key;
  const outside = given === undefined ? undefined : outsideText(sweep, given);
  const notes = [
    ...resubmissionNotes(sweep.cells, {
      states: flags.only ?? RESUBMITTED,
      arrayCommand: `runfold grid ${shellQuote([file, '--array', ...filters, ...key, ...only])}`,
      submitCommand: `runfold grid submit ${shellQuote([file, 'JOB.sbatch', ...chosen])}`,
      isListNeeded: filters.length > 0,
    }),
    ...(outside === undefined ? [] : [outside]),
  ];
  const isForPeople = format === 'table' || format === 'markdown' || format === 'latex';
  print(
    isForPeople ? gridTable(sweep.cells, fields, notes) : gridRecords(sweep.cells, fields),
    { format },
    io,
  );
  if (!isForPeople) for (const note of notes) say(io.stderr, note);
}

/** Of the options those that choose by the key, which `grid submit` does not have. */
function keyArguments(flags: GridFlags): string[] {
  const keys: [string, readonly (string | number)[] | undefined][] = [
    ['--exp', flags.experimentNumber],
    ['--dataset', flags.dataset],
    ['--method', flags.method],
    ['--subject', flags.subject],
    ['--variant', flags.clInfo],
    ['--seed', flags.seed],
  ];
  return keys.flatMap(([option, values = []]) => values.flatMap((value) => [option, String(value)]));
}

function keyColumns({ keyFromConfig = [] }: GridFlags): string[] {
  return keyFromConfig.length === 0 ? [] : ['--key-from-config', keyFromConfig.join(',')];
}

function onlyArguments({ only }: GridFlags): string[] {
  return only === undefined ? [] : ['--only', only.join(',')];
}

function outsideText({ cells, outside }: Sweep, { columns }: Grid): string | undefined {
  if (outside === 0) return undefined;
  const text = `${count(outside, 'run')} that ${outside === 1 ? 'was' : 'were'} seen ${outside === 1 ? 'is' : 'are'} not in the grid`;
  if (tally(cells).missing < cells.length) return text;
  const absent = ['dataset', 'method'].filter((name) => !columns.includes(name));
  const why =
    absent.length === 0
      ? 'do their keys agree?'
      : `without a column ${absent.join(' and ')} the grid means the name "default"`;
  return `${text}: ${why}`;
}

function printArray({ cells }: Sweep, flags: GridFlags, io: CliIo): ExitCode {
  const states = flags.only ?? RESUBMITTED;
  const list = arrayListOf(cells, states);
  if (list !== '') {
    io.stdout.write(`${list}\n`);
    return 0;
  }
  const counts = tally(cells);
  const are = CELL_STATES.filter((state) => counts[state] > 0).map(
    (state) => `${thousands(counts[state])} ${state}`,
  );
  say(io.stderr, `no run is ${states.join(' or ')}: ${are.length === 0 ? 'no row matches' : are.join(', ')}`);
  return 1;
}

function printList({ cells }: Sweep, flags: GridFlags, format: Format, io: CliIo): void {
  const states = flags.only ?? CELL_STATES.filter((state) => state !== 'completed');
  const isForPeople = format === 'table' || format === 'markdown' || format === 'latex';
  const chosen = cells.filter(({ state }) => states.includes(state));
  print(listTable(chosen, isForPeople), { format }, io);
  if (chosen.length > 0 || cells.length === 0) return;
  say(
    io.stderr,
    flags.only === undefined
      ? `all ${count(cells.length, 'run')} completed`
      : `no run is ${states.join(' or ')}`,
  );
}

/** @throws RunfoldError `usage`, `file_exists` */
function targetOf(file: string, { cwd }: CliIo): string {
  if (!/\.csv$/i.test(file)) {
    throw new RunfoldError('usage', `--write makes CSV, and ${shown(file)} is no name of that`, {
      hint: 'Name it so that it ends in .csv.',
    });
  }
  const target = path.resolve(cwd, file);
  if (fs.existsSync(target)) throw alreadyThere(file);
  return target;
}

function alreadyThere(file: string): RunfoldError {
  return new RunfoldError('file_exists', `there is already ${file}`, {
    hint: 'Remove it, or take another name.',
  });
}

function writeGrid({ cells }: Sweep, target: string, io: CliIo): ExitCode {
  const keys = cells.map(({ key }) => key);
  if (keys.length === 0) {
    say(io.stderr, 'no run matches: nothing was written');
    return 1;
  }
  const problem = unsaid(keys);
  if (problem !== undefined) {
    throw new RunfoldError(
      'usage',
      `a run has the ${problem.field} ${shown(problem.value)}, which CSV cannot say`,
      {
        hint: 'Leave such runs out, or write the grid as JSON by hand.',
      },
    );
  }
  try {
    fs.writeFileSync(target, gridCsv(keys), { flag: 'wx' });
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw alreadyThere(target);
    throw error;
  }
  const file = path.relative(io.cwd, target);
  say(io.stdout, `${file}: ${count(keys.length, 'row')}`);
  return 0;
}
